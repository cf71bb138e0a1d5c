"""Whether probabilities can be taken at their word; numpy only.

Three figures, because each alone misleads. The *expected calibration error* over bins of equal width (Guo et al.,
2017, section 2) is what others publish; but a perfectly calibrated model shows some of it too, the more the fewer
products there are. So what chance alone gives is simulated, and the *debiased* error (Kumar, Liang and Ma, "Verified
Uncertainty Calibration", 2019, section 4) takes it away from each of its bins of equal mass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.recognition.wilson import wilson_interval

WIDTH_BINS = 15
"""Bins of equal width, as in the published figures."""

_LEAST_IN_BIN = 20
_MOST_BINS = 15
_SIMULATED_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Products whose probabilities are near one another.

    Attributes:
        count: how many, 1 or more.
        confidence: mean of their probabilities, 0..1.
        accuracy: share of them that are right, 0..1.
        low, high: ends of the accuracy's 95 % interval (Wilson, 1927).
    """

    count: int
    confidence: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How probabilities and shares of right answers agree.

    Attributes:
        bins: of about equal mass, by rising probability: 1 to 15, about 20 products each or more.
        count: products, 1 or more.
        confidence: mean probability.
        accuracy: share of right answers.
        expected_error: expected calibration error over 15 bins of equal width, 0..1.
        by_chance: the expected error that a perfectly calibrated model with these probabilities shows on the average.
        by_chance_at_most: ... and at most, in 95 of 100 cases.
        debiased_error: root of the debiased squared calibration error over `bins`, clamped at 0. It weighs large
            differences more, so it may be above the expected error.
        brier: mean square of the difference between probability and being right (1 or 0), 0..1.
    """

    bins: tuple[ReliabilityBin, ...]
    count: int
    confidence: float
    accuracy: float
    expected_error: float
    by_chance: float
    by_chance_at_most: float
    debiased_error: float
    brier: float

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the expected error is larger than chance explains."""
        return self.expected_error > self.by_chance_at_most


def measure_reliability(
    confidences: npt.NDArray[np.floating], right: npt.NDArray[np.bool_], seed: int = 0, draws: int = 400
) -> Reliability:
    """Measure how far probabilities can be trusted.

    Args:
        confidences: (n,), probabilities of the predicted categories, 0..1; n of 1 or more.
        right: bool (n,), whether each prediction is right.
        seed: of the simulation.
        draws: how many perfectly calibrated models are simulated.

    Raises:
        ValueError: no predictions, not equally many of both, or a probability that is none.
    """
    if not len(confidences) or confidences.shape != right.shape or confidences.ndim != 1:
        raise ValueError(f"{confidences.shape} probabilities and {right.shape} outcomes; permitted: equally many, 1 up")
    if not np.all((confidences >= 0) & (confidences <= 1)):
        raise ValueError("a probability outside 0 to 1, or none at all; permitted: 0 to 1")
    wide = confidences.astype(np.float64)
    outcomes = right.astype(np.float64)
    order = np.argsort(wide, kind="stable")
    bins = _equal_mass_bins(wide[order], outcomes[order])
    simulated = _simulated_errors(confidences, seed, draws)
    return Reliability(
        bins=bins,
        count=len(wide),
        confidence=float(wide.mean()),
        accuracy=float(outcomes.mean()),
        expected_error=expected_error(confidences, right),
        by_chance=float(simulated.mean()),
        by_chance_at_most=float(np.quantile(simulated, 0.95)),
        debiased_error=float(np.sqrt(max(0.0, debiased_square_error(bins)))),
        brier=float(((wide - outcomes) ** 2).mean()),
    )


def expected_error(confidences: npt.NDArray[np.floating], right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error over 15 bins of equal width: the mean distance of confidence and accuracy.

    As torchmetrics has it: a bin holds its lower edge, and a probability of exactly 1 is in a bin of its own.
    """
    gaps = confidences.astype(np.float64) - right
    return float(np.abs(np.bincount(_width_bins(confidences), weights=gaps)).sum() / len(gaps))


def debiased_square_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """The squared calibration error without what the bins' accuracies vary by chance; may be below 0.

    From each bin's squared distance of confidence and accuracy the estimated variance of the accuracy,
    accuracy (1 - accuracy) / (count - 1), is taken away. A bin of one product says nothing, and is left out.
    """
    total = sum(item.count for item in bins)
    return sum(
        item.count
        / total
        * ((item.confidence - item.accuracy) ** 2 - item.accuracy * (1 - item.accuracy) / (item.count - 1))
        for item in bins
        if item.count > 1
    )


def _equal_mass_bins(
    confidences: npt.NDArray[np.float64], outcomes: npt.NDArray[np.float64]
) -> tuple[ReliabilityBin, ...]:
    """Bins of sorted probabilities."""
    number = int(np.clip(len(confidences) // _LEAST_IN_BIN, 1, _MOST_BINS))
    return tuple(
        _bin(some, right)
        for some, right in zip(np.array_split(confidences, number), np.array_split(outcomes, number), strict=True)
    )


def _bin(confidences: npt.NDArray[np.float64], outcomes: npt.NDArray[np.float64]) -> ReliabilityBin:
    count, accuracy = len(outcomes), float(outcomes.mean())
    low, high = wilson_interval(accuracy, count)
    return ReliabilityBin(count, float(confidences.mean()), accuracy, low, high)


def _width_bins(confidences: npt.NDArray[np.floating]) -> npt.NDArray[np.intp]:
    """The bin of equal width of each, 0..15."""
    edges = np.linspace(0, 1, WIDTH_BINS + 1, dtype=np.float32)
    return np.asarray(np.searchsorted(edges, confidences.astype(np.float32), side="right") - 1, dtype=np.intp)


def _simulated_errors(confidences: npt.NDArray[np.floating], seed: int, draws: int) -> npt.NDArray[np.float64]:
    """Expected errors (draws,) of models that are right exactly as often as they say."""
    rng = np.random.default_rng(seed)
    places = _width_bins(confidences)
    order = np.argsort(places, kind="stable")
    sorted_confidences = confidences.astype(np.float64)[order]
    _, starts = np.unique(places[order], return_index=True)
    errors = []
    at_once = max(1, _SIMULATED_AT_ONCE // len(order))
    for start in range(0, draws, at_once):
        drawn = rng.random((min(at_once, draws - start), len(order)))
        gaps = sorted_confidences - (drawn < sorted_confidences)
        errors.append(np.abs(np.add.reduceat(gaps, starts, axis=1)).sum(axis=1) / len(order))
    return np.concatenate(errors)
