"""Other wordings for what a catalog calls by one name, made where there are none to learn from."""

from __future__ import annotations

import open_clip
import torch
from torch.nn import functional

GENERIC_WORDS: tuple[str, ...] = tuple(open_clip.IMAGENET_CLASSNAMES)
"""A thousand names of things, as a sample of what people say."""


MANY_TITLES = 100
"""Distinct titles from which on a catalog shows by itself how differently things are called."""


class Wordings:
    """Moves text features as far as another wording would, which a catalog with one title for each thing cannot show.

    The direction is that of a generic word against the mean of such words: what one is likely to say, not noise that
    no text has. Without this the head and the projections fit ten titles by heart, and are as sure of an unseen
    wording as of a seen one.
    """

    def __init__(self, generic: torch.Tensor, titles: int) -> None:
        """Take the features of generic words, float32 (g, width), and the number of the catalog's distinct titles."""
        self._titles = titles
        centered = generic - generic.mean(dim=0)
        self._directions = functional.normalize(centered, dim=1)

    def cosine(self, wanted: float) -> float:
        """How near to its caption a training's other wording is, where `wanted` is what few titles ask for.

        Where there are many, captions are moved half as far, as an angle: further, and products of one kind lose what
        their titles tell them apart by (figures in RESULTS.md).
        """
        return wanted if self._titles < MANY_TITLES else ((1.0 + wanted) / 2.0) ** 0.5

    def move(self, features: torch.Tensor, cosine: float, generator: torch.Generator) -> torch.Tensor:
        """(n, width) to as many of the same length, each at about the given cosine to where it was."""
        chosen = torch.randint(len(self._directions), (len(features),), generator=generator)
        lengths = features.norm(dim=1, keepdim=True)
        moved = features * cosine + self._directions[chosen] * lengths * (1.0 - cosine**2) ** 0.5
        return torch.as_tensor(functional.normalize(moved, dim=1) * lengths)
