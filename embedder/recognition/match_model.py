"""Scores that mean something: how likely a hit is what was asked for, and whether anything here is.

A cosine is good for putting hits in order and says little by itself: 0.3 is much for words and little for pictures, and
differs by catalog and model. What a hit's evidence is worth is fitted on held-out queries of the catalog itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from embedder.recognition.abstention import MAX_TURNED_AWAY, turned_away
from embedder.recognition.logistic import LogisticModel, fit_logistic
from embedder.recognition.neighbor_vote import closeness

HITS = 10
"""Of a query, that the models are fitted on."""

HIT_FEATURES = ("score", "lead", "words", "category", "title")
"""The score; how far it is above the second nearest product's (of the nearest) or below the nearest one's (of others);
the share of the query's words that the product has; log odds that the query shows the product's category; the cosine of
the query and the product's title."""

QUERY_FEATURES = ("best", "near", "words", "known", "title")
"""The best score; the mean of the best five; the largest share of the query's words; log odds that the category is one
of the catalog's; the largest cosine of the query and a title."""

_ROUNDING = 1e-5
"""Of scores."""


@dataclass(frozen=True, slots=True, eq=False)
class HitEvidence:
    """What is known of the k hits of each of n queries.

    Attributes:
        scores: float (n, k), as the hits are ranked; NaN where there are fewer hits.
        words: share of the query's words that the product has, float (n, k); NaN where there are no words.
        category: log odds that the query shows the product's category, float (n, k); NaN where that is not known.
        known: log odds that the query shows one of the catalog's categories, float (n,); NaN where that is not known.
        leaders: scores of the two nearest products of the whole catalog, whatever the hits were filtered by, float
            (n, 2); NaN where there are fewer. None: the first two hits'.
        titles: cosines of the query and the products' titles, float (n, k); NaN where either has no words. None: all
            are NaN.
    """

    scores: npt.NDArray[np.floating]
    words: npt.NDArray[np.floating]
    category: npt.NDArray[np.floating]
    known: npt.NDArray[np.floating]
    leaders: npt.NDArray[np.floating] | None = None
    titles: npt.NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        shape = self.scores.shape
        if len(shape) != 2 or not self.words.shape == self.category.shape == shape or self.known.shape != shape[:1]:
            raise ValueError(
                f"evidence of scores {shape}, words {self.words.shape}, category {self.category.shape} and known "
                f"{self.known.shape}; permitted: (n, k) three times, and (n,)"
            )

    def of_hits(self) -> npt.NDArray[np.float64]:
        """`HIT_FEATURES`, float64 (n, k, 5)."""
        scores = np.asarray(self.scores, dtype=np.float64)
        first, second = self._leading()
        behind = scores - first
        # Two searches may differ by a rounding step.
        lead = np.where(behind < -_ROUNDING, behind, first - second)
        return np.stack([scores, lead, self.words, self.category, self._titles()], axis=2)

    def _titles(self) -> npt.NDArray[np.float64]:
        """Cosines of query and title, float64 (n, k), NaN where they are not known."""
        return np.full(self.scores.shape, np.nan) if self.titles is None else np.asarray(self.titles, dtype=np.float64)

    def _leading(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The two nearest products' scores, float64 (n, 1) each; NaN where there are fewer."""
        given = self.scores[:, :2] if self.leaders is None else self.leaders
        padded = np.full((len(self.scores), 2), np.nan)
        padded[:, : given.shape[1]] = given
        return padded[:, :1], padded[:, 1:]

    def of_queries(self) -> npt.NDArray[np.float64]:
        """`QUERY_FEATURES`, float64 (n, 5)."""
        # By words, the first hit need not be the nearest.
        best, near = closeness(-np.sort(-np.asarray(self.scores, dtype=np.float64), axis=1))
        return np.stack([best, near, _largest(self.words), self.known, _largest(self._titles())], axis=1)


def _largest(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Of each row of values (n, k), float64 (n,); NaN where all are."""
    known = np.isfinite(values)
    largest = np.where(known, values, -np.inf).max(axis=1, initial=-np.inf)
    return np.asarray(np.where(known.any(axis=1), largest, np.nan), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class MatchModel:
    """What hits of queries of one kind are worth.

    Attributes:
        relevant: probability that a hit is of the kind asked for; None where the catalog says nothing of kinds.
        same: probability that a hit is the very product; None where that was not fitted.
        anything: probability that there is anything here of what was asked for; None where that was not fitted.
        least_anything: below it, nothing good was found, 0..1.
        queries: how many held-out queries it was fitted on.
    """

    relevant: LogisticModel | None
    same: LogisticModel | None
    anything: LogisticModel | None
    least_anything: float
    queries: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        models = {name: getattr(self, name) for name in ("relevant", "same", "anything")}
        return {
            **{name: None if model is None else model.to_dict() for name, model in models.items()},
            "least_anything": self.least_anything,
            "queries": self.queries,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`; raises KeyError, TypeError or ValueError on anything else."""
        features = {"relevant": HIT_FEATURES, "same": HIT_FEATURES, "anything": QUERY_FEATURES}
        models = {
            name: None if data[name] is None else LogisticModel.from_dict(data[name], wanted)
            for name, wanted in features.items()
        }
        return cls(**models, least_anything=float(data["least_anything"]), queries=int(data["queries"]))


def hit_probabilities(model: LogisticModel, evidence: HitEvidence) -> npt.NDArray[np.float64]:
    """Of every hit, float64 (n, k)."""
    features = evidence.of_hits()
    return model.probabilities(features.reshape(-1, len(HIT_FEATURES))).reshape(features.shape[:2])


def fit_hits(*hits: tuple[HitEvidence, npt.NDArray[np.bool_]]) -> LogisticModel | None:
    """From the evidence for hits to the probability that they are right; None where there are no hits.

    Args:
        hits: evidence for k hits of each of n queries, and which of them are right, (n, k); one or several of these.
    """
    features, labels = [], []
    for evidence, right in hits:
        there = np.isfinite(np.asarray(evidence.scores, dtype=np.float64))
        features.append(evidence.of_hits()[there])
        labels.append(np.asarray(right, dtype=bool)[there])
    if not sum(map(len, labels)):
        return None
    return fit_logistic(HIT_FEATURES, np.concatenate(features), np.concatenate(labels))


def fit_anything(good: HitEvidence, meaningless: HitEvidence) -> tuple[LogisticModel, float]:
    """Whether anything was found, from queries that mean something here and such that do not; and the threshold.

    Both count alike: how many customers write nonsense is not known when an index is built.
    """
    here, nothing = good.of_queries(), meaningless.of_queries()
    model = fit_logistic(
        QUERY_FEATURES,
        np.concatenate([here, nothing]),
        np.concatenate([np.ones(len(here), dtype=bool), np.zeros(len(nothing), dtype=bool)]),
        balanced=True,
    )
    return model, turned_away(model.probabilities(here), MAX_TURNED_AWAY)
