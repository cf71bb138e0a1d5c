"""How much the instance part counts in a picture query: chosen on validation products, never on test ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WEIGHTS = tuple(round(0.05 * step, 2) for step in range(21))
DEFAULT_WEIGHT = 0.7
"""Where there are no validation products to choose on."""

TOLERANCE = 0.005
"""Share of the ten nearest with the query's category that finding the very product may cost, at least."""

_BLOCK = 512
_DEPTH = 10


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Pictures as both parts see them.

    Attributes:
        product_ids, categories: of n pictures; the category is None where there is none.
        semantic, instance: unit, float32 (n, either length).
    """

    product_ids: Sequence[str]
    categories: Sequence[str | None]
    semantic: npt.NDArray[np.float32]
    instance: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WeightFigures:
    """What one weight gives.

    Attributes:
        weight: of the instance part, 0..1.
        recall_at_1: share of the views whose nearest picture is their own product's.
        category_share_at_10: mean share of the ten nearest other products with a picture's own category; None where
            there are no categories.
        share_error: standard error of the difference between that share and the semantic part's alone.
    """

    weight: float
    recall_at_1: float
    category_share_at_10: float | None
    share_error: float


def fit_instance_weight(views: Parts, pictures: Parts, gallery: Parts) -> tuple[float, tuple[WeightFigures, ...]]:
    """The weight that finds most products by their views, at no loss of category that is more than chance.

    Args:
        views: of validation products, as a photo would show them.
        pictures: of validation products as they are; each searches for its kind.
        gallery: main pictures, those of the validation products among them; a product never finds itself.

    Returns:
        The weight, and the figures of all weights tried; `DEFAULT_WEIGHT` and none where there is nothing to try on.
    """
    if not len(views.product_ids) or len(gallery.product_ids) < 2:
        return DEFAULT_WEIGHT, ()
    hits = _own_first(views, gallery)
    shares = _category_shares(pictures, gallery)
    figures = []
    for column, weight in enumerate(WEIGHTS):
        share, error = None, 0.0
        if len(shares):
            share = float(shares[:, column].mean())
            error = float((shares[:, column] - shares[:, 0]).std()) / max(1, len(shares)) ** 0.5
        figures.append(WeightFigures(weight, float(hits[:, column].mean()), share, error))
    return choose_weight(figures), tuple(figures)


def choose_weight(figures: Sequence[WeightFigures]) -> float:
    """Among the weights that keep the semantic part's category share, the one with the best recall; ties: the middle.

    A share is kept where it is less than `TOLERANCE`, or than its standard error, below the semantic part's alone.
    """
    alone = figures[0].category_share_at_10
    kept = [
        item
        for item in figures
        if alone is None
        or item.category_share_at_10 is None
        or item.category_share_at_10 >= alone - max(TOLERANCE, item.share_error)
    ]
    best = max(item.recall_at_1 for item in kept)
    equal = [item.weight for item in kept if item.recall_at_1 >= best - 1e-9]
    return equal[len(equal) // 2]


def _own_first(views: Parts, gallery: Parts) -> npt.NDArray[np.bool_]:
    """Bool (views, weights): whether the nearest picture is one of the view's own product."""
    owners = np.asarray(gallery.product_ids, dtype=object)
    found = np.zeros((len(views.product_ids), len(WEIGHTS)), dtype=bool)
    for start in range(0, len(found), _BLOCK):
        rows = slice(start, start + _BLOCK)
        own = np.asarray(views.product_ids[rows], dtype=object)
        for column, scores in enumerate(_scores(views, gallery, rows)):
            found[rows, column] = owners[scores.argmax(axis=1)] == own
    return found


def _category_shares(pictures: Parts, gallery: Parts) -> npt.NDArray[np.float64]:
    """(pictures with a category, weights): share of the nearest that are of the same category."""
    known = [row for row, category in enumerate(pictures.categories) if category]
    categories = np.asarray(gallery.categories, dtype=object)
    owners = np.asarray(gallery.product_ids, dtype=object)
    depth = min(_DEPTH, len(owners) - 1)
    shares = np.zeros((len(known), len(WEIGHTS)))
    for start in range(0, len(known), _BLOCK):
        block = np.asarray(known[start : start + _BLOCK])
        own = np.asarray([pictures.product_ids[row] for row in block], dtype=object)
        wanted = np.asarray([pictures.categories[row] for row in block], dtype=object)
        itself = owners[None, :] == own[:, None]
        for column, scores in enumerate(_scores(pictures, gallery, block)):
            scores = np.where(itself, -np.inf, scores)
            nearest = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
            shares[start : start + _BLOCK, column] = (categories[nearest] == wanted[:, None]).mean(axis=1)
    return shares


def _scores(queries: Parts, gallery: Parts, rows: slice | npt.NDArray[np.intp]) -> list[npt.NDArray[np.float32]]:
    """Of each weight, (rows, gallery)."""
    semantic = queries.semantic[rows] @ gallery.semantic.T
    instance = queries.instance[rows] @ gallery.instance.T
    return [(1.0 - weight) * semantic + weight * instance for weight in WEIGHTS]
