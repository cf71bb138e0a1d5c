"""Attributes of what is shown or named: colour, pattern, material, and whatever else a catalog's columns hold.

Each attribute is judged by itself, and each says by itself when it does not know. Pictures are judged by a linear
classifier on the image tower's levels and the colours of their pixels where the catalog has labels to learn from, by
the names of the values where only these are known, and by their colours alone where not even that is. Texts are judged
by what they say and by what they mean (`value_names`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from embedder.instance_map import standardize_levels
from embedder.recognition.head import Modality, softmax
from embedder.recognition.palette import NAMES, named_shares
from embedder.recognition.value_names import ValueNames

AttributeMethod = Literal["head", "names", "pixels"]
"""How pictures are judged: by a trained classifier, by the values' names alone, by the colours of their pixels."""

MAX_ERROR = 0.1
"""Share of an attribute's sure answers that may be wrong."""

GROUND = 4
"""The last values of a picture's colours, which are of the ground behind it and no shares."""

MAX_VALUES = 200
"""Of one attribute; of more, the most frequent are told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureClassifier:
    """A linear classifier on what is seen of a picture (see `picture_inputs`).

    Attributes:
        weight: float32 (v, inputs).
        bias: float32 (v,).
    """

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[:1]:
            raise ValueError(f"weight {self.weight.shape}, bias {self.bias.shape}; permitted: (v, inputs), (v,)")


@dataclass(frozen=True, slots=True, eq=False)
class NameWeights:
    """How cosines of a picture and the values' names become logits.

    Attributes:
        center: float32 (v,), the mean cosine over the catalog's pictures, subtracted: some words are near to every
            picture.
        scale: factor, above 0.
    """

    center: npt.NDArray[np.float32]
    scale: float

    def __post_init__(self) -> None:
        if self.center.ndim != 1 or not self.scale > 0:
            raise ValueError(f"center {self.center.shape}, scale {self.scale}; permitted: (v,), above 0")


@dataclass(frozen=True, slots=True, eq=False)
class AttributeModel:
    """How one attribute is judged.

    Attributes:
        name: as the catalog calls it.
        names: the values, and how a text names them.
        pictures: what judges a picture; None: the colours of its pixels, as `names.values` has them.
        least_sure: from which probability on an answer is one, 0..1, by kind of query: at most `MAX_ERROR` of the
            answers about held-out products were wrong. Where too few prove that of any threshold it is 1 - `MAX_ERROR`.
        is_calibrated: whether pictures' probabilities were fitted on labelled products of the catalog.
    """

    name: str
    names: ValueNames
    pictures: PictureClassifier | NameWeights | None
    least_sure: dict[Modality, float]
    is_calibrated: bool

    def __post_init__(self) -> None:
        count = len(self.names.values)
        if isinstance(self.pictures, PictureClassifier):
            given = len(self.pictures.bias)
        elif isinstance(self.pictures, NameWeights):
            given = len(self.pictures.center)
        else:
            given = len(NAMES)
        if given != count:
            raise ValueError(f"attribute {self.name!r} of {count} values with weights of {given}; permitted: as many")
        if set(self.least_sure) != {"image", "text"} or not all(0 <= value <= 1 for value in self.least_sure.values()):
            raise ValueError(
                f"attribute {self.name!r}: least_sure {self.least_sure}; permitted: image and text, 0 to 1"
            )

    @property
    def values(self) -> tuple[str, ...]:
        """V of them, as the catalog spells them most often."""
        return self.names.values

    @property
    def method(self) -> AttributeMethod:
        """How pictures are judged."""
        if self.pictures is None:
            return "pixels"
        return "head" if isinstance(self.pictures, PictureClassifier) else "names"


@dataclass(frozen=True, slots=True, eq=False)
class SeenPictures:
    """What is known of n pictures.

    Attributes:
        semantic: unit semantic embeddings, float32 (n, semantic dim).
        levels: float32 (n, sum of widths); None where the tower gives none.
        colors: of their pixels, float32 (n, palette and ground) (see `inputs.product_colors`).
    """

    semantic: npt.NDArray[np.float32]
    levels: npt.NDArray[np.float32] | None
    colors: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Attributes:
    """All attributes of one model.

    Attributes:
        models: in the order of the catalog's columns; no two of one name.
        widths: length of each level of the image tower; empty where it gives none.
        center: float32 (sum of widths,), subtracted from levels (see `standardize_levels`).
    """

    models: tuple[AttributeModel, ...]
    widths: tuple[int, ...]
    center: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        names = [model.name for model in self.models]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"attributes {names}; permitted: at least one, no two alike")
        if self.center.shape != (sum(self.widths),):
            raise ValueError(f"levels {self.widths} with center {self.center.shape}; permitted: one value for each")

    def judge_pictures(self, seen: SeenPictures) -> dict[str, npt.NDArray[np.float32]]:
        """Probabilities of each attribute's values, float32 (n, v), by the attribute's name."""
        found: dict[str, npt.NDArray[np.float32]] = {}
        inputs = None
        for model in self.models:
            match model.pictures:
                case PictureClassifier(weight, bias):
                    if inputs is None:
                        inputs = picture_inputs(seen.levels, seen.colors, self.widths, self.center)
                    found[model.name] = softmax(inputs @ weight.T + bias)
                case NameWeights(center, scale):
                    cosines = seen.semantic @ model.names.embeddings.T
                    found[model.name] = softmax((cosines - center) * np.float32(scale))
                case None:
                    found[model.name] = named_shares(seen.colors[:, :-GROUND])
        return found

    def judge_texts(
        self, texts: Sequence[str], semantic: npt.NDArray[np.float32]
    ) -> dict[str, npt.NDArray[np.float32]]:
        """The same of n texts with their unit semantic embeddings, float32 (n, semantic dim)."""
        return {model.name: model.names.probabilities(texts, semantic) for model in self.models}


def picture_inputs(
    levels: npt.NDArray[np.floating] | None,
    colors: npt.NDArray[np.floating],
    widths: tuple[int, ...],
    center: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """What classifiers of attributes are applied to, float32 (n, sum of widths + colours).

    Levels, each of them centered and of length 1; the roots of the palette's shares, of length 1 as well; the ground.

    Args:
        levels: (n, sum of widths); None where `widths` is empty.
        colors: (n, palette and ground).
        widths, center: see `Attributes`.

    Raises:
        ValueError: no levels, where there should be some.
    """
    parts = [np.sqrt(colors[:, :-GROUND]), colors[:, -GROUND:]]
    if widths:
        if levels is None:
            raise ValueError("pictures without levels; permitted: with, these classifiers were trained on them")
        parts.insert(0, standardize_levels(np.asarray(levels, dtype=np.float32), widths, center))
    return np.concatenate(parts, axis=1, dtype=np.float32)
