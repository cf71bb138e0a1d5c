"""Classifiers on top of an embedding, in numpy: what the server runs for every query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from embedder.errors import BundleCorrupt

Modality = Literal["image", "text"]

WEIGHTS_FILE = "heads.safetensors"
LABELS_FILE = "labels.json"


@dataclass(frozen=True, slots=True, eq=False)
class PictureWeights:
    """A second opinion on pictures, by their index vectors.

    Attributes:
        weight: float32 (c, dim), applied to unit index vectors.
        bias: float32 (c,).
        semantic_share: factor of the logits by the semantic embedding beside it, 0 or more.
    """

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    semantic_share: float

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[:1] or not self.semantic_share >= 0:
            raise ValueError(
                f"picture weights {self.weight.shape} with bias {self.bias.shape} and semantic share "
                f"{self.semantic_share}; permitted: (c, dim), (c,), 0 or more"
            )

    def logits(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Of unit index vectors, float32 (n, dim): float32 (n, c)."""
        return np.asarray(vectors @ self.weight.T + self.bias, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class CategoryHead:
    """A linear classifier over categories with one temperature for each kind of query.

    Words are judged by their semantic embedding. So are pictures, and besides by their whole index vector where the
    head has weights for it: what a picture shows of style, texture and lines is in its instance part alone.

    Attributes:
        categories: c category paths.
        weight: float32 (c, semantic dim), applied to unit semantic embeddings.
        bias: float32 (c,).
        temperatures: divides the logits, above 0; fitted on held-out products (Guo et al., "On Calibration of Modern
            Neural Networks", 2017, section 4.2).
        picture: what is added to a picture's logits; None: nothing.
    """

    categories: tuple[str, ...]
    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    temperatures: Mapping[Modality, float]
    picture: PictureWeights | None = None

    def __post_init__(self) -> None:
        count = len(self.categories)
        if count < 1 or self.weight.shape[0] != count or self.bias.shape != (count,):
            raise ValueError(
                f"head of {count} categories with weight {self.weight.shape} and bias {self.bias.shape}; "
                "permitted: at least one category, weight (c, dim), bias (c,)"
            )
        if any(not value > 0 for value in self.temperatures.values()):
            raise ValueError(f"temperatures {dict(self.temperatures)}; permitted: above 0")
        if self.picture is not None and len(self.picture.weight) != count:
            raise ValueError(
                f"head of {count} categories with picture weights of {len(self.picture.weight)}; permitted: as many"
            )

    def logits(
        self,
        semantic: npt.NDArray[np.float32],
        modality: Modality,
        vectors: npt.NDArray[np.float32] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Calibrated logits, float32 (n, c).

        Args:
            semantic: unit semantic embeddings, float32 (n, semantic dim).
            modality: of all n.
            vectors: index vectors of pictures, float32 (n, dim); may be None for texts, and where the head has no
                picture weights.

        Raises:
            ValueError: pictures without index vectors, where the head needs them.
        """
        found = semantic @ self.weight.T + self.bias
        if self.picture is not None and modality == "image":
            if vectors is None:
                raise ValueError("pictures without index vectors; permitted: both, this head was trained on both")
            found = found * np.float32(self.picture.semantic_share) + self.picture.logits(vectors)
        return np.asarray(found / np.float32(self.temperatures[modality]), dtype=np.float32)

    def probabilities(
        self,
        semantic: npt.NDArray[np.float32],
        modality: Modality,
        vectors: npt.NDArray[np.float32] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Calibrated probabilities, float32 (n, c); see `logits`."""
        return softmax(self.logits(semantic, modality, vectors))


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Row-wise softmax of (n, c), float32."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def save_head(folder: Path, head: CategoryHead) -> None:
    """Write the head's two files into a bundle folder."""
    tensors = {"category.weight": head.weight, "category.bias": head.bias}
    labels: dict[str, Any] = {"categories": list(head.categories), "temperatures": dict(head.temperatures)}
    if head.picture is not None:
        tensors |= {"picture.weight": head.picture.weight, "picture.bias": head.picture.bias}
        labels["semantic_share"] = head.picture.semantic_share
    save_file({name: np.ascontiguousarray(values) for name, values in tensors.items()}, folder / WEIGHTS_FILE)
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
            picture=None
            if "picture.weight" not in tensors
            else PictureWeights(tensors["picture.weight"], tensors["picture.bias"], float(labels["semantic_share"])),
        )
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise BundleCorrupt(f"head of bundle {folder}: {error!r}; next step: make the bundle again") from error
