"""The queries that went most wrong, for a person to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from embedder.evaluation.outcome import Outcome, TitleOutcome
from embedder.evaluation.views import ViewFigures

WorstKind = Literal["category", "picture", "title", "photo", "unsure"]

HEADINGS: Mapping[WorstKind, str] = MappingProxyType(
    {
        "category": "In the wrong category, and sure of it",
        "picture": "Nothing of their category among the ten nearest",
        "title": "Titles that do not find their product among the first ten",
        "photo": "Products that photos do not find among the first ten",
        "unsure": "The least sure predictions",
    }
)
"""What each kind of worst query is called."""

MOST = 6
"""Queries of each kind."""

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class WorstQuery:
    """A query that went wrong.

    Attributes:
        kind: in which way.
        query: a product's id; of the kind "title" the title.
        reason: what happened, in a few words.
        nearest: ids of what it found, nearest first; empty where it is not known.
    """

    kind: WorstKind
    query: str
    reason: str
    nearest: tuple[str, ...] = ()


def find_worst(
    outcomes: Sequence[Outcome], titles: Sequence[TitleOutcome], views: ViewFigures | None
) -> tuple[WorstQuery, ...]:
    """Up to `MOST` of each kind, worst first; unsure predictions only where no product has a category."""
    found = [*_mistaken(outcomes), *_lost(outcomes), *_untitled(titles)]
    if views is not None:
        found += _unseen(outcomes, views)
    if all(outcome.truth is None for outcome in outcomes):
        found += _unsure(outcomes)
    return tuple(found)


def _mistaken(outcomes: Sequence[Outcome]) -> list[WorstQuery]:
    wrong = [outcome for outcome in outcomes if outcome.is_right is False]
    wrong.sort(key=lambda outcome: (-outcome.probability, outcome.product_id))
    return [
        WorstQuery(
            "category",
            outcome.product_id,
            f"taken for {outcome.predicted} ({outcome.probability:.0%}), is {outcome.truth}",
            _nearest(outcome),
        )
        for outcome in wrong[:MOST]
    ]


def _lost(outcomes: Sequence[Outcome]) -> list[WorstQuery]:
    searched = [(outcome.search.first, outcome) for outcome in outcomes if outcome.search is not None]
    lost = [(first, outcome) for first, outcome in searched if outcome.search and first > len(outcome.search.right)]
    lost.sort(key=lambda item: (-item[0], item[1].product_id))
    return [
        WorstQuery(
            "picture",
            outcome.product_id,
            f"the first product of {outcome.truth} is at place {first:,}",
            _nearest(outcome),
        )
        for first, outcome in lost[:MOST]
    ]


def _untitled(titles: Sequence[TitleOutcome]) -> list[WorstQuery]:
    lost = [item for item in titles if item.among_all.first > len(item.among_all.right)]
    lost.sort(key=lambda item: (-item.among_all.first, item.title))
    return [
        WorstQuery(
            "title",
            item.title,
            f"its first product is at place {item.among_all.first:,}",
            item.among_all.nearest[:_SHOWN],
        )
        for item in lost[:MOST]
    ]


def _unseen(outcomes: Sequence[Outcome], views: ViewFigures) -> list[WorstQuery]:
    nearest = {outcome.product_id: _nearest(outcome) for outcome in outcomes}
    missed = [
        (sum(1 - at_10 for _, at_10 in of_kinds), product_id) for product_id, of_kinds in views.by_product.items()
    ]
    missed = sorted((item for item in missed if item[0] > 0.5), key=lambda item: (-item[0], item[1]))
    return [
        WorstQuery(
            "photo",
            product_id,
            f"not found by {round(count)} of {len(views.kinds)} kinds of photos",
            nearest.get(product_id, ()),
        )
        for count, product_id in missed[:MOST]
    ]


def _unsure(outcomes: Sequence[Outcome]) -> list[WorstQuery]:
    told = sorted(
        (outcome for outcome in outcomes if outcome.predicted is not None),
        key=lambda outcome: (outcome.probability, outcome.product_id),
    )
    return [
        WorstQuery(
            "unsure",
            outcome.product_id,
            f"{outcome.predicted}, with a probability of {outcome.probability:.0%}",
            _nearest(outcome),
        )
        for outcome in told[:MOST]
    ]


def _nearest(outcome: Outcome) -> tuple[str, ...]:
    return () if outcome.search is None else outcome.search.nearest[:_SHOWN]
