"""How a text query is ranked: by products' pictures, by what their titles mean, and by the titles' words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.index_space import IndexQuery
from indexer.stores.protocol import QueryPart
from indexer.versions.manifest import Manifest
from indexer.words.bm25 import Bm25Words


@dataclass(frozen=True, slots=True)
class RankedBy:
    """What a version is searched with.

    Attributes:
        parts: the pictures' first, which gives hits their scores.
        weights: one of each.
    """

    parts: Sequence[QueryPart]
    weights: Sequence[float]

    @property
    def is_fused(self) -> bool:
        """Whether more counts than the pictures."""
        return len(self.parts) > 1


class TextRanking:
    """As the index's manifest says; an index of an earlier release has pictures alone."""

    def __init__(self, manifest: Manifest) -> None:
        self._texts = manifest.texts
        bm25 = None if manifest.texts is None else manifest.texts.bm25
        self._words = None if bm25 is None else Bm25Words(bm25)

    def of(self, query: IndexQuery, semantic: npt.NDArray[np.float32], text: str | None) -> RankedBy:
        """What to search with; a picture, product or vector is compared with pictures alone.

        Args:
            query: what pictures are searched with.
            semantic: the query's semantic embedding, float32 (semantic dim,), unit length.
            text: what was asked in words; None for other queries.
        """
        picture = QueryPart(query.vector, scale=query.scale)
        if text is None or self._texts is None:
            return RankedBy([picture], [1.0])
        weights = self._texts.weights
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
