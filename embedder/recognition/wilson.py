"""Wilson's interval of a share (1927): also of few things, and of shares near 0 and 1, as wide as it has to be."""

from __future__ import annotations

from math import sqrt

TWO_SIDED_95 = 1.959964
"""Standard deviations."""


def wilson_interval(share: float, count: int, z: float = TWO_SIDED_95) -> tuple[float, float]:
    """Ends of the interval of a share, 0..1, of `count` independent things, 1 or more; `z` in standard deviations."""
    spread = z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)
