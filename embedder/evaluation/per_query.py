"""The figures that are means over queries, query by query: what intervals and comparisons are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.evaluation.outcome import Outcome, TitleOutcome
from embedder.evaluation.ranking import (
    Found,
    average_precision,
    hit_rate,
    ndcg,
    precision,
    reciprocal_rank,
    relevance,
)
from embedder.evaluation.views import ViewFigures


@dataclass(frozen=True, slots=True, eq=False)
class PerQuery:
    """One figure of each query.

    Attributes:
        keys: q names of queries, all different: product ids, or titles.
        groups: q keys; queries of one key are variants of one product.
        values: float64 (q,); their mean is the figure.
    """

    keys: tuple[str, ...]
    groups: tuple[str, ...]
    values: npt.NDArray[np.float64]


def per_query(
    outcomes: Sequence[Outcome], titles: Sequence[TitleOutcome], views: ViewFigures | None
) -> dict[str, PerQuery]:
    """All figures that are means over queries, by name."""
    found = classified(outcomes) | searched_by_title(titles) | searched_by_picture(outcomes)
    return found if views is None else found | searched_by_photo(outcomes, views)


def mean_figures(figures: Mapping[str, PerQuery]) -> dict[str, float]:
    """The means, by name."""
    return {name: float(figure.values.mean()) for name, figure in figures.items()}


def classified(outcomes: Sequence[Outcome]) -> dict[str, PerQuery]:
    """`accuracy` and `brier_score` of the products that have a category and a prediction; {} where none has."""
    known = [outcome for outcome in outcomes if outcome.is_right is not None]
    if not known:
        return {}
    right = np.asarray([bool(outcome.is_right) for outcome in known], dtype=np.float64)
    sure = np.asarray([outcome.probability for outcome in known])
    return _named(
        [outcome.product_id for outcome in known],
        [outcome.group for outcome in known],
        {"accuracy": right, "brier_score": (sure - right) ** 2},
    )


def searched_by_title(titles: Sequence[TitleOutcome]) -> dict[str, PerQuery]:
    """`text_to_image_...` and `title_to_product_...`; {} without titles."""
    if not titles:
        return {}
    keys = [item.title for item in titles]
    tested = relevance([item.among_tested for item in titles])
    values = {f"text_to_image_recall_at_{k}": hit_rate(tested, k) for k in (1, 10)}
    return _named(keys, keys, values | _search_figures("title_to_product", [item.among_all for item in titles]))


def searched_by_picture(outcomes: Sequence[Outcome]) -> dict[str, PerQuery]:
    """`image_to_image_...` and `category_share_at_10` of the products with a category; {} where none searched."""
    searched = [(item, item.search) for item in outcomes if item.search is not None and item.truth is not None]
    if not searched:
        return {}
    found = [search for _, search in searched]
    values = _search_figures("image_to_image", found) | {"category_share_at_10": precision(relevance(found))}
    return _named([item.product_id for item, _ in searched], [item.group for item, _ in searched], values)


def searched_by_photo(outcomes: Sequence[Outcome], views: ViewFigures) -> dict[str, PerQuery]:
    """`views.KIND.recall_at_1`/`_10` of the products whose pictures were perturbed."""
    group_of = {outcome.product_id: outcome.group for outcome in outcomes}
    keys = list(views.by_product)
    groups = [group_of.get(key, key) for key in keys]
    figures: dict[str, PerQuery] = {}
    for place, kind in enumerate(views.kinds):
        for column, k in enumerate((1, 10)):
            values = np.asarray([views.by_product[key][place][column] for key in keys], dtype=np.float64)
            if len(values):
                figures |= _named(keys, groups, {f"views.{kind}.recall_at_{k}": values})
    return figures


def _search_figures(name: str, found: Sequence[Found]) -> dict[str, npt.NDArray[np.float64]]:
    shown = relevance(found)
    relevant = np.asarray([item.relevant for item in found])
    return {
        **{f"{name}_recall_at_{k}": hit_rate(shown, k) for k in (1, 10)},
        f"{name}_mrr": reciprocal_rank(np.asarray([item.first for item in found])),
        f"{name}_map_at_10": average_precision(shown, relevant),
        f"{name}_ndcg_at_10": ndcg(shown, relevant),
    }


def _named(
    keys: Sequence[str], groups: Sequence[str], values: Mapping[str, npt.NDArray[np.float64]]
) -> dict[str, PerQuery]:
    return {name: PerQuery(tuple(keys), tuple(groups), value) for name, value in values.items()}
