"""Notices at once when another process writes into a file that Edge has mapped, by Linux' inotify.

A mapped file that is cut short ends the process at the next read beyond its end, and one that is written to changes
answers. Edge's own writes go through its mappings, which inotify does not report. Where there is no inotify, the check
in the background is all there is.
"""

from __future__ import annotations

import ctypes
import logging
import os
import struct
import sys
from pathlib import Path

_log = logging.getLogger(__name__)

_IN_MODIFY = 0x2
_EVENT = struct.Struct("iIII")


class FolderWatch:
    """A folder with all below it, as it is when the watch begins. Used under a lock."""

    def __init__(self, folder: Path) -> None:
        self._folders: dict[int, Path] = {}
        self._root = folder
        self._descriptor: int | None = None
        if sys.platform != "linux":
            return
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor < 0:
            _log.warning("changes of %s are not noticed at once: %s", folder, os.strerror(ctypes.get_errno()))
            return
        self._descriptor = descriptor
        for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            watch = libc.inotify_add_watch(descriptor, os.fsencode(path), _IN_MODIFY)
            if watch < 0:
                _log.warning("changes of %s are not noticed at once: %s", path, os.strerror(ctypes.get_errno()))
                return
            self._folders[watch] = path

    def written(self) -> list[str]:
        """Files that were written to or cut short since the last call, as paths below the folder. Does not wait."""
        if self._descriptor is None:
            return []
        try:
            events = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return []
        found, at = [], 0
        while at < len(events):
            watch, _, _, length = _EVENT.unpack_from(events, at)
            at += _EVENT.size
            name = os.fsdecode(events[at : at + length].rstrip(b"\0"))
            at += length
            if watch in self._folders and name:
                found.append((self._folders[watch] / name).relative_to(self._root).as_posix())
        return found

    def close(self) -> None:
        """Stop watching; a second time does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
