"""What a version holds of its products' titles, and how text queries are ranked by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

from indexer.versions.layout import Part

Language = Literal[
    "arabic", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hungarian", "italian", "norwegian",
    "portuguese", "romanian", "russian", "spanish", "swedish", "tamil", "turkish", "none", "multilingual",
]  # fmt: skip
"""Whose endings are taken off words, so that "boots" finds "boot"; "none": no one's; "multilingual": no one's, and
words are also found in scripts without spaces between them (Chinese, Japanese, Thai)."""


@dataclass(frozen=True, slots=True)
class Bm25Settings:
    """How words become sparse vectors; titles and queries must be treated alike.

    Attributes:
        language: see `Language`.
        average_length: of the catalog's titles in words, above 0.
        k: how much a word's repetition counts, 0 or more.
        b: how much less a word counts in a longer title, 0..1.
    """

    language: Language = "english"
    average_length: float = 8.0
    k: float = 1.2
    b: float = 0.75

    def __post_init__(self) -> None:
        if self.language not in get_args(Language):
            raise ValueError(f"language {self.language!r}; permitted: {', '.join(get_args(Language))}")
        if not (self.average_length > 0 and self.k >= 0 and 0 <= self.b <= 1):
            raise ValueError(f"{self}; permitted: average_length above 0, k of 0 or more, b of 0 to 1")


@dataclass(frozen=True, slots=True)
class TextIndex:
    """Titles beside the pictures.

    Attributes:
        title_dim: length of the titles' embeddings; 0: none are held.
        bm25: how the titles' words were indexed; None: they were not.
        weights: of the parts that text queries are ranked by ("image", "title", "words"), 0 or more.
        asked: how many held-out queries the weights were chosen with; 0: they are the defaults.
        found: what they found with these weights and by pictures alone, each 0..1, higher is better; for people.
    """

    title_dim: int = 0
    bm25: Bm25Settings | None = None
    weights: Mapping[Part, float] = field(default_factory=lambda: {"image": 1.0})
    asked: int = 0
    found: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`; raises KeyError, TypeError or ValueError on anything else."""
        bm25 = data["bm25"]
        return cls(**{**data, "bm25": None if bm25 is None else Bm25Settings(**bm25)})
