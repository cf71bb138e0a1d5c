"""The nearest products of every product, block by block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from embedder.index_space import IndexSpace
from indexer.building.calibration.held_out_queries import Searched

MOST_HELD = 20_000
"""Products that are compared with: of more a fair sample, so that the time grows with their number only."""

_ASKED_AT_ONCE, _HELD_AT_ONCE = 2_048, 8_192
"""Rows of a block of scores, and its columns: 64 MB."""


def nearest_products(
    vectors: npt.NDArray[np.float16], space: IndexSpace, owners: npt.NDArray[np.intp], count: int
) -> Searched:
    """What each product's picture finds among the others, as a picture query weighs the two parts of a vector.

    Args:
        vectors: one for each of n products, float16 (n, dim), unit length; may lie on disk.
        space: how queries are compared with them.
        owners: products that show the same thing have the same number, int (n,): none of them finds another.
        count: how many nearest are wanted, 1 or more.

    Returns:
        `count` of each, or fewer where there are no more; places among the n.
    """
    total = len(vectors)
    held = fair_sample(total, MOST_HELD)
    gallery = vectors[held].astype(np.float32)
    width = min(count, len(held))
    places = np.full((total, width), -1, dtype=np.intp)
    scores = np.full((total, width), -np.inf, dtype=np.float32)
    for start in range(0, total, _ASKED_AT_ONCE):
        rows = slice(start, start + _ASKED_AT_ONCE)
        queries, scales = space.queries(vectors[rows].astype(np.float32))
        queries *= scales[:, None]
        for begin in range(0, len(held), _HELD_AT_ONCE):
            columns = slice(begin, begin + _HELD_AT_ONCE)
            block = queries @ gallery[columns].T
            block[owners[rows, None] == owners[held[columns]]] = -np.inf
            _keep_best(places[rows], scores[rows], block, begin)
    return Searched(np.where(np.isfinite(scores), held[places], -1), scores)


def fair_sample(count: int, most: int) -> npt.NDArray[np.intp]:
    """Places of `count` things, ascending: all of them, or a uniform sample of `most`; the same each time."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


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
