"""The instance part of an embedding: levels of the image tower through one linear map, and its file in a bundle.

Source of the map: Radenović, Tolias, Chum, "Fine-tuning CNN Image Retrieval with No Human Annotation", 2018, section
3.3 (learned whitening); of the pooling that gives the levels: section 3.1 there (GeM).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from embedder.errors import BundleCorrupt
from embedder.index_space import IndexSpace

INSTANCE_FILE = "instance.safetensors"

LEAST_LENGTH = 1e-9
"""A centered level that is shorter counts as this long."""


@dataclass(frozen=True, slots=True, eq=False)
class InstanceMap:
    """From pooled levels to unit vectors.

    Attributes:
        widths: length of each level; a row of levels holds one after the other.
        center: float32 (sum of widths,), subtracted first; each level is then scaled to length 1.
        weight: float32 (dim, sum of widths).
        offset: float32 (dim,), added after the map; the sum is scaled to length 1.
    """

    widths: tuple[int, ...]
    center: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    offset: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        total = sum(self.widths)
        if min(self.widths, default=0) < 1 or self.center.shape != (total,) or self.weight.shape[1:] != (total,):
            raise ValueError(
                f"levels {self.widths} with center {self.center.shape} and map {self.weight.shape}; permitted: widths "
                f"of 1 or more, ({total},) and (dim, {total})"
            )
        if self.offset.shape != self.weight.shape[:1]:
            raise ValueError(f"offset {self.offset.shape}; permitted: {self.weight.shape[:1]}")

    @property
    def dim(self) -> int:
        """Length of the instance part."""
        return len(self.weight)

    def apply(self, levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Levels (n, sum of widths) to unit vectors, float32 (n, dim)."""
        mapped = standardize_levels(levels, self.widths, self.center) @ self.weight.T + self.offset
        lengths = np.linalg.norm(mapped, axis=1, keepdims=True)
        return np.asarray(mapped / np.maximum(lengths, 1e-12), dtype=np.float32)


def standardize_levels(
    levels: npt.NDArray[np.float32], widths: tuple[int, ...], center: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Center levels (n, sum of widths) and scale each to length 1: no level outweighs another by its activations."""
    centered = levels.astype(np.float32) - center
    start = 0
    for width in widths:
        level = centered[:, start : start + width]
        level /= np.maximum(np.linalg.norm(level, axis=1, keepdims=True), LEAST_LENGTH)
        start += width
    return centered


def level_indicator(widths: Sequence[int]) -> npt.NDArray[np.float32]:
    """float32 (sum of widths, levels): 1 where a value belongs to a level, else 0."""
    return np.repeat(np.eye(len(widths), dtype=np.float32), widths, axis=0)


def save_instance(folder: Path, instance: InstanceMap, kept: npt.NDArray[np.float32] | None) -> None:
    """Write a bundle's file: the map, and what the index keeps of the semantic part (see `IndexSpace.kept`)."""
    tensors = {
        "levels.widths": np.asarray(instance.widths, dtype=np.int64),
        "levels.center": instance.center,
        "map.weight": np.ascontiguousarray(instance.weight),
        "map.offset": instance.offset,
    }
    if kept is not None:
        tensors["semantic.kept"] = np.ascontiguousarray(kept)
    save_file(tensors, folder / INSTANCE_FILE)


def load_instance(folder: Path) -> InstanceMap | None:
    """Read a bundle's instance map; None where it has none.

    Raises:
        BundleCorrupt: a file that cannot be used.
    """
    if not (folder / INSTANCE_FILE).exists():
        return None
    tensors = _load(folder)
    try:
        return InstanceMap(
            widths=tuple(int(width) for width in tensors["levels.widths"]),
            center=tensors["levels.center"],
            weight=tensors["map.weight"],
            offset=tensors["map.offset"],
        )
    except (KeyError, ValueError, TypeError) as error:
        raise _corrupt(folder, error) from error


def load_space(folder: Path, semantic_dim: int, instance_weight: float) -> IndexSpace:
    """How a bundle's index vectors are made; without an instance part they are the semantic embeddings.

    Raises:
        BundleCorrupt: a file that cannot be used.
    """
    if not (folder / INSTANCE_FILE).exists():
        return IndexSpace(semantic_dim)
    tensors = _load(folder)
    try:
        return IndexSpace(semantic_dim, tensors.get("semantic.kept"), len(tensors["map.weight"]), instance_weight)
    except (KeyError, ValueError, TypeError) as error:
        raise _corrupt(folder, error) from error


def _load(folder: Path) -> dict[str, npt.NDArray[np.float32]]:
    try:
        return dict(load_file(folder / INSTANCE_FILE))
    except (OSError, ValueError, SafetensorError) as error:
        raise _corrupt(folder, error) from error


def _corrupt(folder: Path, error: Exception) -> BundleCorrupt:
    return BundleCorrupt(f"{INSTANCE_FILE} of bundle {folder}: {error!r}; next step: make the bundle again")
