"""Files that are written so that they last, and locks that end with their process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from indexer.errors import StoreLocked, StoreUnavailable
from indexer.stores.edge.space import writing


def hold(path: Path, owner: str) -> IO[str]:
    """Hold a file's lock until it is closed or this process ends, however it ends."""
    with writing(path, "take the lock"):
        file = path.open("a+", encoding="utf-8", errors="replace")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read(200).strip() or "another process"
        file.close()
        raise StoreLocked(
            f"{path.parent} is owned by {holder}; permitted: one process at a time; next step: stop that one first"
        ) from error
    try:
        with writing(path, "take the lock"):
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), owner.encode())
    except StoreUnavailable:
        file.close()
        raise
    return file


def write_durably(path: Path, text: str) -> None:
    """Replace a file so that a power loss leaves the old text or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder's files, holes as holes: most of a small shard is."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as held, copy.open("wb") as written:
            size = os.fstat(held.fileno()).st_size
            for start, end in extents(held.fileno(), size):
                while start < end:
                    start += os.copy_file_range(held.fileno(), written.fileno(), end - start, start, start)
            written.truncate(size)


def extents(descriptor: int, size: int, block: int = 1) -> Iterator[tuple[int, int]]:
    """Where a file of `size` bytes may hold data, in whole blocks, in order; the rest are holes: zeros when read."""
    if not hasattr(os, "SEEK_DATA"):
        yield 0, size
        return
    end = 0
    while end < size:
        try:
            data = os.lseek(descriptor, end, os.SEEK_DATA)
            hole = os.lseek(descriptor, data, os.SEEK_HOLE)
        except OSError:
            # Nothing but a hole up to the end.
            return
        start, end = max(end, data // block * block), min(size, -(-hole // block) * block)
        yield start, end


def sync_tree(folder: Path) -> None:
    """Make a finished version durable: its files' contents, and the names that a new file is lost without."""
    for path in [folder, *folder.rglob("*"), folder.parent]:
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
