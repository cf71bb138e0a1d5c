"""How well queries found what is relevant to them, for each query by itself.

torchmetrics has these figures for one query at a time, and counts nothing with a score of 0 or less as found; cosines
may be negative. So they are computed here for all queries at once; tests compare them with torchmetrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DEPTH = 10
"""How many of the nearest are looked at; the k of mAP@k and nDCG@k."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one query found.

    Attributes:
        right: of the nearest `DEPTH` (or as many as there are), nearest first, whether each is relevant.
        first: place of the nearest relevant thing among all, from 1; 0 where nothing is relevant.
        relevant: how many things are relevant, 0 or more.
        nearest: product ids of the nearest, nearest first; as many as `right` has.
    """

    right: tuple[bool, ...]
    first: int
    relevant: int
    nearest: tuple[str, ...]


def find(
    scores: npt.NDArray[np.float32], relevant: npt.NDArray[np.bool_], ids: Sequence[str], depth: int = DEPTH
) -> Found:
    """Rank things by their scores; of equal scores the earlier thing is first.

    Args:
        scores: float32 (n,), n of 1 or more; -inf and NaN are last.
        relevant: bool (n,), whether each is what the query looks for.
        ids: n names.
        depth: how many of the nearest to keep, 1 or more.
    """
    order = nearest(scores, depth)
    right = relevant[order]
    first = 0
    total = int(relevant.sum())
    if right.any():
        first = int(right.argmax()) + 1
    elif total:
        own = scores[relevant]
        # No better than those that were looked at; what has no number for a score is last.
        known = own[~np.isnan(own)]
        first = max(len(order), int((scores > known.max()).sum())) + 1 if len(known) else len(scores)
    return Found(tuple(bool(value) for value in right), first, total, tuple(ids[place] for place in order))


def nearest(scores: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.intp]:
    """Indices of the k highest scores, highest first; fewer where there are fewer."""
    k = min(k, len(scores))
    if k == 0:
        return np.empty(0, dtype=np.intp)
    top = np.sort(np.argpartition(-scores, k - 1)[:k])
    return top[np.argsort(-scores[top], kind="stable")]


def relevance(found: Sequence[Found]) -> npt.NDArray[np.bool_]:
    """What queries found as a matrix (q, k), nearest first; all of them searched equally many things."""
    return np.asarray([item.right for item in found], dtype=bool).reshape(len(found), -1 if found else 0)


def hit_rate(relevance: npt.NDArray[np.bool_], k: int) -> npt.NDArray[np.float64]:
    """Whether anything relevant is among the first k, (q,); the mean over queries is recall@k as shops count it."""
    return np.asarray(relevance[:, :k].any(axis=1), dtype=np.float64)


def precision(relevance: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Share of those looked at that are relevant, (q,)."""
    return np.asarray(relevance.sum(axis=1) / max(1, relevance.shape[1]), dtype=np.float64)


def reciprocal_rank(first: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """1 / place of the first relevant thing, (q,); 0 where nothing is relevant.

    Args:
        first: int (q,), places from 1; 0: nothing is relevant.
    """
    return np.asarray(np.where(first > 0, 1.0 / np.maximum(first, 1), 0.0), dtype=np.float64)


def average_precision(
    relevance: npt.NDArray[np.bool_], relevant: npt.NDArray[np.integer], k: int = DEPTH
) -> npt.NDArray[np.float64]:
    """Average precision at k, (q,): the mean precision at the places of what is relevant.

    The mean is over all that could have been found, min(k, relevant); torchmetrics divides by what was found, so that
    a query which finds one of a hundred at the first place and nothing else has 1 there, and 1/k here.

    Args:
        relevance: bool (q, k or more), nearest first.
        relevant: int (q,), how many things are relevant.
        k: how many are looked at.
    """
    shown = relevance[:, :k].astype(np.float64)
    at = np.cumsum(shown, axis=1) / np.arange(1, shown.shape[1] + 1)
    return np.asarray((at * shown).sum(axis=1) / np.maximum(np.minimum(k, relevant), 1))


def ndcg(
    relevance: npt.NDArray[np.bool_], relevant: npt.NDArray[np.integer], k: int = DEPTH
) -> npt.NDArray[np.float64]:
    """Normalized discounted cumulative gain at k, (q,), with a gain of 1 for what is relevant (Järvelin and Kekäläinen,
    2002): 1 where all that fits into k places is relevant; 0 where nothing is relevant. Arguments as above.
    """
    shown = relevance[:, :k].astype(np.float64)
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    # Of no places the best gain is 0, of one place the first discount, and so on.
    best = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(k, relevant)]
    gain = shown @ discounts[: shown.shape[1]]
    return np.asarray(np.where(best > 0, gain / np.where(best > 0, best, 1.0), 0.0))
