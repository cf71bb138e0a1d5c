"""A category from the nearest products' categories, with a probability calibrated on the index itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NEIGHBORS = 20

_CLOSEST = 5

_TEMPERATURES = tuple(float(value) for value in np.geomspace(0.005, 1.0, 24))
_DOUBTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """The nearest products of n queries.

    Attributes:
        labels: int (n, k), nearest first: each product's category, 0..c-1; -1 where it has none, or where there is no
            further product.
        scores: float (n, k); -inf where there is no further product.
    """

    labels: npt.NDArray[np.integer]
    scores: npt.NDArray[np.floating]

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.shape != self.scores.shape:
            raise ValueError(
                f"neighbours' labels {self.labels.shape} and scores {self.scores.shape}; permitted: (n, k) both"
            )

    def first(self, count: int) -> Neighbors:
        """The nearest `count` of them."""
        return Neighbors(self.labels[:, :count], self.scores[:, :count])


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

    def shares(self, neighbors: Neighbors, count: int) -> npt.NDArray[np.float64]:
        """Each of `count` categories' share of the votes, float64 (n, count).

        A row sums to less than 1 by the doubt and by the votes of products without a category; that of a query without
        neighbours is 0.
        """
        weights, totals = _weights(neighbors, self.temperature)
        found = np.zeros((len(weights), count + 1))
        # The last column is of those without a category.
        np.add.at(found, (np.arange(len(weights))[:, None], neighbors.labels), weights)
        return np.asarray(found[:, :count] / np.maximum(totals + self.doubt, 1e-12)[:, None])


def fit_vote(neighbors: Neighbors, labels: npt.NDArray[np.integer], count: int) -> NeighborVote:
    """The vote under which held-out queries' own categories are most likely (least log loss over a grid).

    Where a category is not among the neighbours, it gets an even share of the doubt over the `count` categories.

    Args:
        neighbors: of n queries, each without its own product.
        labels: the queries' categories, (n,), 0..count-1; n may be 0.
        count: how many categories there are, 1 or more.
    """
    if not len(labels):
        return NeighborVote()
    kinds = max(2, count)
    best = (float("inf"), NeighborVote())
    for temperature in _TEMPERATURES:
        weights, totals = _weights(neighbors, temperature)
        own = np.where(neighbors.labels == labels[:, None], weights, 0.0).sum(axis=1)
        for doubt in _DOUBTS:
            loss = -float(np.log(np.maximum((own + doubt / kinds) / (totals + doubt), 1e-12)).sum())
            if loss < best[0]:
                best = (loss, NeighborVote(temperature, doubt))
    return best[1]


def closeness(scores: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Score of the nearest product, and mean score of the five nearest, float64 (n,); NaN where there is none.

    Args:
        scores: float (n, k), highest first; not finite where there is no further product.
    """
    first = np.asarray(scores, dtype=np.float64)[:, :_CLOSEST]
    there = np.isfinite(first)
    means = np.where(there, first, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    best = np.where(there[:, 0], first[:, 0], np.nan) if first.shape[1] else np.full(len(first), np.nan)
    return best, np.where(there.any(axis=1), means, np.nan)


def _weights(neighbors: Neighbors, temperature: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Votes, in votes of the nearest product, (n, k), and their sums (n,)."""
    scores = np.asarray(neighbors.scores, dtype=np.float64)
    highest = scores.max(axis=1, keepdims=True, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        weights = np.exp((scores - highest) / temperature)
    weights = np.where(np.isfinite(scores), weights, 0.0)
    return weights, weights.sum(axis=1)
