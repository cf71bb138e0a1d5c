"""The nearest products of every product, exactly, block by block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from embedder.index_space import IndexSpace
from indexer.building.held_out_queries import Searched

_ASKED_AT_ONCE, _HELD_AT_ONCE = 2_048, 8_192
"""Rows of a block of scores, and its columns: 64 MB."""


def nearest_products(
    vectors: npt.NDArray[np.float16], space: IndexSpace, owners: npt.NDArray[np.intp], count: int
) -> Searched:
    """What each product's picture finds among the others, as a picture query weighs the two parts of a vector.

    The time grows with the square of the number of products: 100,000 of them take some minutes of one core.

    Args:
        vectors: one for each of n products, float16 (n, dim), unit length; may lie on disk.
        space: how queries are compared with them.
        owners: products that show the same thing have the same number, int (n,): none of them finds another.
        count: how many nearest are wanted, 1 or more.

    Returns:
        `count` of each, or n where there are fewer.
    """
    total = len(vectors)
    width = min(count, total)
    places = np.full((total, width), -1, dtype=np.intp)
    scores = np.full((total, width), -np.inf, dtype=np.float32)
    for start in range(0, total, _ASKED_AT_ONCE):
        rows = slice(start, start + _ASKED_AT_ONCE)
        queries, scales = space.queries(vectors[rows].astype(np.float32))
        queries *= scales[:, None]
        for begin in range(0, total, _HELD_AT_ONCE):
            columns = slice(begin, begin + _HELD_AT_ONCE)
            block = queries @ vectors[columns].astype(np.float32).T
            block[owners[rows, None] == owners[columns]] = -np.inf
            _keep_best(places[rows], scores[rows], block, begin)
    places[~np.isfinite(scores)] = -1
    return Searched(places, scores)


def _keep_best(
    places: npt.NDArray[np.intp], scores: npt.NDArray[np.float32], block: npt.NDArray[np.float32], begin: int
) -> None:
    """Put what is nearer in a block than what was found so far in its place, nearest first, ties by place."""
    width = scores.shape[1]
    if block.shape[1] > width:
        chosen = np.argpartition(-block, width - 1, axis=1)[:, :width]
    else:
        chosen = np.broadcast_to(np.arange(block.shape[1]), block.shape)
    both = np.concatenate([scores, np.take_along_axis(block, chosen, axis=1)], axis=1)
    where = np.concatenate([places, chosen + begin], axis=1)
    order = np.lexsort((where, -both), axis=1)[:, :width]
    scores[:], places[:] = np.take_along_axis(both, order, axis=1), np.take_along_axis(where, order, axis=1)
