"""Which vectors a version holds of each product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["image", "title", "words"]
"""What of a product a query is compared with: its pictures, its title's embedding, its title's words."""


@dataclass(frozen=True, slots=True)
class VectorLayout:
    """The vectors of a version's products.

    Attributes:
        dim: length of a picture's vector.
        multivector: whether a product may have a vector for each of several pictures, or has exactly one.
        title_dim: length of a title's embedding; 0: none are held.
        has_words: whether sparse vectors of the titles' words are held.
    """

    dim: int
    multivector: bool = False
    title_dim: int = 0
    has_words: bool = False

    @property
    def held(self) -> tuple[Part, ...]:
        """What queries can be compared with."""
        parts: list[Part] = ["image"]
        if self.title_dim:
            parts.append("title")
        if self.has_words:
            parts.append("words")
        return tuple(parts)

    @property
    def values(self) -> int:
        """Numbers in the dense vectors of a product with one picture."""
        return self.dim + self.title_dim
