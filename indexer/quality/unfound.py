"""Products that no query finds: neither their own title nor a photo of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.index_space import IndexQuery
from indexer.quality.roll import ProductRoll

FOUND_AMONG = 100
"""A product counts as found among so many hits; in a small catalog, among a tenth of its products, ten or more."""

_HELD_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True)
class Unfound:
    """A product, and how many others each of its queries finds before it.

    Attributes:
        place: in the catalog's order.
        before_by_view: products that a photo of it finds first.
        before_by_title: ... its title; None where it has none.
    """

    place: int
    before_by_view: int
    before_by_title: int | None


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked.

    Attributes:
        asked: how many products were asked for.
        among: among so many hits a product counts as found.
        unfound: those that were not, the farthest first.
    """

    asked: int
    among: int
    unfound: tuple[Unfound, ...]


def search_products(
    encoder: Encoder,
    views: Mapping[str, npt.NDArray[np.float32]],
    roll: ProductRoll,
    owners: npt.NDArray[np.intp],
) -> Search:
    """Ask for some products by a view of their main picture, as a photo would show it, and by their title.

    Args:
        encoder: the model.
        views: index vectors of the views, float32 (dim,), by their products' ids: those that the build looked at to
            learn how sure a hit is.
        roll: all products, which are searched.
        owners: products that show the same thing have the same number, int (n,): each of them is as good.
    """
    among = min(FOUND_AMONG, max(10, len(roll) // 10))
    words = {place: words for place, words in enumerate(roll.words()) if words.id in views}
    wanted = list(words)
    titled = [number for number, place in enumerate(wanted) if words[place].title]
    by_title: dict[int, int] = {}
    if titled:
        queries = encoder.text_queries([words[wanted[number]].title for number in titled])
        before = _before(roll, owners, queries, [wanted[number] for number in titled])
        by_title = dict(zip(titled, before, strict=True))
    by_view = _before(roll, owners, [encoder.space.query(views[words[place].id]) for place in wanted], wanted)
    found = [
        Unfound(place, before, by_title.get(number))
        for number, (place, before) in enumerate(zip(wanted, by_view, strict=True))
        if min(before, by_title.get(number, before)) >= among
    ]
    return Search(len(wanted), among, tuple(sorted(found, key=lambda item: (-item.before_by_view, item.place))))


def _before(
    roll: ProductRoll, owners: npt.NDArray[np.intp], queries: Sequence[IndexQuery], wanted: Sequence[int]
) -> list[int]:
    """How many products each query finds before the one that is wanted, or before what shows the same."""
    if not queries:
        return []
    vectors, firsts, counts = roll.vectors(), roll.firsts, roll.counts
    asked = np.stack([query.vector for query in queries])
    best = np.empty(len(queries), dtype=np.float32)
    for number, place in enumerate(wanted):
        alike = np.flatnonzero(owners == owners[place])
        shown = np.concatenate([vectors[firsts[one] : firsts[one] + counts[one]] for one in alike])
        best[number] = (shown.astype(np.float32) @ asked[number]).max()
    before = np.zeros(len(queries), dtype=np.intp)
    for begin in range(0, len(roll), _HELD_AT_ONCE):
        some = slice(begin, begin + _HELD_AT_ONCE)
        start, end = firsts[some][0], firsts[some][-1] + counts[some][-1]
        cosines = asked @ vectors[start:end].astype(np.float32).T
        nearest = np.maximum.reduceat(cosines, firsts[some] - start, axis=1)
        # Half precision rounds: what is as near as that is not before.
        before += (nearest > best[:, None] + 1e-5).sum(axis=1)
    return [int(count) for count in before]
