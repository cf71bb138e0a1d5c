"""How much the instance part counts in a picture query: chosen on validation products, never on test ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WEIGHTS = tuple(round(0.05 * step, 2) for step in range(21))
DEFAULT_WEIGHT = 0.8
"""Where there are no validation products to choose on; of weights that are as good the nearest to it is taken."""

TOLERANCE = 0.005
"""Weights whose gain is this near to the best one's are as good."""

_LOSS, _ERRORS, _FEWEST = 0.01, 2.0, 30
"""How much of the share of a picture's own kind may be given up: so much, or so many of its standard errors where it is
not known that exactly; anything where fewer pictures tell it."""

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
        category_share_error: standard error of that mean; None where fewer than 30 pictures tell it.
    """

    weight: float
    recall_at_1: float
    category_share_at_10: float | None
    category_share_error: float | None = None

    @property
    def gain(self) -> float:
        """Both shares added up: a product found is worth as much as a neighbourhood of the right kind."""
        return self.recall_at_1 + (self.category_share_at_10 or 0.0)


def fit_instance_weight(views: Parts, pictures: Parts, gallery: Parts) -> tuple[float, tuple[WeightFigures, ...]]:
    """The weight under which views find their own products, and pictures other products of their kind, most often.

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
        share = float(shares[:, column].mean()) if len(shares) else None
        error = float(shares[:, column].std(ddof=1) / len(shares) ** 0.5) if len(shares) >= _FEWEST else None
        figures.append(WeightFigures(weight, float(hits[:, column].mean()), share, error))
    return choose_weight(figures), tuple(figures)


def choose_weight(figures: Sequence[WeightFigures]) -> float:
    """Among the weights with the greatest gain, to within `TOLERANCE`, the one nearest to `DEFAULT_WEIGHT`.

    Only weights that keep the semantic part's share of the right kind count, to within what is known of that share: the
    more pictures tell it, the less is given up.

    Args:
        figures: of all weights; those of weight 0, the semantic part alone, among them.
    """
    alone = next(item for item in figures if item.weight == 0.0)
    kept = figures
    if alone.category_share_at_10 is not None and alone.category_share_error is not None:
        least = alone.category_share_at_10 - max(_LOSS, _ERRORS * alone.category_share_error)
        kept = [item for item in figures if (item.category_share_at_10 or 0.0) >= least]
    best = max(item.gain for item in kept)
    equal = [item.weight for item in kept if item.gain >= best - TOLERANCE]
    return min(equal, key=lambda weight: (abs(weight - DEFAULT_WEIGHT), weight))


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
