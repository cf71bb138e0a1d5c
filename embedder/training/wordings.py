"""Other wordings for what a catalog calls by one name, made where there are none to learn from."""

from __future__ import annotations

import open_clip
import torch
from torch.nn import functional

GENERIC_WORDS: tuple[str, ...] = tuple(open_clip.IMAGENET_CLASSNAMES)
"""A thousand names of things, as a sample of what people say."""


class Wordings:
    """Moves text features as far as another wording would, which a catalog with one title for each thing cannot show.

    The direction is that of a generic word against the mean of such words: what one is likely to say, not noise that
    no text has. Without this the head and the projections fit ten titles by heart, and are as sure of an unseen
    wording as of a seen one.
    """

    def __init__(self, generic: torch.Tensor) -> None:
        """Take the features of generic words, float32 (g, width)."""
        centered = generic - generic.mean(dim=0)
        self._directions = functional.normalize(centered, dim=1)

    def move(self, features: torch.Tensor, cosine: float, generator: torch.Generator) -> torch.Tensor:
        """(n, width) to as many of the same length, each at about the given cosine to where it was."""
        chosen = torch.randint(len(self._directions), (len(features),), generator=generator)
        lengths = features.norm(dim=1, keepdim=True)
        moved = features * cosine + self._directions[chosen] * lengths * (1.0 - cosine**2) ** 0.5
        return torch.as_tensor(functional.normalize(moved, dim=1) * lengths)
