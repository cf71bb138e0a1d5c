"""Queries that a catalog answers while it is built, to see what its answers are worth.

They are products that the model was not trained on, each left out of its own answer: those that its training held out,
and those that came since. Where a model says nothing of what it was trained on, all products are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.index_space import IndexQuery
from embedder.recognition.head import Modality
from embedder.recognition.neighbor_vote import NEIGHBORS, Neighbors
from indexer.building.calibration.product_sample import ProductSample
from indexer.versions.layout import Part

DEEP = 6
"""Products far below the nearest that are looked at too: whoever pages on is told how little those are worth."""

FEWEST = 30
"""Products that the model was not trained on; where there are fewer, those that it was trained on ask too."""

TEXTS = 100
"""That a graph is asked for, at most."""

AT_ONCE = 64
"""Queries that are compared with all products of the sample at a time: one by one takes five times as long."""


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """Products found by n queries, as many of each.

    Attributes:
        places: int (n, k), nearest first, in the sample; -1 where there is no further product.
        scores: float32 (n, k), as searches give them; -inf where there is no further product.
    """

    places: npt.NDArray[np.intp]
    scores: npt.NDArray[np.float32]

    def neighbors(self, labels: npt.NDArray[np.intp]) -> Neighbors:
        """With the products' categories, of all products of the sample (m,), -1 where there is none."""
        return Neighbors(np.where(self.places >= 0, labels[self.places], -1), self.scores)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What held-out queries find.

    Attributes:
        near: the nearest products.
        strange: the nearest products of other categories than the query's.
        deep: a few products far below the nearest; as many of each query.
    """

    near: Searched
    strange: Searched
    deep: Searched


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutQueries:
    """n products of the sample that ask for others, by their picture or by their title.

    Attributes:
        modality: "image" by their main pictures, "text" by their titles.
        places: where they are in the sample, int (n,).
        semantic: unit semantic embeddings, float32 (n, semantic dim).
        indexed: index vectors of pictures, float32 (n, dim); None for texts.
        queries: what an index is searched with.
    """

    modality: Modality
    places: npt.NDArray[np.intp]
    semantic: npt.NDArray[np.float32]
    indexed: npt.NDArray[np.float32] | None
    queries: Sequence[IndexQuery]

    def __len__(self) -> int:
        return len(self.places)

    def search(self, pool: npt.NDArray[np.float32], labels: npt.NDArray[np.intp]) -> Answers:
        """What they find among the sample's products, (m, dim), themselves left out."""
        near, strange, deep = [], [], []
        # Ever sparser, down to the last.
        ranks = np.unique(np.geomspace(NEIGHBORS, max(NEIGHBORS, len(pool) - 2), DEEP).astype(np.intp))
        ranks = ranks[ranks < len(pool) - 1]
        for start in range(0, len(self), AT_ONCE):
            some = self.queries[start : start + AT_ONCE]
            block = np.stack([query.vector * np.float32(query.scale) for query in some]) @ pool.T
            for place, scores in zip(self.places[start : start + AT_ONCE], block, strict=True):
                scores[place] = -np.inf
                order = np.argsort(-scores, kind="stable")
                near.append(nearest(scores, order))
                deep.append((order[ranks], scores[order[ranks]]))
                scores[labels == labels[place]] = -np.inf
                strange.append(nearest(scores))
        return Answers(stacked(near), stacked(strange), stacked(deep, len(ranks)))


def picture_queries(encoder: Encoder, pool: npt.NDArray[np.float32], places: npt.NDArray[np.intp]) -> HeldOutQueries:
    """Products that ask by their main pictures, as they are in the sample, (m, dim)."""
    indexed = pool[places]
    # Scores as searches give them: a picture's weighs both parts, a text has the semantic one only.
    queries = [encoder.space.query(vector) for vector in indexed]
    return HeldOutQueries("image", places, encoder.space.semantic_of(indexed), indexed, queries)


def title_queries(encoder: Encoder, titles: Sequence[str], places: npt.NDArray[np.intp]) -> HeldOutQueries:
    """Products that ask by their titles, n of them."""
    semantic = encoder.semantic_texts(titles)
    return HeldOutQueries("text", places, semantic, None, encoder.space.text_queries(semantic))


def partial_titles(
    sample: ProductSample, places: Iterable[int], most: int, random: np.random.Generator
) -> tuple[list[str], list[int]]:
    """Titles with a word left out, as far as they have several, and whose they are; at most so many."""
    texts: list[str] = []
    owners: list[int] = []
    for place in places:
        words = sample.titles[place].split()
        if words and len(texts) < most:
            if len(words) > 1:
                del words[int(random.integers(len(words)))]
            texts.append(" ".join(words))
            owners.append(place)
    return texts, owners


def held_out_for_graph(
    encoder: Encoder, sample: ProductSample, views: Mapping[str, npt.NDArray[np.float32]]
) -> dict[Part, dict[str, npt.NDArray[np.float32]]]:
    """Queries that are no products of the index, to compare its graph with exact search.

    Args:
        encoder: the model.
        sample: of the products that were indexed.
        views: index vectors of views of products' pictures, float32 (dim,); may be none.

    Returns:
        By vector that they are compared with and kind, unit vectors float32 (n, dim): "pictures", "texts".
    """
    shown = np.stack(list(views.values())) if views else np.empty((0, encoder.dim), dtype=np.float32)
    pictures, _ = encoder.space.queries(shown)
    found: dict[Part, dict[str, npt.NDArray[np.float32]]] = {"image": {"pictures": pictures}}
    # The texts that its ranking was chosen by: they are in the cache.
    places = held_out_places(encoder, sample)
    texts, _ = partial_titles(sample, places.tolist(), TEXTS, np.random.default_rng(0))
    if texts:
        semantic = encoder.semantic_texts(texts)
        found["image"]["texts"] = np.stack([query.vector for query in encoder.space.text_queries(semantic)])
        found["title"] = {"texts": semantic}
    return found


def held_out_places(encoder: Encoder, sample: ProductSample) -> npt.NDArray[np.intp]:
    """Which products of the sample may ask, in an order of which every prefix is a fair sample.

    Where the model was not trained on too few of them, all of them may (see `FEWEST`).
    """
    order = np.random.default_rng(0).permutation(len(sample))
    if encoder.seen is None:
        return order
    new = np.asarray([row for row in order if encoder.seen.status(sample.ids[row]) == "new"], dtype=np.intp)
    return new if len(new) >= FEWEST else order


def best_places(scores: npt.NDArray[np.float32], count: int, above: float = -np.inf) -> npt.NDArray[np.intp]:
    """Places of the `count` highest scores over `above`, highest first, ties by place; fewer where no more are."""
    places = np.flatnonzero(scores > above)
    if len(places) > count:
        # A partition takes a tenth of the time of sorting them all.
        least = np.partition(scores[places], len(places) - count)[len(places) - count]
        places = places[scores[places] >= least]
    return places[np.argsort(-scores[places], kind="stable")][:count]


def nearest(
    scores: npt.NDArray[np.float32], order: npt.NDArray[np.intp] | None = None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Places and scores of the nearest, always `NEIGHBORS` of them; products with a score of -inf are not there.

    Args:
        scores: of all products, float32 (m,).
        order: of their places, highest score first, where that is known.
    """
    order = best_places(scores, NEIGHBORS) if order is None else order[:NEIGHBORS]
    places, near = np.full(NEIGHBORS, -1, dtype=np.intp), np.full(NEIGHBORS, -np.inf, dtype=np.float32)
    near[: len(order)] = scores[order]
    places[: len(order)] = np.where(np.isfinite(scores[order]), order, -1)
    return places, near


def stacked(rows: Sequence[tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]], width: int = NEIGHBORS) -> Searched:
    """Places and scores found by n queries, `width` of each."""
    if not rows:
        return Searched(np.empty((0, width), dtype=np.intp), np.empty((0, width), dtype=np.float32))
    return Searched(np.stack([places for places, _ in rows]), np.stack([scores for _, scores in rows]))
