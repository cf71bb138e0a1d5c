"""Fitting how queries' categories are judged, on the catalog that is being indexed.

Judged are products that the model was not trained on, each left out of its own neighbours: those that its training held
out, and those that came since. Where a model says nothing of what it was trained on, all products are.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.category_names import name_embeddings
from embedder.encoder import Encoder
from embedder.index_space import IndexQuery
from embedder.recognition.category_model import HeldOut, QueryModel, fit_query_model
from embedder.recognition.category_witnesses import Witnesses, known_head
from embedder.recognition.head import Modality
from embedder.recognition.neighbor_vote import NEIGHBORS, Neighbors

POOL = 20_000
"""Products kept as possible neighbours: all of a small catalog, a uniform sample of a large one."""

QUERIES = 1_000
TITLES = 300

FEWEST = 30
"""Products that the model was not trained on; where there are fewer, those that it was trained on are judged too."""

_MOST_CELLS = 4_000_000
"""Queries times categories: the witnesses' tables are held in memory."""

_log = logging.getLogger(__name__)


class CategorySample:
    """A uniform sample of the categorized products (Vitter's reservoir sampling, 1985, algorithm R), seeded."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._seen = 0
        self.ids: list[str] = []
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
                self.ids.append(product.id)
                self.categories.append(product.category)
                self.titles.append(title_of(product))
                # A copy: a view of one row would keep its whole batch in memory.
                self.vectors.append(vector.copy())
                continue
            place = int(self._random.integers(self._seen))
            if place < POOL:
                self.ids[place], self.categories[place] = product.id, product.category
                self.titles[place], self.vectors[place] = title_of(product), vector.copy()


def fit_category_models(encoder: Encoder, sample: CategorySample, categories: Sequence[str]) -> dict[str, QueryModel]:
    """How picture and text queries are judged; empty where no product has a category.

    Args:
        encoder: the model.
        sample: of the products indexed.
        categories: all of the index's, sorted.
    """
    if not sample.vectors:
        return {}
    pool = np.stack(sample.vectors)
    witnesses = Witnesses(tuple(categories), known_head(encoder.head, categories), name_embeddings(encoder, categories))
    place = {category: label for label, category in enumerate(categories)}
    labels = np.asarray([place[category] for category in sample.categories], dtype=np.intp)
    chosen = _judged(encoder, sample)
    most = max(200, _MOST_CELLS // len(categories))
    images = chosen[: min(QUERIES, most)]
    # Scores as searches give them: a picture's weighs both parts, a text has the semantic one only.
    queries = [encoder.space.query(vector) for vector in pool[images]]
    models = {"image": _fit(witnesses, "image", encoder.space.semantic_of(pool[images]), pool, labels, images, queries)}
    titled = np.asarray([row for row in chosen if sample.titles[row]][: min(TITLES, most)], dtype=np.intp)
    if len(titled):
        runs = encoder.semantic_texts([sample.titles[row] for row in titled])
        models["text"] = _fit(witnesses, "text", runs, pool, labels, titled, encoder.space.text_queries(runs))
    return models


def _judged(encoder: Encoder, sample: CategorySample) -> npt.NDArray[np.intp]:
    """Which products of the sample are judged, in a fair order."""
    order = np.random.default_rng(0).permutation(len(sample.ids))
    if encoder.seen is None:
        return order
    new = np.asarray([row for row in order if encoder.seen.status(sample.ids[row]) == "new"], dtype=np.intp)
    if len(new) >= FEWEST:
        return new
    _log.warning(
        "only %d of the sampled products were not trained on, %d are needed: categories are calibrated on all of them, "
        "which makes them look surer than they are",
        len(new),
        FEWEST,
    )
    return order


def _fit(
    witnesses: Witnesses,
    modality: Modality,
    semantic: npt.NDArray[np.float32],
    pool: npt.NDArray[np.float32],
    labels: npt.NDArray[np.intp],
    places: npt.NDArray[np.intp],
    queries: Sequence[IndexQuery],
) -> QueryModel:
    near, strange = [], []
    for place, query in zip(places, queries, strict=True):
        scores = pool @ query.vector * query.scale
        scores[place] = -np.inf
        near.append(_nearest(scores, labels))
        scores[labels == labels[place]] = -np.inf
        strange.append(_nearest(scores, labels))
    heard = witnesses.hear(semantic, pool[places] if modality == "image" else None, modality, _stacked(near))
    return fit_query_model(HeldOut(heard, labels[places], _stacked(strange)), len(witnesses.categories))


def _nearest(
    scores: npt.NDArray[np.float32], labels: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Labels and scores of the nearest, always `NEIGHBORS` of them."""
    order = np.argsort(-scores, kind="stable")[:NEIGHBORS]
    found, near = np.full(NEIGHBORS, -1), np.full(NEIGHBORS, -np.inf, dtype=np.float32)
    near[: len(order)] = scores[order]
    found[: len(order)] = np.where(np.isfinite(scores[order]), labels[order], -1)
    return found, near


def _stacked(rows: Sequence[tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]]) -> Neighbors:
    return Neighbors(np.stack([labels for labels, _ in rows]), np.stack([scores for _, scores in rows]))
