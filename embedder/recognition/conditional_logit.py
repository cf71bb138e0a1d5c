"""Which of several alternatives is right, from a handful of features that each of them has.

Source: McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", 1974.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from embedder.recognition.projected_newton import minimize


def shares_of(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Row-wise softmax of (n, c), float64."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def fit_choice(
    features: npt.NDArray[np.float64],
    targets: npt.NDArray[np.floating],
    start: npt.NDArray[np.float64],
    ridge: float,
    offset: npt.NDArray[np.float64] | float = 0.0,
) -> npt.NDArray[np.float64]:
    """The weights, 0 or more, under which the right alternatives are likeliest, float64 (k,).

    The likelihood is concave in the weights, so projected Newton steps find its one maximum.

    Args:
        features: of n cases' c alternatives, finite, (k, n, c).
        targets: how much of each case's truth an alternative has, (n, c); rows sum to 1.
        start: where to begin, and what the weights are where nothing speaks for others, (k,).
        ridge: how strongly, in cases, for features of about 1.
        offset: added to the logits, (n, c) or what becomes that.
    """

    def logits_of(at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.tensordot(at, features, axes=1) + offset)

    def loss(at: npt.NDArray[np.float64]) -> float:
        logits = logits_of(at)
        highest = logits.max(axis=1)
        totals = np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest
        return float((totals - (targets * logits).sum(axis=1)).sum() + 0.5 * ridge * ((at - start) ** 2).sum())

    def slopes(at: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        shares = shares_of(logits_of(at))
        means = (features * shares).sum(axis=2)
        gradient = (means - (features * targets).sum(axis=2)).sum(axis=1) + ridge * (at - start)
        # Of the features under these shares, summed over the cases.
        covariance = np.einsum("ink,jnk,nk->ij", features, features, shares, optimize=True) - means @ means.T
        return gradient, covariance + ridge * np.eye(len(at))

    return minimize(loss, slopes, start, np.ones(len(start), dtype=bool))
