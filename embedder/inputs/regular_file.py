"""Opening a file whose name somebody else chose: a pipe or a device must not hold up the program, a link must not lead
out of the folder.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotRegularFile(OSError):
    """A folder, pipe, socket or device where a file should be; `strerror` says which."""


def open_regular_file(path: Path, buffer_bytes: int = -1) -> BinaryIO:
    """Open a regular file for reading, without ever waiting for a pipe's other end or a device.

    What was opened is what is checked, so that nothing can be put in its place in between. Reading never waits
    either: a file that has no data yet (`/proc/kmsg`) answers None.

    Args:
        path: its name.
        buffer_bytes: that are read at once; -1: as many as Python chooses.

    Raises:
        NotRegularFile: there is something else under that name.
        OSError: not there, or may not be opened.
        ValueError: a NUL in the path.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            kind = next((name for matches, name in _KINDS if matches(mode)), "no file")
            raise NotRegularFile(None, f"it is {kind}; permitted: a regular file", str(path))
        return os.fdopen(descriptor, "rb", buffer_bytes)
    except BaseException:
        os.close(descriptor)
        raise


def path_within(path: Path, folder: Path) -> Path | None:
    """The file's path with all links followed; None where it is not in the folder.

    Nothing is opened, and whether the file is there is not said.

    Raises:
        ValueError: a NUL in the path.
    """
    real_folder = _real_folder(folder)
    found = _plainly_below(path, folder, real_folder) or Path(os.path.realpath(path))
    return found if found.is_relative_to(real_folder) else None


def _real_folder(folder: Path) -> str:
    """A folder with all links followed; where its name leads elsewhere by now, that is noticed."""
    try:
        status = folder.stat()
    except OSError:
        return os.path.realpath(folder)
    return _realpath(folder, status.st_dev, status.st_ino)


@lru_cache(maxsize=64)
def _realpath(folder: Path, device: int, inode: int) -> str:
    # A look at each part of the same path, for each picture of a catalog, took longer than reading small ones.
    return os.path.realpath(folder)


def _plainly_below(path: Path, folder: Path, real_folder: str) -> Path | None:
    """Where a file is below the real folder, if neither a link nor ".." leads there; None: they may."""
    start, whole = f"{folder}{os.sep}", str(path)
    if not whole.startswith(start):
        return None
    parts = whole[len(start) :].split(os.sep)  # noqa: PTH206  (a Path for each takes several times as long)
    if not {"", os.curdir, os.pardir}.isdisjoint(parts):
        return None
    found = real_folder
    try:
        for part in parts:
            found = f"{found.rstrip(os.sep)}{os.sep}{part}"
            if stat.S_ISLNK(os.lstat(found).st_mode):
                return None
    except (OSError, ValueError):
        return None
    return Path(found)
