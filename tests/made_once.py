"""Set-up that is expensive to make, made once for all of pytest-xdist's workers."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that whichever worker needs it first has filled by `make(folder)`; the other workers wait for it.

    All workers read the same folder: who wants to change something in it takes a copy.

    Args:
        factory: pytest's own; its base folder is the worker's, and the parent of that belongs to the whole run.
        name: of the folder, one for each thing made.
        make: fills the folder, which is there and empty. Where it fails, nothing is kept and the next worker tries.
    """
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made-once"
    shared.mkdir(exist_ok=True)
    folder, whole = shared / name, shared / f"{name}.whole"
    with (shared / f"{name}.lock").open("w") as lock:
        # Released by the system when the worker ends, however it ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            whole.touch()
    return folder
