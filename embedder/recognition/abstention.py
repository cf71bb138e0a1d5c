"""From which probability on an answer is given, so that few of the answers are wrong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from embedder.recognition.wilson import wilson_interval

MAX_TURNED_AWAY = 0.05
"""Share of queries for what is in a catalog that may be told it is not."""

_Z = 1.645
"""One-sided, 95 %."""


def threshold_for(probabilities: npt.NDArray[np.floating], right: npt.NDArray[np.bool_], max_error: float) -> float:
    """The lowest threshold at which at most `max_error` of what is answered is wrong, of held-out queries.

    Few queries prove little: the upper end of Wilson's interval (1927) of the share of wrong answers must be within the
    bound, so that a threshold is never chosen for a lucky handful.

    Args:
        probabilities: of the answers, (n,), 0..1; n may be 0.
        right: whether each was right, (n,).
        max_error: 0..1.

    Returns:
        0..1; above 1, where no threshold is proven to be enough: nothing is answered with certainty.
    """
    if not 0.0 <= max_error <= 1.0:
        raise ValueError(f"max_error {max_error}; permitted: 0 to 1")
    order = np.argsort(-np.asarray(probabilities), kind="stable")
    ranked = np.asarray(probabilities, dtype=np.float64)[order]
    wrong = np.cumsum(~np.asarray(right, dtype=bool)[order])
    chosen = np.nextafter(1.0, 2.0)
    for place in range(len(ranked)):
        # Equal probabilities are answered together.
        if place + 1 < len(ranked) and ranked[place + 1] == ranked[place]:
            continue
        if upper_bound(int(wrong[place]), place + 1) <= max_error:
            chosen = ranked[place]
    return float(chosen)


def turned_away(probabilities: npt.NDArray[np.floating], max_share: float) -> float:
    """The threshold below which a query that should be answered falls with a probability of at most `max_share`.

    Source: split conformal prediction (Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005, section
    4.1): of n + 1 queries alike, each is as likely as any other to be among the lowest.

    Args:
        probabilities: of such queries, (n,), 0..1; n may be 0.
        max_share: 0..1.

    Returns:
        0..1; 0 where there are too few queries for it: nothing is turned away.
    """
    if not 0.0 <= max_share <= 1.0:
        raise ValueError(f"max_share {max_share}; permitted: 0 to 1")
    ranked = np.sort(np.asarray(probabilities, dtype=np.float64))
    place = min(len(ranked), int(max_share * (len(ranked) + 1)))
    return float(ranked[place - 1]) if place else 0.0


def upper_bound(count: int, total: int) -> float:
    """Of a share of which `count` of `total` were seen, at 95 % (Wilson, 1927); 1 where there is nothing to go by."""
    if total == 0:
        return 1.0
    return wilson_interval(count / total, total, _Z)[1]
