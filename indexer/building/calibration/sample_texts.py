"""Text queries among a sample of the products, ranked as the engines rank them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from indexer.building.calibration.held_out_queries import AT_ONCE, best_places
from indexer.building.calibration.product_sample import ProductSample
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
            order = best_places(scores, FUSED_FROM + 1, above=0.0 if part == "words" else -np.inf)
            found[part] = order[order != (-1 if left_out is None else left_out)][:FUSED_FROM]
        return found


def fuse(lists: Mapping[Part, npt.NDArray[np.intp]], weights: Mapping[Part, float]) -> npt.NDArray[np.intp]:
    """Places of products in the order that the engines' weighted reciprocal rank fusion gives.

    Args:
        lists: places by part, best first.
        weights: of the parts; 0 or absent: it does not count.
    """
    counted = [(places, weights[part]) for part, places in lists.items() if weights.get(part, 0.0) > 0]
    if not counted:
        return np.empty(0, dtype=np.intp)
    gains = [1 / (np.arange(1, len(places) + 1) / weight + FUSION_K - 1) for places, weight in counted]
    found, which = np.unique(np.concatenate([places for places, _ in counted]), return_inverse=True)
    total = np.bincount(which, np.concatenate(gains), minlength=len(found))
    return np.asarray(found[np.argsort(-total, kind="stable")], dtype=np.intp)


class SampleTexts:
    """Text search among the sample's products."""

    def __init__(self, encoder: Encoder, sample: ProductSample, texts: TextIndex) -> None:
        self._encoder = encoder
        self._pool = np.stack(sample.vectors)
        self._titles = np.stack(sample.title_vectors) if sample.title_vectors else None
        self._titled: npt.NDArray[np.bool_] | None = None
        if self._titles is not None:
            self._titled = np.asarray(self._titles.any(axis=1))
        self._words = None if texts.bm25 is None else Bm25Words(texts.bm25)
        self._postings = None
        if self._words is not None:
            self._postings = WordPostings([self._words.title(text) for text in sample.spoken])

    def titles_at(
        self, semantic: npt.NDArray[np.float32], places: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.float64] | None:
        """Cosines of n texts, float32 (n, semantic dim), and the titles of k products each, float (n, k).

        NaN where a product has no title, or a place is -1; None where the version holds no titles' embeddings.
        """
        if self._titles is None or self._titled is None:
            return None
        found = np.full(places.shape, np.nan)
        for row, (embedding, asked) in enumerate(zip(semantic, np.maximum(places, 0), strict=True)):
            there = self._titled[asked] & (places[row] >= 0)
            found[row, there] = self._titles[asked[there]] @ embedding
        return found

    def search(self, texts: Sequence[str], semantic: npt.NDArray[np.float32]) -> list[PartScores]:
        """What n texts score, with their unit embeddings, float32 (n, semantic dim)."""
        found = []
        vectors = (
            np.stack([query.vector for query in self._encoder.space.text_queries(semantic)]) if texts else semantic
        )
        for start in range(0, len(texts), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            pictures = vectors[some] @ self._pool.T
            titles = None if self._titles is None else semantic[some] @ self._titles.T
            for row, text in enumerate(texts[some]):
                scores: dict[Part, npt.NDArray[np.float32]] = {"image": pictures[row]}
                if titles is not None and self._titled is not None:
                    scores["title"] = np.where(self._titled, titles[row], np.float32(-np.inf))
                if self._words is not None and self._postings is not None:
                    scores["words"] = self._postings.scores(self._words.query(text))
                found.append(PartScores(scores))
        return found
