"""A disk of its own, in memory, that is filled and emptied."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from indexer.stores.edge.space import free_bytes


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mounted at a folder, which is made; skips the test where this user may not mount."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, but: int = 0) -> None:
    """Leave so many bytes free, while another thread may still be writing."""
    with (disk / "fill").open("ab") as file:
        while (free := free_bytes(disk) - but) > 0:
            # What was free a moment ago may be taken by now: ask again for what is left.
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free)


def empty(disk: Path) -> None:
    """As `fill` found it."""
    (disk / "fill").unlink()


@contextmanager
def kept_full(disk: Path, every_s: float = 0.005) -> Iterator[None]:
    """Full for the length of a block, whatever others delete meanwhile."""
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(every_s):
            fill(disk)

    fill(disk)
    keeping = threading.Thread(target=keep)
    keeping.start()
    try:
        yield
    finally:
        ended.set()
        keeping.join()
        empty(disk)
