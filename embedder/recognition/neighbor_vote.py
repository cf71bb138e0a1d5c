"""A category from the nearest products' categories, with a probability calibrated on the index itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NEIGHBORS = 20

_TEMPERATURES = tuple(float(value) for value in np.geomspace(0.005, 1.0, 24))
_DOUBTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


@dataclass(frozen=True, slots=True)
class NeighborVote:
    """How scores become votes.

    Attributes:
        temperature: a neighbour has the weight exp(score / temperature), above 0.
        doubt: weight, in votes of the nearest product, that goes to no neighbour's category; 0 or more. It keeps
            the probability below 1 however much the neighbours agree.
    """

    temperature: float = 0.05
    doubt: float = 0.1

    def __post_init__(self) -> None:
        if not self.temperature > 0 or not self.doubt >= 0:
            raise ValueError(f"temperature {self.temperature}, doubt {self.doubt}; permitted: above 0, 0 or more")

    def probabilities(self, categories: Sequence[str], scores: Sequence[float]) -> dict[str, float]:
        """Category to probability, most likely first; they sum to less than 1 by the share of doubt.

        Args:
            categories, scores: of the nearest products, nearest first; may be empty.
        """
        if not scores:
            return {}
        weights = np.exp((np.asarray(scores, dtype=np.float64) - max(scores)) / self.temperature)
        total = float(weights.sum()) + self.doubt
        votes: dict[str, float] = defaultdict(float)
        for category, weight in zip(categories, weights, strict=True):
            votes[category] += float(weight) / total
        return dict(sorted(votes.items(), key=lambda item: -item[1]))


@dataclass(frozen=True, slots=True)
class Held:
    """A product searched for with itself left out: its category, and those and the scores of its neighbours."""

    category: str
    neighbor_categories: tuple[str, ...]
    scores: tuple[float, ...]


def fit_vote(held: Sequence[Held]) -> NeighborVote:
    """The vote under which the products' own categories are most likely (least log loss over a grid).

    Where a category is not among the neighbours, it gets an even share of the doubt over as many categories as occur.
    """
    if not held:
        return NeighborVote()
    kinds = max(2, len({item.category for item in held}))
    best = (float("inf"), NeighborVote())
    for temperature in _TEMPERATURES:
        for doubt in _DOUBTS:
            vote = NeighborVote(temperature, doubt)
            loss = 0.0
            for item in held:
                found = vote.probabilities(item.neighbor_categories, item.scores)
                spare = 1.0 - sum(found.values())
                loss -= float(np.log(max(found.get(item.category, 0.0) + spare / kinds, 1e-12)))
            if loss < best[0]:
                best = (loss, vote)
    return best[1]
