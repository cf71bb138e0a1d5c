"""Measurements by hand: what an evaluation would have found, so that pages and findings can be seen through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from embedder.catalogs.product import Product, ProductPicture
from embedder.catalogs.split_report import SplitReport
from embedder.evaluation.measurement import Measured
from embedder.evaluation.outcome import Outcome, TitleOutcome
from embedder.evaluation.per_query import mean_figures, per_query
from embedder.evaluation.ranking import Found
from embedder.evaluation.views import ViewFigures
from embedder.inputs.picture import PicturePixels

NO_SIBLINGS = SplitReport(80, 10, 10, 0, 0, 0, 0, 0, 0)


def product(product_id: str, category: str | None = None, title: str = "", group: str | None = None) -> Product:
    """A product with a grey picture."""
    picture = ProductPicture(PicturePixels(np.full((8, 8), 128, dtype=np.uint8)))
    return Product(product_id, title, (picture,), category=category, variant_group=group)


def outcome(
    product_id: str, truth: str | None, predicted: str | None, probability: float = 0.8, **fields: Any
) -> Outcome:
    """What became of one test product, by itself in its group."""
    return Outcome(product_id, fields.pop("group", f"product {product_id}"), truth, predicted, probability, **fields)


def found(*right: bool, first: int = 0, nearest: Sequence[str] = ()) -> Found:
    """What a query found; the place of the first right one follows from `right` where there is one."""
    place = right.index(True) + 1 if True in right else first
    ids = tuple(nearest) or tuple(f"g{number}" for number in range(len(right)))
    return Found(right, place, max(1, sum(right)) if place else 0, ids)


def measured(
    outcomes: Sequence[Outcome] = (),
    titles: Sequence[TitleOutcome] = (),
    views: ViewFigures | None = None,
    trained: Mapping[str, int] | None = None,
    products: Sequence[Product] = (),
    **fields: Any,
) -> Measured:
    """A measurement of a model called `shop`."""
    by_id = {outcome.product_id: product(outcome.product_id, outcome.truth) for outcome in outcomes}
    by_id |= {item.id: item for item in products}
    values: dict[str, Any] = {
        "figures": mean_figures(per_query(outcomes, titles, None)),
        "queries": len(outcomes),
        "gallery": 20,
        "products": 30,
        "views": views,
        "splits": NO_SIBLINGS,
        "model": "shop",
        "base": "starter",
        "fingerprint": "ab" * 32,
        "catalog": "csv:shop.csv",
        "seed": 0,
        "outcomes": tuple(outcomes),
        "titles": tuple(titles),
        "trained": trained or {},
        "title_clashes": (),
        "like_pairs": (),
        "by_id": by_id,
    }
    return Measured(**{**values, **fields})
