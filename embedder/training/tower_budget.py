"""How a budget is divided between what comes before the steps of a tuning, the steps, and what comes after them."""

from __future__ import annotations

from embedder.training.guard.sweep import SHARES
from embedder.training.pictures.features import Pace
from embedder.training.tuning.validation import pictures_for

GATHERING = 0.25
"""Share for looking at pictures before the towers are tuned, at most."""

LEAST_LOOKING_S = 10.0
"""Seconds for looking at pictures afterwards, at least."""

MEASUREMENTS = len(SHARES) + 2
"""By the guard: all mixtures, the base, and frozen towers with trained ends."""

_CLOSING, _LEAST_CLOSING_S = 0.25, 60.0
"""Of a budget, at most and at least, for guard, export and the instance part, which come after the steps."""

_EXPORT_S, _GUARD_FACTOR, _RESERVE = 90.0, 2.0, 1.3
"""Seconds for what is not looking at pictures; how much longer a picture takes in the guard, which looks with the model
that is tuned; and a factor on all of it, since other work may slow the machine."""


def closing_s(budget_s: float, pictures: int, pace: Pace) -> float:
    """Seconds to leave for what comes after the steps.

    Args:
        budget_s: of the whole training, seconds.
        pictures: how many are looked at again with the tuned towers.
        pace: of looking at them before; where all came from a cache it tells nothing, and the most is left.
    """
    most = _CLOSING * budget_s
    if pace.each_s is None:
        return max(_LEAST_CLOSING_S, most)
    # The catalog's pictures, and as many of the retention suite.
    guarded = MEASUREMENTS * 2 * pictures_for(budget_s)
    looking_s = pace.each_s * (pictures + _GUARD_FACTOR * guarded)
    return max(_LEAST_CLOSING_S, min(most, _RESERVE * (_EXPORT_S + looking_s)))
