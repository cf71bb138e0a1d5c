"""Checkpoints of tuning: tensors and numbers in one file, replaced as a whole or not at all, never unpickled."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A state to go on from.

    Attributes:
        step: how many steps are done.
        tensors: by name.
        numbers: JSON-able values by name.
    """

    step: int
    tensors: Mapping[str, torch.Tensor]
    numbers: Mapping[str, Any]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> bool:
    """Write it in the last one's place, which stays until the new one is whole and on the disk.

    Returns:
        Whether that went well. A full disk is no reason to lose a training: it goes on, and a warning says that the
        last good checkpoint is older.
    """
    temporary = path.with_name(f".{path.name}.new")
    metadata = {"step": str(checkpoint.step), "numbers": json.dumps(checkpoint.numbers)}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    try:
        save_file(tensors, temporary, metadata=metadata)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        _log.warning(
            "checkpoint %s could not be written after step %d (%s); training goes on, the last good one is kept; next "
            "step: free space there",
            path,
            checkpoint.step,
            error,
        )
        return False
    return True


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Read one; None where there is none, or none that can be read (a warning says so)."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Checkpoint(int(metadata["step"]), tensors, json.loads(metadata["numbers"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        _log.warning("checkpoint %s cannot be read (%s); training begins anew", path, error)
        return None
