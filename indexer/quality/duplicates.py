"""Products that show the same thing: the same file, or the same picture encoded again.

A page of results shows each thing once by the key that these products get; so different products that look alike must
not be among them, and what is in doubt is left apart.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.catalogs.siblings.disjoint_sets import DisjointSets
from embedder.catalogs.siblings.groups import MOST_ALIKE
from embedder.catalogs.siblings.near_duplicates import find_near_pairs
from embedder.catalogs.siblings.perceptual_hash import THUMBNAIL_BYTES
from indexer.quality.roll import ProductRoll
from indexer.stores.points import DUPLICATE_SET_KEY
from indexer.stores.protocol import VersionWriter

MOST_DIFFERENCE = 3.0
"""Most difference between the thumbnails: root of the mean square, in levels of 255."""

MOST_CELL_DIFFERENCE = 16
"""Most difference of any one cell and channel, in levels of 255: a small part in another colour is another product.

The limits lie between what was seen on validation catalogs of the studio (seeds 101 to 104): copies as JPEG of quality
40 and up, also at 60 % of the side, differ by 2.7 and 12 at most; different products by 3.1 and 22 at least.
"""

MOST_STRETCH = 1.03
"""Most that the proportions of the one are those of the other."""

LEAST_COSINE = 0.65
"""Least cosine of the index vectors, 0.76 and more of those copies: a tower may see what a thumbnail does not show."""

_PATIENCE_S = 600.0
_AT_ONCE = 4_096

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DuplicateSet:
    """Products that show the same thing.

    Attributes:
        members: their places in the catalog's order, 2 or more, ascending.
        identical: whether their main pictures are one file, byte by byte.
    """

    members: tuple[int, ...]
    identical: bool


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found.

    Attributes:
        sets: by their first member; no product is in two.
        placeholders: products whose main picture more than `MOST_ALIKE` products show, and more than a hundredth: "no
            image available" is not a thing. They are in no set; one tuple for each such picture.
        compared: whether near-duplicates were looked for; False: it would have taken too long.
    """

    sets: tuple[DuplicateSet, ...] = ()
    placeholders: tuple[tuple[int, ...], ...] = ()
    compared: bool = True

    def owners(self, products: int) -> npt.NDArray[np.intp]:
        """For each product the place of the first of its set, its own where it is in none: int (n,)."""
        owners = np.arange(products)
        for found in self.sets:
            owners[list(found.members)] = found.members[0]
        return owners


def find_duplicates(roll: ProductRoll, patience_s: float = _PATIENCE_S) -> Duplicates:
    """Group products by their main pictures.

    Near-duplicates are sought by the bands of their difference hashes, so that the time does not grow with all pairs,
    and confirmed by thumbnails, proportions and index vectors. Sets that near-duplicates chain together beyond
    `MOST_ALIKE` products are joined by identical pictures only.

    Args:
        roll: the products.
        patience_s: seconds after which near-duplicates are given up.
    """
    count = len(roll)
    if count < 2:
        return Duplicates()
    firsts = roll.firsts
    _, first_of, content = np.unique(roll.traits()["content"][firsts], return_index=True, return_inverse=True)
    most = max(MOST_ALIKE, count // 100)
    shown = np.bincount(content)
    crowded = np.flatnonzero(shown > most)
    again = np.flatnonzero((shown[content] > 1) & (shown[content] <= most))
    identical = np.stack([first_of[content[again]], again], axis=1)
    alone = np.sort(first_of[shown <= most])
    pairs = _near(roll, alone, patience_s)
    found = [
        DuplicateSet(members, len(set(content[list(members)].tolist())) == 1)
        for members in _grouped(identical, pairs if pairs is not None else identical[:0], most)
    ]
    return Duplicates(
        tuple(sorted(found, key=lambda item: item.members[0])),
        tuple(tuple(np.flatnonzero(content == shared).tolist()) for shared in crowded),
        pairs is not None,
    )


def mark_duplicates(writer: VersionWriter, roll: ProductRoll, duplicates: Duplicates) -> None:
    """Have all products of each set bear its key."""
    words = roll.words_at({place for found in duplicates.sets for place in found.members})
    ids = [words[place].id for found in duplicates.sets for place in found.members]
    keys = [words[found.members[0]].id for found in duplicates.sets for _ in found.members]
    if ids:
        writer.mark(ids, DUPLICATE_SET_KEY, keys)


def _near(roll: ProductRoll, candidates: npt.NDArray[np.intp], patience_s: float) -> npt.NDArray[np.intp] | None:
    """Pairs of products, int (m, 2), whose main pictures are near-duplicates; None where that takes too long."""
    kept = [np.empty((0, 2), dtype=np.intp)]
    if len(candidates) < 2:
        return kept[0]
    traits, vectors, firsts = roll.traits(), roll.vectors(), roll.firsts
    shown = firsts[candidates]
    # Side by side on disk: half a kilobyte of each product is too much to hold.
    try:
        thumbnails = roll.scratch(len(shown), THUMBNAIL_BYTES)
    except OSError as error:
        _log.warning("near-duplicates are not known in this version: no room to compare pictures in (%s)", error)
        return None
    for start in range(0, len(shown), _AT_ONCE):
        thumbnails[start : start + _AT_ONCE] = traits["thumbnail"][shown[start : start + _AT_ONCE]]
    bits = np.ascontiguousarray(traits["bits"][shown])
    found = find_near_pairs(bits, thumbnails, time.monotonic() + patience_s)
    if found is None:
        _log.warning("near-duplicates are not known in this version: after %.0f s too many were left", patience_s)
        return None
    pairs = found[0][found[1] <= MOST_DIFFERENCE]
    for start in range(0, len(pairs), _AT_ONCE):
        left, right = pairs[start : start + _AT_ONCE].T
        levels = np.abs(thumbnails[left].astype(np.int16) - thumbnails[right]).max(axis=1)
        shapes = [traits["width"][shown[side]] / np.maximum(traits["height"][shown[side]], 1) for side in (left, right)]
        stretch = np.maximum(shapes[0] / shapes[1], shapes[1] / shapes[0])
        ours, theirs = (vectors[shown[side]].astype(np.float32) for side in (left, right))
        near = (levels <= MOST_CELL_DIFFERENCE) & (stretch <= MOST_STRETCH)
        near &= (ours * theirs).sum(axis=1) >= LEAST_COSINE
        kept.append(candidates[np.stack([left[near], right[near]], axis=1)])
    return np.concatenate(kept)


def _grouped(identical: npt.NDArray[np.intp], near: npt.NDArray[np.intp], most: int) -> Iterator[tuple[int, ...]]:
    """Sets of two or more products, ascending, joined along both kinds of pairs, int (n, 2).

    Near-duplicates join none into what would be larger than `most`.
    """
    # Only of those that are in a pair: most products are in none.
    places, compact = np.unique(np.concatenate([identical, near]), return_inverse=True)
    pairs = compact.reshape(-1, 2)
    sets = DisjointSets(len(places))
    for left, right in pairs[: len(identical)].tolist():
        sets.join(left, right)
    trial = sets.copy()
    for left, right in pairs[len(identical) :].tolist():
        trial.join(left, right)
    sizes = {members[0]: len(members) for members in trial.groups()}
    for left, right in pairs[len(identical) :].tolist():
        if sizes[trial.find(left)] <= most:
            sets.join(left, right)
    for members in sets.groups():
        if len(members) > 1:
            yield tuple(places[members].tolist())


def excess(sets: Sequence[DuplicateSet]) -> int:
    """How many products a page loses where each set is shown once."""
    return sum(len(found.members) - 1 for found in sets)
