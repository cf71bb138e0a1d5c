"""Binary logistic regression with a ridge, for a handful of features some of which may be absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from embedder.recognition.projected_newton import minimize

RIDGE = 1.0
"""Of the standardized coefficients, in observations: a dozen examples leave them near 0, a thousand do not feel it."""

_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """The probability of something, given features.

    Attributes:
        features: their names, k of them.
        center, spread: of each feature where it was present, k each; the spread is above 0.
        weights: of the standardized features, k.
        bias: log odds where every feature is at its center, or absent.
    """

    features: tuple[str, ...]
    center: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def __post_init__(self) -> None:
        count = len(self.features)
        if not len(self.center) == len(self.spread) == len(self.weights) == count:
            raise ValueError(
                f"{count} features with {len(self.center)} centers, {len(self.spread)} spreads and "
                f"{len(self.weights)} weights; permitted: one of each for a feature"
            )
        if not all(value > 0 for value in self.spread):
            raise ValueError(f"spreads {self.spread}; permitted: above 0")

    def probabilities(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Of n rows of features, float (n, k): float64 (n,), 0..1. NaN is an absent feature, which changes nothing."""
        return sigmoid(
            _standardized(values, np.asarray(self.center), np.asarray(self.spread)) @ self.weights + self.bias
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], features: Sequence[str] | None = None) -> Self:
        """Inverse of `to_dict`; raises KeyError, TypeError or ValueError on anything else.

        Args:
            data: as `to_dict` gives it.
            features: those that it is given; one that it was not fitted on, as in an earlier release, changes nothing.
                None: those that it was fitted on.
        """
        fitted = tuple(map(str, data["features"]))
        given = fitted if features is None else tuple(features)
        if not set(fitted) <= set(given):
            raise ValueError(f"a model of the features {fitted}; permitted: {', '.join(given)}")
        absent = {"center": 0.0, "spread": 1.0, "weights": 0.0}
        numbers = {}
        for name, without in absent.items():
            known = dict(zip(fitted, map(float, data[name]), strict=True))
            numbers[name] = tuple(known.get(feature, without) for feature in given)
        return cls(given, bias=float(data["bias"]), **numbers)


def fit_logistic(
    features: Sequence[str],
    values: npt.NDArray[np.floating],
    labels: npt.NDArray[np.bool_],
    *,
    balanced: bool = False,
    ridge: float = RIDGE,
) -> LogisticModel:
    """The model under which the labels are likeliest, where no feature may speak against what it is evidence for.

    Newton's method on the penalized likelihood, which is convex. Weights are kept at 0 or above: each feature is chosen
    so that more of it is more evidence, and the opposite sign would be an accident of few examples.

    Args:
        features: names, k.
        values: float (n, k); NaN where a feature is absent. n may be 0.
        labels: (n,).
        balanced: both labels count alike, however often each occurs.
        ridge: weight of the prior that the coefficients are 0, in observations.
    """
    count = len(features)
    values = np.asarray(values, dtype=np.float64).reshape(-1, count)
    center, spread = _center(values)
    rows = _standardized(values, center, spread)
    design = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    truth = np.asarray(labels, dtype=np.float64)
    importance = _importance(truth, balanced)
    # Half an example of each label: where all labels are the same, the bias stays finite.
    rate = (float((importance * truth).sum()) + 0.5) / (float(importance.sum()) + 1.0)
    found = np.zeros(count + 1)
    found[-1] = np.log(rate / (1.0 - rate))
    penalty = np.full(count + 1, ridge)
    penalty[-1] = 0.0

    def slopes(at: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        expected = sigmoid(design @ at)
        # The bias is held to the prior rate by half an example of each label.
        at_bias = sigmoid(at[-1:])[0]
        gradient = design.T @ (importance * (expected - truth)) + penalty * at
        gradient[-1] += at_bias - 0.5
        curvature = importance * expected * (1.0 - expected)
        hessian = (design * curvature[:, None]).T @ design + np.diag(penalty)
        hessian[-1, -1] += at_bias * (1.0 - at_bias) + 1e-9
        return gradient, hessian

    bounded = np.arange(count + 1) < count
    found = minimize(lambda at: _loss(design, truth, importance, penalty, at), slopes, found, bounded)
    return LogisticModel(
        tuple(features),
        tuple(map(float, center)),
        tuple(map(float, spread)),
        tuple(map(float, found[:-1])),
        float(found[-1]),
    )


def sigmoid(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(values, dtype=np.float64))))


def log_odds(probabilities: npt.NDArray[np.floating], least: float = 1e-6) -> npt.NDArray[np.float64]:
    """Inverse of `sigmoid`, of probabilities, 0..1, held between `least` and 1 - `least`."""
    clipped = np.clip(np.asarray(probabilities, dtype=np.float64), least, 1 - least)
    return np.asarray(np.log(clipped / (1.0 - clipped)))


def _loss(
    design: npt.NDArray[np.float64],
    truth: npt.NDArray[np.float64],
    importance: npt.NDArray[np.float64],
    penalty: npt.NDArray[np.float64],
    at: npt.NDArray[np.float64],
) -> float:
    logits = design @ at
    surprise = np.logaddexp(0.0, logits) - truth * logits
    prior = np.logaddexp(0.0, at[-1]) - 0.5 * at[-1]
    return float((importance * surprise).sum() + 0.5 * (penalty * at * at).sum() + prior)


def _importance(truth: npt.NDArray[np.float64], balanced: bool) -> npt.NDArray[np.float64]:
    if not balanced or not 0 < truth.sum() < len(truth):
        return np.ones(len(truth))
    share = truth.mean()
    return np.asarray(np.where(truth > 0, 0.5 / share, 0.5 / (1.0 - share)))


def _center(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    present = np.isfinite(values)
    counts = np.maximum(present.sum(axis=0), 1)
    filled = np.where(present, values, 0.0)
    center = filled.sum(axis=0) / counts
    spread = np.sqrt((np.where(present, values - center, 0.0) ** 2).sum(axis=0) / counts)
    return center, np.where(spread > _LEAST_SPREAD, spread, 1.0)


def _standardized(
    values: npt.NDArray[np.floating], center: npt.NDArray[np.floating], spread: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    found = (np.asarray(values, dtype=np.float64) - center) / spread
    return np.asarray(np.where(np.isfinite(found), found, 0.0))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
