"""Classifiers on top of an embedding, in numpy: what the server runs for every query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from embedder.errors import BundleCorrupt

Modality = Literal["image", "text"]

WEIGHTS_FILE = "heads.safetensors"
LABELS_FILE = "labels.json"


@dataclass(frozen=True, slots=True, eq=False)
class CategoryHead:
    """A linear classifier over categories with one temperature for each kind of query.

    Attributes:
        categories: c category paths.
        weight: float32 (c, dim), applied to unit embeddings.
        bias: float32 (c,).
        temperatures: divides the logits, above 0; fitted on held-out products (Guo et al., "On Calibration of Modern
            Neural Networks", 2017, section 4.2).
    """

    categories: tuple[str, ...]
    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    temperatures: Mapping[Modality, float]

    def __post_init__(self) -> None:
        count = len(self.categories)
        if count < 1 or self.weight.shape[0] != count or self.bias.shape != (count,):
            raise ValueError(
                f"head of {count} categories with weight {self.weight.shape} and bias {self.bias.shape}; "
                "permitted: at least one category, weight (c, dim), bias (c,)"
            )
        if any(not value > 0 for value in self.temperatures.values()):
            raise ValueError(f"temperatures {dict(self.temperatures)}; permitted: above 0")

    def probabilities(self, embeddings: npt.NDArray[np.float32], modality: Modality) -> npt.NDArray[np.float32]:
        """Calibrated probabilities, float32 (n, c), of unit embeddings (n, dim)."""
        logits = (embeddings @ self.weight.T + self.bias) / self.temperatures[modality]
        return softmax(logits)


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Row-wise softmax of (n, c), float32."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def save_head(folder: Path, head: CategoryHead) -> None:
    """Write the head's two files into a bundle folder."""
    save_file({"category.weight": head.weight, "category.bias": head.bias}, folder / WEIGHTS_FILE)
    labels = {"categories": list(head.categories), "temperatures": dict(head.temperatures)}
    (folder / LABELS_FILE).write_text(json.dumps(labels, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_head(folder: Path) -> CategoryHead | None:
    """Read a bundle's head; None where it has none.

    Raises:
        BundleCorrupt: files that do not belong together.
    """
    if not (folder / WEIGHTS_FILE).exists():
        return None
    try:
        tensors = load_file(folder / WEIGHTS_FILE)
        labels = json.loads((folder / LABELS_FILE).read_text(encoding="utf-8"))
        return CategoryHead(
            categories=tuple(labels["categories"]),
            weight=tensors["category.weight"],
            bias=tensors["category.bias"],
            temperatures={"image": labels["temperatures"]["image"], "text": labels["temperatures"]["text"]},
        )
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise BundleCorrupt(f"head of bundle {folder}: {error!r}; next step: make the bundle again") from error
