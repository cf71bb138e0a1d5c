"""Ways of telling a product's category that do not depend on one another, and how far they agree.

Where the catalog has no categories, their agreement is what can be known of the predictions; where it has, products on
which all of them agree against the catalog may be in the wrong category there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from embedder.evaluation.outcome import Outcome
from embedder.recognition.neighbor_vote import NEIGHBORS, Neighbors, NeighborVote

WITNESSES = {
    "head": "the model's category head",
    "neighbors": "the vote of the nearest training products",
    "names": "the categories' names, compared with the picture",
}
"""Witnesses by name, and what each one is."""

_VOTE = NeighborVote()


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How often two witnesses say the same.

    Attributes:
        first, second: their names.
        share: of the products for which both have a say, 0..1.
        products: how many these are, 1 or more.
    """

    first: str
    second: str
    share: float
    products: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the witnesses agree.

    Attributes:
        pairs: each two of them that have a say on the same products.
        unanimous: share of the products with two witnesses or more on which all of these agree, 0..1.
        products: products with two witnesses or more; 1 or more.
        right_if_unanimous: share of the unanimous predictions that are the catalog's category; None without such.
        right_if_split: the same for the others.
        against_catalog: ids of products on which two witnesses or more agree, and the catalog says something else.
    """

    pairs: tuple[PairAgreement, ...]
    unanimous: float
    products: int
    right_if_unanimous: float | None
    right_if_split: float | None
    against_catalog: tuple[str, ...]


def vote(categories: Sequence[str | None], scores: npt.NDArray[np.float32]) -> str | None:
    """The category that the nearest products vote for; None where none of them has one.

    Args:
        categories: of the nearest products, nearest first.
        scores: float32, of the same.
    """
    named = list(dict.fromkeys(category for category in categories[:NEIGHBORS] if category is not None))
    if not named:
        return None
    place = {category: label for label, category in enumerate(named)}
    labels = np.asarray([[-1 if category is None else place[category] for category in categories[:NEIGHBORS]]])
    near = Neighbors(labels, np.asarray(scores[: labels.shape[1]], dtype=np.float64)[None, :])
    return named[int(_VOTE.shares(near, len(named))[0].argmax())]


def measure_agreement(outcomes: Sequence[Outcome]) -> Agreement | None:
    """Compare what the witnesses say of the test products; None where no product has two witnesses."""
    heard = [outcome for outcome in outcomes if len(outcome.witnesses) > 1]
    if not heard:
        return None
    pairs = []
    for first, second in combinations(WITNESSES, 2):
        both = [
            outcome.witnesses[first] == outcome.witnesses[second]
            for outcome in heard
            if first in outcome.witnesses and second in outcome.witnesses
        ]
        if both:
            pairs.append(PairAgreement(first, second, sum(both) / len(both), len(both)))
    unanimous = [outcome for outcome in heard if len(set(outcome.witnesses.values())) == 1]
    split = [outcome for outcome in heard if len(set(outcome.witnesses.values())) > 1]
    against = [
        outcome.product_id
        for outcome in unanimous
        if outcome.truth is not None and outcome.truth not in outcome.witnesses.values()
    ]
    return Agreement(
        tuple(pairs),
        len(unanimous) / len(heard),
        len(heard),
        _share_right(unanimous),
        _share_right(split),
        tuple(against),
    )


def _share_right(outcomes: Sequence[Outcome]) -> float | None:
    known = [outcome.is_right for outcome in outcomes if outcome.is_right is not None]
    return sum(known) / len(known) if known else None
