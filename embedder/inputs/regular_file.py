"""Opening a file whose name somebody else chose: a pipe or a device must not hold up the program."""

from __future__ import annotations

import os
import stat
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


def open_regular_file(path: Path) -> BinaryIO:
    """Open a regular file for reading, without ever waiting for a pipe's other end or a device.

    What was opened is what is checked, so that nothing can be put in its place in between. Reading never waits
    either: a file that has no data yet (`/proc/kmsg`) answers None.

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
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
