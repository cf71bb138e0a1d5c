"""The products that a query's pages are made of: as they are ranked, duplicates folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from indexer.stores.points import DUPLICATE_SET_KEY
from indexer.stores.protocol import Scored

DEPTH = 1_000
"""How many a query has at most: so far its pages go, and so many are counted."""

MOST_SEARCHED = 4 * DEPTH
"""Products that are searched for at most to find so many that differ."""

KEY_BYTES = 8
"""Of a key: two of the 1,000 products of a walk are taken for the same in one walk of 4 * 10**13."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product found, with those that show the same.

    Attributes:
        hit: the best of them.
        name: what they have in common: the product's id, or that of the set that it is in.
        duplicates: ids of the others that were found, best first.
    """

    hit: Scored
    name: str
    duplicates: tuple[str, ...] = ()

    @property
    def key(self) -> bytes:
        """The name in `KEY_BYTES` bytes: by it a walk knows what it has given."""
        return key_of(self.name)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What was found for one query.

    Attributes:
        items: best first.
        are_all: whether no other product matches.
    """

    items: Sequence[Candidate]
    are_all: bool


def collect(
    found: Sequence[Scored],
    limit: int,
    wanted: int,
    keep_duplicates: bool,
    search: Callable[[int], Sequence[Scored]],
) -> Candidates:
    """The first products that differ.

    Args:
        found: the best products, best first.
        limit: how many were asked for; fewer were found: there are no others.
        wanted: how many are wanted, 1 to `DEPTH`.
        keep_duplicates: whether products of one set count as different ones.
        search: finds the best products anew, so many of them.

    Returns:
        `wanted` of them, or as many as there are among the first `MOST_SEARCHED` products.
    """
    items = fold(found, keep_duplicates)
    while len(items) < wanted and limit <= len(found) and limit < MOST_SEARCHED:
        # As if the rest had as many duplicates.
        limit = min(MOST_SEARCHED, 1 + limit * wanted // len(items))
        found = search(limit)
        items = fold(found, keep_duplicates)
    return Candidates(items[:wanted], len(found) < limit and len(items) <= wanted)


def fold(found: Sequence[Scored], keep_duplicates: bool) -> list[Candidate]:
    """Products that differ, each in its best hit's place."""
    sets: dict[str, list[Scored]] = {}
    for item in found:
        name = item.product_id if keep_duplicates else item.payload.get(DUPLICATE_SET_KEY, item.product_id)
        sets.setdefault(str(name), []).append(item)
    return [
        Candidate(first, name, tuple(item.product_id for item in others)) for name, (first, *others) in sets.items()
    ]


def key_of(name: str) -> bytes:
    """A short name for a long one."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()
