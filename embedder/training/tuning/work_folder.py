"""The folder in which a tuning keeps its plan and its checkpoints: the same command finds the same one."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedder.errors import TrainingError

_FORMAT = 1
"""Raise when a checkpoint of before cannot be gone on from."""

_LOCK = "lock"


def work_folder(cache_dir: Path, described: Mapping[str, Any]) -> Path:
    """Where a training of that description keeps its state."""
    text = json.dumps({**described, "format": _FORMAT}, sort_keys=True, default=str)
    return cache_dir / "tuning" / hashlib.sha256(text.encode()).hexdigest()[:24]


@contextmanager
def owned(folder: Path) -> Iterator[Path]:
    """Hold the folder for one run at a time.

    Raises:
        TrainingError: another run, of the same command, holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise TrainingError(
                f"the same training is running already (process {file.read().strip() or 'unknown'}, {folder}); next "
                "step: wait for it, or stop it"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield folder


def remove(folder: Path) -> None:
    """Once the bundle is written."""
    shutil.rmtree(folder, ignore_errors=True)
