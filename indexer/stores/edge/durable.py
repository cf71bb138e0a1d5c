"""Files that are written so that they last, and locks that end with their process."""

from __future__ import annotations

import fcntl
import os
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
