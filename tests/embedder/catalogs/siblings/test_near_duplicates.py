"""The quick search for near pairs finds exactly the pairs that comparing each with each finds."""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest

from embedder.catalogs.siblings.near_duplicates import LEAST_SET, MOST_BITS, MOST_DIFFERENCE, find_near_duplicates
from embedder.catalogs.siblings.perceptual_hash import HASH_BYTES, THUMBNAIL_BYTES, PictureHash


def near_pairs(hashes: list[PictureHash]) -> set[tuple[int, int]]:
    found = find_near_duplicates(hashes)
    assert found is not None
    pairs, differences = found
    assert len(pairs) == len({tuple(pair) for pair in pairs.tolist()}) == len(differences)
    return {(left, right) for left, right in pairs.tolist()}


def naive_pairs(hashes: list[PictureHash]) -> set[tuple[int, int]]:
    bits = [np.unpackbits(np.frombuffer(one.bits, np.uint8)) for one in hashes]
    thumbnails = [np.frombuffer(one.thumbnail, np.uint8).astype(np.float32) for one in hashes]
    return {
        (left, right)
        for left, right in combinations(range(len(hashes)), 2)
        if min(bits[left].sum(), bits[right].sum()) >= LEAST_SET
        and (bits[left] != bits[right]).sum() <= MOST_BITS
        and np.sqrt(((thumbnails[left] - thumbnails[right]) ** 2).mean()) <= MOST_DIFFERENCE
    }


@pytest.mark.parametrize("seed", range(5))
def test_all_near_pairs_are_found_and_no_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hashes = []
    for _ in range(25):
        # Few bits set, as on plain grounds, so that many pictures agree in a band.
        bits = (rng.random(8 * HASH_BYTES) < 0.15).astype(np.uint8)
        thumbnail = rng.integers(20, 236, THUMBNAIL_BYTES)
        for _ in range(12):
            flipped = bits.copy()
            flipped[rng.choice(8 * HASH_BYTES, rng.integers(0, 8), replace=False)] ^= 1
            noise = rng.normal(rng.normal(0, 3), rng.uniform(0, 8), THUMBNAIL_BYTES)
            near = np.clip(thumbnail + noise, 0, 255).astype(np.uint8)
            hashes.append(PictureHash(b"", np.packbits(flipped).tobytes(), near.tobytes()))
    expected = naive_pairs(hashes)
    assert len(expected) > 100
    assert near_pairs(hashes) == expected


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_have_no_pairs(count: int) -> None:
    assert near_pairs([PictureHash(b"", bytes([255] * HASH_BYTES), bytes(THUMBNAIL_BYTES))] * count) == set()


def test_the_search_gives_up_at_its_deadline() -> None:
    hashes = [PictureHash(b"", bytes([255] * HASH_BYTES), bytes(THUMBNAIL_BYTES))] * 3
    assert find_near_duplicates(hashes, time.monotonic() - 1) is None
    assert find_near_duplicates(hashes, time.monotonic() + 60) is not None
