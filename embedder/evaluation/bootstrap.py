"""How sure a figure is, and whether one model is better than another on the same queries; numpy only.

Queries are drawn with replacement, the same ones for both models (Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, chapter 13: percentile intervals). Variants of one product are drawn together: each of them is found
or missed for the same reasons, and ten of them are not ten queries.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from embedder.recognition.wilson import wilson_interval

Verdict = Literal["better", "worse", "no difference shown"]

RESAMPLES = 2000
LEAST_GROUPS = 30
"""Fewer products that are not each other's variants decide nothing: their intervals are too narrow."""

LEAST_DIFFERING = 6
"""Fewer of them on which the models differ decide nothing: five that all agree happen by chance once in 16 times."""

_TAILS = (2.5, 97.5)
_DRAWN_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries.

    Attributes:
        mean: of the queries.
        low, high: ends of its 95 % interval.
        queries: how many, 1 or more.
        groups: how many of them are independent: variants of one product count once.
    """

    mean: float
    low: float
    high: float
    queries: int
    groups: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Two models on the same queries.

    Attributes:
        first, second: mean of each model.
        low, high: ends of the 95 % interval of second - first.
        queries: on how many queries it was decided, 1 or more.
        groups: how many of them are independent: variants of one product count once.
        differing: how many of the groups tell the models apart at all.
        verdict: of the second model against the first: "better" or "worse" where the interval excludes 0, with
            `LEAST_GROUPS` groups and `LEAST_DIFFERING` differing ones at least.
    """

    first: float
    second: float
    low: float
    high: float
    queries: int
    groups: int
    differing: int
    verdict: Verdict

    @property
    def difference(self) -> float:
        """The second's mean less the first's."""
        return self.second - self.first

    @property
    def too_few(self) -> str:
        """What there was too little of for any verdict; "" where there was enough."""
        if self.groups < LEAST_GROUPS:
            return f"{self.groups} independent queries; a verdict needs {LEAST_GROUPS}"
        if self.differing < LEAST_DIFFERING:
            return f"the models differ on {self.differing} queries; a verdict needs {LEAST_DIFFERING}"
        return ""


def interval(values: npt.NDArray[np.float64], groups: Sequence[Hashable], seed: int = 0) -> Interval:
    """The mean of queries with its 95 % interval.

    Shares (all values are 0 or 1) of independent queries have Wilson's interval: drawing from ten that are all right
    gives ten that are all right, and an interval without width.

    Args:
        values: (q,), a figure of each query; q of 1 or more.
        groups: q keys; queries of one key are drawn together.
        seed: of the draws.

    Raises:
        ValueError: no queries, or not equally many of both.
    """
    sums, counts = _by_group(values, groups)
    mean = float(values.mean())
    is_share = bool(np.isin(values, (0.0, 1.0)).all())
    if is_share and (len(counts) == len(values) or mean in (0.0, 1.0)):
        low, high = wilson_interval(mean, len(counts))
    else:
        low, high = _ends(sums, counts, seed)
    return Interval(mean, low, high, len(values), len(counts))


def paired_difference(
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    groups: Sequence[Hashable],
    seed: int = 0,
    higher_is_better: bool = True,
) -> Difference:
    """Compare two models by a figure of each query.

    Args:
        first, second: (q,), of the same queries in the same order; q of 1 or more.
        groups: q keys; queries of one key are drawn together.
        seed: of the draws.
        higher_is_better: whether a larger mean is a better model.

    Raises:
        ValueError: no queries, or not equally many of all.
    """
    if first.shape != second.shape:
        raise ValueError(f"{first.shape} and {second.shape} queries; permitted: the same queries for both")
    sums, counts = _by_group(second - first, groups)
    low, high = _ends(sums, counts, seed)
    differing = int((np.abs(sums) > 1e-12).sum())
    verdict: Verdict = "no difference shown"
    if len(counts) >= LEAST_GROUPS and differing >= LEAST_DIFFERING and (low > 0 or high < 0):
        verdict = "better" if (low > 0) is higher_is_better else "worse"
    return Difference(float(first.mean()), float(second.mean()), low, high, len(first), len(counts), differing, verdict)


def _by_group(
    values: npt.NDArray[np.float64], groups: Sequence[Hashable]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sum and number of the values of each group, (g,) each."""
    if not len(values) or len(values) != len(groups):
        raise ValueError(f"{len(values)} queries in {len(groups)} groups; permitted: a group for each, 1 or more")
    numbers: dict[Hashable, int] = {}
    places = np.asarray([numbers.setdefault(group, len(numbers)) for group in groups])
    sums = np.bincount(places, weights=values)
    return np.asarray(sums, dtype=np.float64), np.asarray(np.bincount(places), dtype=np.float64)


def _ends(sums: npt.NDArray[np.float64], counts: npt.NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Ends of the percentile interval of sum(sums) / sum(counts) over groups drawn with replacement."""
    rng = np.random.default_rng(seed)
    size = len(sums)
    means = []
    at_once = max(1, _DRAWN_AT_ONCE // size)
    for start in range(0, RESAMPLES, at_once):
        drawn = rng.integers(size, size=(min(at_once, RESAMPLES - start), size))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    low, high = np.percentile(np.concatenate(means), _TAILS)
    return float(low), float(high)
