"""What in a catalog is nearly the same, and so can be neither told apart nor measured; needs no labels."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Product

LEAST_COSINE = 0.995
"""Vectors nearer than this belong to pictures that the model cannot tell apart."""

EXAMPLES = 4
"""Product ids that a clash of titles names."""

_BLOCK_SCORES = 1 << 24


@dataclass(frozen=True, slots=True)
class TitleClash:
    """Products of nearly the same title in several categories.

    Attributes:
        title: as one of them has it.
        categories: two or more.
        products: how many there are, two or more.
        examples: ids of up to `EXAMPLES`, of as many categories as possible.
    """

    title: str
    categories: tuple[str, ...]
    products: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LikePair:
    """A test product and another one whose main pictures the model cannot tell apart.

    Attributes:
        product_id, other_id: the products; not each other's variants.
        cosine: of their vectors, `LEAST_COSINE` to 1.
    """

    product_id: str
    other_id: str
    cosine: float


def find_title_clashes(products: Sequence[Product]) -> tuple[TitleClash, ...]:
    """Titles that differ in nothing but case, punctuation and order of words, in several categories; largest first."""
    groups: dict[tuple[str, ...], list[Product]] = defaultdict(list)
    for product in products:
        if product.category is not None and (words := _words(product.title)):
            groups[words].append(product)
    clashes = []
    for group in groups.values():
        by_category: dict[str, list[Product]] = defaultdict(list)
        for product in group:
            by_category[product.category or ""].append(product)
        if len(by_category) > 1:
            firsts = [members[0].id for members in by_category.values()]
            rest = [member.id for members in by_category.values() for member in members[1:]]
            clashes.append(
                TitleClash(
                    group[0].title.strip(), tuple(sorted(by_category)), len(group), tuple((firsts + rest)[:EXAMPLES])
                )
            )
    return tuple(sorted(clashes, key=lambda clash: (-clash.products, clash.title)))


def find_like_pairs(
    tested: Sequence[Product],
    vectors: npt.NDArray[np.float32],
    products: Sequence[Product],
    searched: npt.NDArray[np.float32],
) -> tuple[LikePair, ...]:
    """For each test product the nearest other one, where the model cannot tell their pictures apart.

    Args:
        tested: q test products.
        vectors: float32 (q, dim), unit vectors of their main pictures.
        products: n products, the tested ones among them or not.
        searched: float32 (n, dim), unit vectors of theirs.

    Returns:
        The nearest pairs first; of two tested products one pair.
    """
    if not len(products) or not len(tested):
        return ()
    keys: dict[str, int] = {}
    group_of = np.asarray([keys.setdefault(product.variants_key, len(keys)) for product in products])
    found: dict[tuple[str, str], LikePair] = {}
    size = max(1, _BLOCK_SCORES // len(products))
    for start in range(0, len(tested), size):
        some = tested[start : start + size]
        scores = vectors[start : start + size] @ searched.T
        own = np.asarray([keys.get(product.variants_key, -1) for product in some])
        scores[own[:, None] == group_of[None, :]] = -np.inf
        best = scores.argmax(axis=1)
        for row, product in enumerate(some):
            nearest = int(best[row])
            cosine = float(scores[row, nearest])
            if cosine >= LEAST_COSINE:
                other = products[nearest].id
                pair = (min(product.id, other), max(product.id, other))
                found.setdefault(pair, LikePair(product.id, other, min(1.0, cosine)))
    return tuple(sorted(found.values(), key=lambda pair: (-pair.cosine, pair.product_id)))


def _words(title: str) -> tuple[str, ...]:
    """A title's words as a key: of any alphabet, sorted, in one case."""
    return tuple(sorted(re.findall(r"\w+", unicodedata.normalize("NFKC", title).casefold())))
