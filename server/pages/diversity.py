"""Maximal marginal relevance: a page of different things instead of ten times nearly the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

POOL = 200
"""Of the best candidates that many change places with each other; the others follow as they are ranked."""

DEFAULT_RELEVANCE = 0.5


def varied_order(directions: npt.NDArray[np.float32], relevance: float) -> Sequence[int]:
    """The places of ranked products, in the order of maximal marginal relevance.

    Each next one is the best by `relevance` times its rank less the rest times its largest cosine with any before it.
    The rank goes from 1 for the first to 0 for the last: scores of texts and of pictures are of different sizes, and
    hits of a text are not even ranked by them.

    Args:
        directions: of the products, as they are ranked, float32 (n, dim), unit length.
        relevance: 0..1; 1 leaves the order as it is.

    Source: Carbonell and Goldstein 1998, "The use of MMR, diversity-based reranking".
    """
    count = len(directions)
    ranks = np.linspace(1.0, 0.0, count) if count > 1 else np.ones(count)
    likest = np.full(count, -np.inf)
    left = np.ones(count, dtype=bool)
    order: list[int] = []
    for _ in range(count):
        # Before there is any, nothing is like it.
        likeness = likest if order else np.zeros(count)
        worth = relevance * ranks - (1.0 - relevance) * likeness
        best = int(np.argmax(np.where(left, worth, -np.inf)))
        order.append(best)
        left[best] = False
        likest = np.maximum(likest, directions @ directions[best])
    return order
