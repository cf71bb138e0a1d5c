"""Newton's method for a convex loss of a handful of weights, some of which may not be below 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float64]

_STEPS, _HALVINGS, _SMALL = 50, 30, 1e-7


def minimize(
    loss: Callable[[Weights], float],
    slopes: Callable[[Weights], tuple[Weights, Weights]],
    start: Weights,
    bounded: npt.NDArray[np.bool_],
) -> Weights:
    """The weights of least loss, float64 (k,).

    Args:
        loss: of weights.
        slopes: gradient (k,) and Hessian (k, k), which must be positive definite.
        start: where to begin; those that are bounded are 0 or more.
        bounded: which of them may not be below 0, bool (k,).
    """
    found = start.copy()
    for _ in range(_STEPS):
        gradient, hessian = slopes(found)
        # A weight at its bound that would go below it stays there.
        free = ~bounded | (found > 0) | (gradient < 0)
        step = np.zeros(len(found))
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        found = _descend(loss, found, step, bounded)
        if float(np.abs(step).max()) < _SMALL:
            break
    return found


def _descend(
    loss: Callable[[Weights], float], found: Weights, step: Weights, bounded: npt.NDArray[np.bool_]
) -> Weights:
    """The step, or as much of it as makes the loss no larger."""
    before, size = loss(found), 1.0
    for _ in range(_HALVINGS):
        moved = found - size * step
        moved = np.where(bounded, np.maximum(moved, 0.0), moved)
        if loss(moved) <= before:
            return moved
        size *= 0.5
    return found
