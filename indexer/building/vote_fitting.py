"""Calibrating the neighbours' vote on the catalog that is being indexed, each product left out of its own vote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.encoder import Encoder
from embedder.index_space import IndexQuery
from embedder.recognition.neighbor_vote import NEIGHBORS, Held, NeighborVote, fit_vote

POOL = 20_000
"""Products kept as possible neighbours: all of a small catalog, a uniform sample of a large one."""

QUERIES = 500
TITLES = 200


class VoteSample:
    """A uniform sample of the categorized products (Vitter's reservoir sampling, 1985, algorithm R), seeded."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._seen = 0
        self.categories: list[str] = []
        self.titles: list[str] = []
        self.vectors: list[npt.NDArray[np.float32]] = []

    def add(self, products: Sequence[Product], vectors: npt.NDArray[np.float32]) -> None:
        """Add products with their unit vectors, float32 (n, dim)."""
        for product, vector in zip(products, vectors, strict=True):
            if product.category is None:
                continue
            self._seen += 1
            if len(self.vectors) < POOL:
                self.categories.append(product.category)
                self.titles.append(title_of(product))
                # A copy: a view of one row would keep its whole batch in memory.
                self.vectors.append(vector.copy())
                continue
            place = int(self._random.integers(self._seen))
            if place < POOL:
                self.categories[place], self.titles[place] = product.category, title_of(product)
                self.vectors[place] = vector.copy()


def fit_votes(encoder: Encoder, sample: VoteSample) -> dict[str, NeighborVote]:
    """Votes for picture and text queries; none where the model's own head knows all of the catalog's categories."""
    known = set(encoder.head.categories) if encoder.head is not None else set()
    if not sample.vectors or known >= set(sample.categories):
        return {}
    pool = np.stack(sample.vectors)
    chosen = np.random.default_rng(0).permutation(len(pool))
    images = chosen[:QUERIES]
    titled = [int(place) for place in chosen if sample.titles[place]][:TITLES]
    # Scores as searches give them: a picture's weighs both parts, a text has the semantic one only.
    votes = {"image": fit_vote(_held(sample, pool, images, [encoder.space.query(vector) for vector in pool[images]]))}
    if titled:
        queries = encoder.text_queries([sample.titles[place] for place in titled])
        votes["text"] = fit_vote(_held(sample, pool, np.asarray(titled), queries))
    return votes


def _held(
    sample: VoteSample,
    pool: npt.NDArray[np.float32],
    places: npt.NDArray[np.intp],
    queries: Sequence[IndexQuery],
) -> list[Held]:
    held = []
    for place, query in zip(places, queries, strict=True):
        scores = pool @ query.vector * query.scale
        scores[place] = -np.inf
        nearest = np.argsort(-scores, kind="stable")[: min(NEIGHBORS, len(pool) - 1)]
        held.append(
            Held(
                sample.categories[place],
                tuple(sample.categories[near] for near in nearest),
                tuple(float(scores[near]) for near in nearest),
            )
        )
    return held
