"""What a model gains by not answering where it is not sure; numpy only.

The least probable predictions are left unanswered first. The area under the curve is the error of the answers, averaged
over all shares that may be answered (Geifman, Uziel and El-Yaniv, "Bias-Reduced Uncertainty Estimation", 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

COVERAGES = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Shares of answered queries whose error a report names."""

_MOST_POINTS = 100


@dataclass(frozen=True, slots=True)
class AbstentionPoint:
    """One threshold.

    Attributes:
        threshold: the least probability that is answered, 0..1.
        coverage: share of queries that are answered, above 0, up to 1.
        error: share of the answers that are wrong, 0..1.
    """

    threshold: float
    coverage: float
    error: float


@dataclass(frozen=True, slots=True)
class AbstentionCurve:
    """Error against coverage.

    Attributes:
        points: by rising coverage, the last at 1; at most about a hundred.
        area: mean error over all coverages, 0..1.
        best_area: the area where every wrong prediction is less probable than every right one.
        error_at: coverage to error, for `COVERAGES`.
        is_expected: whether the errors are what the probabilities themselves promise (there are no labels), not
            counted ones.
    """

    points: tuple[AbstentionPoint, ...]
    area: float
    best_area: float
    error_at: Mapping[float, float]
    is_expected: bool = False

    def widest_below(self, error: float) -> AbstentionPoint | None:
        """The threshold that answers most among those with at most this error; None where none has."""
        return next((point for point in reversed(self.points) if point.error <= error), None)


def measure_abstention(confidences: npt.NDArray[np.floating], right: npt.NDArray[np.bool_]) -> AbstentionCurve:
    """The curve of predictions that are known to be right or wrong.

    Args:
        confidences: (n,), probabilities of the predictions; n of 1 or more.
        right: bool (n,).
    """
    return _curve(confidences, np.asarray(1.0 - right, dtype=np.float64), is_expected=False)


def expected_abstention(confidences: npt.NDArray[np.floating]) -> AbstentionCurve:
    """The curve that holds if the probabilities are right, for predictions of which nothing is known.

    Args:
        confidences: (n,), probabilities of the predictions; n of 1 or more.
    """
    return _curve(confidences, 1.0 - confidences.astype(np.float64), is_expected=True)


def _curve(confidences: npt.NDArray[np.floating], wrong: npt.NDArray[np.float64], is_expected: bool) -> AbstentionCurve:
    if not len(confidences) or confidences.shape != wrong.shape:
        raise ValueError(f"{confidences.shape} probabilities, {wrong.shape} outcomes; permitted: equally many, 1 up")
    # Predictions that are equally probable are answered together: among them each place is as likely as another.
    values, group, counts = np.unique(-confidences.astype(np.float64), return_inverse=True, return_counts=True)
    share = np.bincount(group, weights=wrong) / counts
    answered = np.arange(1, len(wrong) + 1)
    errors = np.cumsum(np.repeat(share, counts)) / answered
    ends = np.cumsum(counts)
    chosen = (
        ends if len(ends) <= _MOST_POINTS else ends[np.linspace(0, len(ends) - 1, _MOST_POINTS).round().astype(int)]
    )
    thresholds = dict(zip(ends.tolist(), (-values).tolist(), strict=True))
    points = tuple(
        AbstentionPoint(float(thresholds[int(end)]), int(end) / len(wrong), float(errors[int(end) - 1]))
        for end in chosen
    )
    best = np.cumsum(np.sort(wrong)) / answered
    error_at = {
        coverage: float(errors[max(1, int(np.ceil(coverage * len(wrong) - 1e-9))) - 1]) for coverage in COVERAGES
    }
    return AbstentionCurve(points, float(errors.mean()), float(best.mean()), error_at, is_expected)
