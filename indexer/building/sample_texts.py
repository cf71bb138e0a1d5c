"""Text queries among a sample of the products, ranked as the engines rank them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from indexer.building.product_sample import ProductSample
from indexer.stores.points import FUSED_FROM, FUSION_K
from indexer.versions.layout import Part
from indexer.words.bm25 import Bm25Words
from indexer.words.postings import WordPostings
from indexer.words.text_index import TextIndex


@dataclass(frozen=True, slots=True, eq=False)
class PartScores:
    """What a text query scores with each of m products.

    Attributes:
        scores: by part, float32 (m,); of pictures and titles cosines, of words BM25; -inf where a product has no title,
            0 where it has none of the words.
    """

    scores: Mapping[Part, npt.NDArray[np.float32]]

    def lists(self, left_out: int | None = None) -> dict[Part, npt.NDArray[np.intp]]:
        """Places of the best products by each part, best first, at most `FUSED_FROM`; one place may be left out."""
        found = {}
        for part, scores in self.scores.items():
            order = np.argsort(-scores, kind="stable")[: FUSED_FROM + 1]
            there = scores[order] > (0.0 if part == "words" else -np.inf)
            found[part] = order[there & (order != (-1 if left_out is None else left_out))][:FUSED_FROM]
        return found


def fuse(lists: Mapping[Part, npt.NDArray[np.intp]], weights: Mapping[Part, float]) -> npt.NDArray[np.intp]:
    """Places of products in the order that the engines' weighted reciprocal rank fusion gives.

    Args:
        lists: places by part, best first.
        weights: of the parts; 0 or absent: it does not count.
    """
    gains: dict[int, float] = {}
    for part, places in lists.items():
        weight = weights.get(part, 0.0)
        if weight > 0:
            for rank, place in enumerate(places.tolist()):
                gains[place] = gains.get(place, 0.0) + 1 / ((rank + 1) / weight + FUSION_K - 1)
    return np.asarray(sorted(gains, key=lambda place: (-gains[place], place)), dtype=np.intp)


class SampleTexts:
    """Text search among the sample's products."""

    def __init__(self, encoder: Encoder, sample: ProductSample, texts: TextIndex) -> None:
        self._encoder = encoder
        self._pool = np.stack(sample.vectors)
        self._titles = np.stack(sample.title_vectors) if sample.title_vectors else None
        self._words = None if texts.bm25 is None else Bm25Words(texts.bm25)
        self._postings = None
        if self._words is not None:
            self._postings = WordPostings([self._words.title(text) for text in sample.spoken])

    def titles(self, semantic: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
        """Cosines of a text, (semantic dim,), and the products' titles, float32 (m,), -inf where there is none.

        None where the version holds no titles' embeddings.
        """
        if self._titles is None:
            return None
        return np.asarray(np.where(self._titles.any(axis=1), self._titles @ semantic, -np.inf), dtype=np.float32)

    def search(self, texts: Sequence[str], semantic: npt.NDArray[np.float32]) -> list[PartScores]:
        """What n texts score, with their unit embeddings, float32 (n, semantic dim)."""
        found = []
        for text, embedding, query in zip(texts, semantic, self._encoder.space.text_queries(semantic), strict=True):
            scores: dict[Part, npt.NDArray[np.float32]] = {"image": self._pool @ query.vector}
            cosines = self.titles(embedding)
            if cosines is not None:
                scores["title"] = cosines
            if self._words is not None and self._postings is not None:
                scores["words"] = self._postings.scores(self._words.query(text))
            found.append(PartScores(scores))
        return found
