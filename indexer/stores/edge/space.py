"""Room on disk: how much a version takes, and what is said where it runs out.

Measured with Edge 0.9 at 384 dims, ext4: 2 kB a product (1.5 kB of it the vector) and 50 kB for each indexed
attribute. Edge lays its files out in pieces of up to 32 MiB that stay holes until they are filled; a disk in memory
(tmpfs) gives a hole its memory as soon as it is read, and ends a process that reads one when there is none left.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.errors import StoreUnavailable

OPENING_BYTES = 1 << 20
"""What opening and closing a version writes: its owner's name, and small files that Edge replaces by equal ones."""

_PIECE = 32 << 20
_FIXED = 4 << 20
_PAYLOAD = 600
_INDEX_FIXED = 7 << 20
_INDEX_SPARSE = 50_000
_INDEX_PER_PRODUCT = 40
_FULL = (errno.ENOSPC, errno.EDQUOT)


def build_bytes(folder: Path, products: int, dim: int, indexes: int, graph: bool) -> int:
    """About what a build of so many products takes at its peak; a graph is built beside what it is made of."""
    data = products * (dim * 4 + _PAYLOAD + indexes * _INDEX_PER_PRODUCT)
    if graph:
        data = data * 9 // 4
    if is_in_memory(folder):
        # Vectors and payload, each a piece at least; the flags and first pages of each index.
        return _FIXED + data + 2 * _PIECE + indexes * _INDEX_FIXED
    return _FIXED + data + indexes * _INDEX_SPARSE


def check_room(folder: Path, needed: int, purpose: str) -> None:
    """Refuse at once what would run out of space.

    Raises:
        StoreUnavailable: less is free than `needed` bytes.
    """
    if free_bytes(folder) < needed:
        raise no_space(folder, f"about {_size(needed)} needed to {purpose}")


def no_space(folder: Path, needed: str) -> StoreUnavailable:
    """The error for a disk that is full; `needed` says for what."""
    return StoreUnavailable(
        f"no space left at {folder}: {_size(free_bytes(folder))} free, {needed}; next step: free some, or choose "
        "another disk"
    )


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, says that the disk is full; Edge gives but text."""
    while error is not None:
        if (isinstance(error, OSError) and error.errno in _FULL) or "No space left on device" in str(error):
            return True
        error = error.__cause__
    return False


@contextmanager
def writing(path: Path, purpose: str, next_step: str = "may this user write there?") -> Iterator[None]:
    """Turn what the disk refuses into `StoreUnavailable`."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise no_space(path, f"more is needed to {purpose}") from error
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}; next step: {next_step}") from error


def fill_holes(folder: Path, purpose: str) -> None:
    """On a disk in memory, take all the memory that reading the files may take, so that reading cannot fail.

    Raises:
        StoreUnavailable: there is not enough.
    """
    if not is_in_memory(folder):
        return
    files = [(path, path.stat()) for path in folder.rglob("*") if path.is_file()]
    missing = sum(max(0, stat.st_size - stat.st_blocks * 512) for _, stat in files)
    check_room(folder, missing + OPENING_BYTES, purpose)
    for path, stat in files:
        if stat.st_blocks * 512 < stat.st_size:
            with writing(folder, purpose), path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, stat.st_size)


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write on the folder's disk; of the nearest parent where it is not there yet."""
    while not folder.exists():
        folder = folder.parent
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def is_in_memory(folder: Path) -> bool:
    """Whether the folder's disk is memory (tmpfs); False where this machine does not tell."""
    while not folder.exists():
        folder = folder.parent
    device = folder.stat().st_dev
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    wanted = f"{os.major(device)}:{os.minor(device)}"
    return any(line.split()[2] == wanted and line.partition(" - ")[2].split()[0] == "tmpfs" for line in lines)


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
