"""Which category a query shows, how sure that is, and whether it is one of this catalog's at all.

Three witnesses are heard: the trained head, the nearest products, and the categories' names. How much each counts, from
which probability on an answer is sure, and what a query looks like that belongs to no category here, are fitted on
products that nothing was learnt from, for pictures and for texts apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from embedder.recognition.abstention import MAX_TURNED_AWAY, threshold_for, turned_away
from embedder.recognition.logistic import LogisticModel, fit_logistic, log_odds
from embedder.recognition.neighbor_vote import NEIGHBORS, Neighbors, NeighborVote, closeness, fit_vote
from embedder.recognition.opinion_pool import Evidence, OpinionPool, fit_pool

MAX_ERROR = 0.1
"""Share of the sure answers that may be wrong."""

FEATURES = ("nearest", "near", "energy", "agreement", "name")
"""What tells a query of a known category from one of an unknown: score of the nearest product, mean score of the five
nearest, the head's energy, the pooled probability, the cosine of the likeliest name."""

_LEAST_ENERGY = -50.0


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is known of n queries before it is weighed, about c categories.

    Attributes:
        logits: calibrated logits of the trained head, float (n, c), NaN for categories that it does not know; None
            without a head.
        neighbors: the nearest products, a query's own left out.
        names: cosine of the query and the categories' names, float (n, c); None where names are not compared.
    """

    logits: npt.NDArray[np.floating] | None
    neighbors: Neighbors
    names: npt.NDArray[np.floating] | None


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Held-out queries of one kind, as they are heard with their own product left out.

    Attributes:
        heard: of n queries.
        labels: their categories, int (n,), 0..c-1.
        strangers: the nearest products of other categories, for how a query looks whose category is not here.
        count: c, how many categories there are, 1 or more.
    """

    heard: Heard
    labels: npt.NDArray[np.integer]
    strangers: Neighbors
    count: int


@dataclass(frozen=True, slots=True)
class QueryModel:
    """How queries of one kind are judged.

    Attributes:
        vote: how neighbours' scores become votes.
        pool: how much each witness counts.
        known: probability that the category is one of the catalog's, from `FEATURES`; None where it was not fitted:
            there is one category, or nothing was held out.
        least_known: below it, a query is said to show none of the catalog's categories, 0..1.
        least_sure: from it on, at most `MAX_ERROR` of the answers are wrong, 0..1. Where too few queries prove that of
            any threshold, the probability is taken at its word: 1 - `MAX_ERROR`.
        queries: how many held-out queries it was fitted on; 0: nothing was fitted.
    """

    vote: NeighborVote
    pool: OpinionPool
    known: LogisticModel | None
    least_known: float
    least_sure: float
    queries: int

    def judge(self, heard: Heard, count: int) -> Judged:
        """Weigh what was heard of n queries about `count` categories."""
        evidence, shares = to_evidence(heard, self.vote, count)
        probabilities = self.pool.probabilities(evidence)
        features = _features(heard, evidence, probabilities)
        known = None if self.known is None else self.known.probabilities(features)
        return Judged(evidence, shares, probabilities, known)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "vote": {"temperature": self.vote.temperature, "doubt": self.vote.doubt},
            "pool": self.pool.to_dict(),
            "known": None if self.known is None else self.known.to_dict(),
            "least_known": self.least_known,
            "least_sure": self.least_sure,
            "queries": self.queries,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`; raises KeyError, TypeError or ValueError on anything else."""
        return cls(
            NeighborVote(**data["vote"]),
            OpinionPool.from_dict(data["pool"]),
            None if data["known"] is None else LogisticModel.from_dict(data["known"], FEATURES),
            float(data["least_known"]),
            float(data["least_sure"]),
            int(data["queries"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What was made of n queries, about c categories.

    Attributes:
        evidence: of the witnesses.
        votes: each category's share of the neighbours' votes, float64 (n, c).
        probabilities: that the category is right, given that it is one of the catalog's, float64 (n, c).
        known: that it is one of the catalog's, float64 (n,); None where that was not fitted.
    """

    evidence: Evidence
    votes: npt.NDArray[np.float64]
    probabilities: npt.NDArray[np.float64]
    known: npt.NDArray[np.float64] | None


def to_evidence(heard: Heard, vote: NeighborVote, count: int) -> tuple[Evidence, npt.NDArray[np.float64]]:
    """What the witnesses say about `count` categories, and these' shares of the neighbours' votes, float64 (n, c)."""
    shares = vote.shares(heard.neighbors.first(NEIGHBORS), count)
    spare = np.clip(1.0 - shares.sum(axis=1, keepdims=True), 1e-6, None)
    votes = np.log(shares + spare / shares.shape[1])
    votes[~np.isfinite(heard.neighbors.scores).any(axis=1)] = np.nan
    head = None if heard.logits is None else _log_softmax(heard.logits)
    return Evidence(head, votes, heard.names), shares


def fit_query_model(held_out: HeldOut) -> QueryModel:
    """How queries of one kind are judged best, by the held-out ones.

    The thresholds are chosen on the same queries as the few weights: with a hundred queries that costs no more than
    Wilson's bound is careful about.

    Args:
        held_out: n queries; n may be 0, then every witness counts alike and no threshold turns a query away.
    """
    heard, labels, count = held_out.heard, held_out.labels, held_out.count
    vote = fit_vote(heard.neighbors.first(NEIGHBORS), labels, count)
    evidence, _ = to_evidence(heard, vote, count)
    pool = fit_pool(evidence, labels)
    if not len(labels):
        return QueryModel(vote, pool, None, 0.0, 1.0 - MAX_ERROR, 0)
    probabilities = pool.probabilities(evidence)
    features = _features(heard, evidence, probabilities)
    known = None if count < 2 else _fit_known(held_out, features, vote, pool)
    least_known = 0.0 if known is None else turned_away(known.probabilities(features), MAX_TURNED_AWAY)
    found, rows = probabilities.argmax(axis=1), np.arange(len(labels))
    least_sure = threshold_for(probabilities[rows, found], found == labels, MAX_ERROR)
    if least_sure > 1.0:
        least_sure = 1.0 - MAX_ERROR
    return QueryModel(vote, pool, known, least_known, least_sure, len(labels))


def _fit_known(
    held_out: HeldOut, features: npt.NDArray[np.float64], vote: NeighborVote, pool: OpinionPool
) -> LogisticModel:
    """The same queries are shown twice: as they are, and as if their category were not in the catalog."""
    heard, labels = held_out.heard, held_out.labels
    rows = np.arange(len(labels))
    logits = None if heard.logits is None else np.array(heard.logits, dtype=np.float64)
    names = None if heard.names is None else np.array(heard.names, dtype=np.float64)
    for values in (logits, names):
        if values is not None:
            values[rows, labels] = -np.inf
    strange = Heard(logits, held_out.strangers, names)
    evidence = to_evidence(strange, vote, held_out.count)[0].without(labels)
    beside = _features(strange, evidence, pool.probabilities(evidence))
    return fit_logistic(
        FEATURES,
        np.concatenate([features, beside]),
        np.concatenate([np.ones(len(features), dtype=bool), np.zeros(len(beside), dtype=bool)]),
    )


def _features(heard: Heard, evidence: Evidence, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`FEATURES` of n queries, float64 (n, 5); NaN where a witness is silent."""
    absent = np.full(len(probabilities), np.nan)
    nearest, near = closeness(heard.neighbors.scores)
    # Of a head that knows nothing but what was struck out it is -inf: as low as energies get.
    energy = absent if heard.logits is None else np.maximum(_log_sum(heard.logits), _LEAST_ENERGY)
    # As log odds: the probability itself is flat where it matters.
    agreement = log_odds(probabilities.max(axis=1), 1e-9)
    name = absent if heard.names is None else heard.names.max(axis=1)
    return np.stack([nearest, near, energy, agreement, name], axis=1)


def _log_sum(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Log of the sum of exponentials over the categories that the head knows."""
    values = np.where(np.isnan(logits), -np.inf, np.asarray(logits, dtype=np.float64))
    highest = values.max(axis=1, keepdims=True)
    shift = np.where(np.isfinite(highest), highest, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(values - shift).sum(axis=1)) + shift[:, 0])


def _log_softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """A row of which nothing is known, or everything is struck out, becomes NaN: the head is silent."""
    totals = _log_sum(logits)
    return np.asarray(np.asarray(logits, dtype=np.float64) - np.where(np.isfinite(totals), totals, np.nan)[:, None])
