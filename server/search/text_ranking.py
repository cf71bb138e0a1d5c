"""How a text query is ranked: by products' pictures, by what their titles mean, and by the titles' words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.stores.protocol import QueryPart
from indexer.versions.manifest import Manifest
from indexer.words.bm25 import Bm25Words
from server.search.encode import EncodedPart


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

    def of(self, part: EncodedPart) -> RankedBy:
        """What to search with for one part of a query; a picture, product or vector is compared with pictures alone."""
        picture = QueryPart(part.vector, scale=part.scale)
        if part.text is None or self._texts is None:
            return RankedBy([picture], [1.0])
        weights = self._texts.weights
        parts, chosen = [picture], [weights.get("image", 1.0)]
        if self._texts.title_dim:
            # Also where titles do not count for the order: how near a hit's title is, is evidence.
            parts.append(QueryPart(part.semantic, "title"))
            chosen.append(weights.get("title", 0.0))
        words = None if self._words is None else self._words.query(part.text)
        if words is not None:
            parts.append(QueryPart(words, "words"))
            chosen.append(weights.get("words", 0.0))
        return RankedBy(parts, chosen)
