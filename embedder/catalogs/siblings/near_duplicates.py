"""Pairs of pictures that are nearly the same, found without comparing each with each."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.catalogs.siblings.perceptual_hash import HASH_BYTES, THUMBNAIL_BYTES, PictureHash

MOST_BITS = 7
"""Most bits in which the hashes of near-duplicates differ; one less than there are bands of 16 bits."""

MOST_DIFFERENCE = 8.0
"""Most difference between the thumbnails of near-duplicates: root of the mean square, in levels of 255.

Both were chosen by what they join. Of 796 tuxpaint stamps: two pairs of the same drawing with another letter on it; of
10,000 Fashion-MNIST pictures, 28 pixels wide: some 20 groups of at most four articles that a person cannot tell apart
either. Copies of stamps found: 98 % of those at JPEG quality 40, 86 % of those at half the size. At 12 levels a chain
of 69 pairs of trousers would become one group.
"""

LEAST_SET = MOST_BITS + 1
"""A picture with fewer bits set is plain, and nearly the same as any other plain one: it is near to none."""

_BANDS = HASH_BYTES // 2
_AT_ONCE = 16_384


def find_near_duplicates(
    hashes: Sequence[PictureHash], deadline: float | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]] | None:
    """Find all pairs of pictures within `MOST_BITS` and `MOST_DIFFERENCE`; see `find_near_pairs`."""
    bits = np.frombuffer(b"".join(hashed.bits for hashed in hashes), dtype=np.uint8).reshape(-1, HASH_BYTES)
    thumbnails = np.frombuffer(b"".join(hashed.thumbnail for hashed in hashes), dtype=np.uint8)
    return find_near_pairs(bits, thumbnails.reshape(-1, THUMBNAIL_BYTES), deadline)


def find_near_pairs(
    bits: npt.NDArray[np.uint8], thumbnails: npt.NDArray[np.uint8], deadline: float | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]] | None:
    """Find all pairs of pictures within `MOST_BITS` and `MOST_DIFFERENCE`.

    The hash is cut into one band more than bits may differ: two hashes within the distance agree in a band at least.
    So only pictures that agree in a band are compared, and of these only those of about the same mean level: the
    thumbnails of others cannot be near.

    Args:
        bits: of n difference hashes, uint8 (n, HASH_BYTES), C-contiguous; the time grows with the pairs that agree in
            a band and in their level, not with all pairs.
        thumbnails: uint8 (n, THUMBNAIL_BYTES); may lie on disk.
        deadline: in `time.monotonic`'s seconds; None: as long as it takes.

    Returns:
        Pairs, int64 (m, 2), each once, the smaller position first; their difference, float32 (m,). None where the
        deadline has passed.
    """
    (detailed,) = np.nonzero(np.bitwise_count(bits).sum(axis=1) >= LEAST_SET)
    bands = bits.view(np.uint16)
    words = bits.view(np.uint64)
    levels = thumbnails.mean(axis=1, dtype=np.float32) if len(thumbnails) else np.empty(0, np.float32)
    pairs: list[npt.NDArray[np.int64]] = [np.empty((0, 2), dtype=np.int64)]
    for band in range(_BANDS):
        order = detailed[np.lexsort((levels[detailed], bands[detailed, band]))]
        keys, sorted_levels = bands[order, band], levels[order]
        starts = np.arange(len(order))
        offset = 0
        # Each with the next, then with the one after, ...: a start that has run out of its bucket or level is dropped.
        while len(starts):
            if deadline is not None and time.monotonic() >= deadline:
                return None
            offset += 1
            starts = starts[starts + offset < len(order)]
            ends = starts + offset
            alive = keys[starts] == keys[ends]
            alive &= sorted_levels[ends] - sorted_levels[starts] <= MOST_DIFFERENCE
            starts = starts[alive]
            pairs.append(_near(order[starts], order[starts + offset], words, thumbnails))
    found = np.unique(np.concatenate(pairs), axis=0)
    return found, _differences(found[:, 0], found[:, 1], thumbnails)


def _near(
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    words: npt.NDArray[np.uint64],
    thumbnails: npt.NDArray[np.uint8],
) -> npt.NDArray[np.int64]:
    """The pairs that are near, int64 (m, 2)."""
    within = np.bitwise_count(words[left] ^ words[right]).sum(axis=1) <= MOST_BITS
    left, right = left[within], right[within]
    within = _differences(left, right, thumbnails) <= MOST_DIFFERENCE
    return np.sort(np.stack([left[within], right[within]], axis=1), axis=1)


def _differences(
    left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], thumbnails: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    parts = [np.empty(0, dtype=np.float32)]
    for start in range(0, len(left), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        differences = thumbnails[left[some]].astype(np.float32) - thumbnails[right[some]]
        parts.append(np.sqrt((differences**2).mean(axis=1)))
    return np.concatenate(parts)
