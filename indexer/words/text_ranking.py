"""How a text query is ranked: by products' pictures, by what their titles mean, and by the titles' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from embedder.index_space import IndexQuery
from indexer.stores.protocol import QueryPart
from indexer.versions.manifest import Manifest
from indexer.words.bm25 import Bm25Words

RankingMode = Literal["hybrid", "pictures", "words"]
"""By what a text's hits are ranked: all that the manifest says, pictures alone, or titles' words alone."""

_WEIGHTS: Mapping[RankingMode, Mapping[str, float]] = {
    "pictures": {"image": 1.0, "title": 0.0, "words": 0.0},
    "words": {"image": 0.0, "title": 0.0, "words": 1.0},
}


@dataclass(frozen=True, slots=True)
class RankedBy:
    """What a version is searched with.

    Attributes:
        parts: the pictures' first, which gives hits their scores.
        weights: one of each; all 0: nothing is found, since the text has no words to be ranked by.
    """

    parts: Sequence[QueryPart]
    weights: Sequence[float]

    @property
    def is_fused(self) -> bool:
        """Whether more counts than the pictures."""
        return len(self.parts) > 1

    @property
    def finds(self) -> bool:
        """Whether there is anything to rank by."""
        return any(weight > 0 for weight in self.weights)


class TextRanking:
    """As the index's manifest says; an index of an earlier release has pictures alone."""

    def __init__(self, manifest: Manifest) -> None:
        self._texts = manifest.texts
        bm25 = None if manifest.texts is None else manifest.texts.bm25
        self._words = None if bm25 is None else Bm25Words(bm25)

    @property
    def has_words(self) -> bool:
        """Whether the index holds titles' words."""
        return self._words is not None

    def of(
        self,
        query: IndexQuery,
        semantic: npt.NDArray[np.float32],
        text: str | None,
        mode: RankingMode = "hybrid",
    ) -> RankedBy:
        """What to search with; a picture, product or vector is compared with pictures alone.

        Args:
            query: what pictures are searched with.
            semantic: the query's semantic embedding, float32 (semantic dim,), unit length.
            text: what was asked in words; None for other queries.
            mode: by what a text's hits are ranked; "words" only where the index `has_words`.
        """
        picture = QueryPart(query.vector, scale=query.scale)
        if text is None or self._texts is None:
            return RankedBy([picture], [1.0])
        weights = _WEIGHTS.get(mode, self._texts.weights)
        parts, chosen = [picture], [weights.get("image", 1.0)]
        if self._texts.title_dim:
            # Also where titles do not count for the order: how near a hit's title is, is evidence.
            parts.append(QueryPart(semantic, "title"))
            chosen.append(weights.get("title", 0.0))
        words = None if self._words is None else self._words.query(text)
        if words is not None:
            parts.append(QueryPart(words, "words"))
            chosen.append(weights.get("words", 0.0))
        return RankedBy(parts, chosen)
