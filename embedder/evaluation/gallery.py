"""Products with the vectors of their pictures, searched exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Product

DEPTHS = (1, 10)
"""The k of recall@k."""

_BLOCK_SCORES = 1 << 24


@dataclass(frozen=True, slots=True)
class Recall:
    """Which share of queries found their very product.

    Attributes:
        at_1, at_10: share whose product is the first, or among the first ten; of equally near products each place is as
            likely as another.
        queries: how many there were, 1 or more.
    """

    at_1: float
    at_10: float
    queries: int


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Products and their pictures; a product is as near to a query as the nearest of its pictures.

    Attributes:
        products: p of them.
        vectors: float32 (n, dim), unit vectors of the pictures: each product's together, its main one first, the
            products in order.
        firsts: int (p,), each product's first row in `vectors`; p = 0 where there are none.
    """

    products: Sequence[Product]
    vectors: npt.NDArray[np.float32]
    firsts: npt.NDArray[np.intp]

    def __post_init__(self) -> None:
        if len(self.products) != len(self.firsts) or (len(self.firsts) and self.firsts[0] != 0):
            raise ValueError(f"{len(self.products)} products with {len(self.firsts)} first rows; permitted: one each")
        if np.any(np.diff(self.firsts, append=len(self.vectors)) < 1):
            raise ValueError("a product without a picture; permitted: 1 or more each, in order")

    @classmethod
    def of_main_pictures(cls, products: Sequence[Product], vectors: npt.NDArray[np.float32]) -> Self:
        """One picture each: vectors float32 (p, dim)."""
        return cls(products, vectors, np.arange(len(products), dtype=np.intp))

    def with_further(self, owners: Sequence[int], vectors: npt.NDArray[np.float32]) -> Gallery:
        """With more pictures.

        Args:
            owners: which product each belongs to, its place in `products`; any order.
            vectors: float32 (m, dim).
        """
        owner_of = np.concatenate([self.owners(), np.asarray(owners, dtype=np.intp)])
        order = np.argsort(owner_of, kind="stable")
        firsts = np.searchsorted(owner_of[order], np.arange(len(self.products)))
        return Gallery(self.products, np.concatenate([self.vectors, vectors])[order], firsts.astype(np.intp))

    def owners(self) -> npt.NDArray[np.intp]:
        """Which product each picture belongs to, (n,)."""
        return np.repeat(np.arange(len(self.products), dtype=np.intp), np.diff(self.firsts, append=len(self.vectors)))

    def main_pictures(self) -> Gallery:
        """The same products with their main picture only."""
        return Gallery.of_main_pictures(self.products, self.vectors[self.firsts])

    def recall(self, queries: npt.NDArray[np.float32], wanted: npt.NDArray[np.intp]) -> Recall:
        """Search with each query for one product.

        Args:
            queries: float32 (q, dim), 1 or more.
            wanted: (q,), the place in `products` of the one that each looks for.
        """
        at_1, at_10 = self.chances(queries, wanted).mean(axis=0)
        return Recall(float(at_1), float(at_10), len(queries))

    def chances(self, queries: npt.NDArray[np.float32], wanted: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """How likely each query's product is among the first k, (q, 2) for the k of `DEPTHS`.

        0 or 1, but for products that are equally near: a model which maps all pictures to one vector finds nothing by
        that, and of two products with the same picture each comes first half of the time.
        """
        found = np.empty((len(queries), len(DEPTHS)))
        size = max(1, _BLOCK_SCORES // max(1, len(self.vectors)))
        for start in range(0, len(queries), size):
            block = slice(start, start + size)
            scores = np.maximum.reduceat(queries[block] @ self.vectors.T, self.firsts, axis=1)
            found[block] = chances(scores, wanted[block])
        return found


def chances(scores: npt.NDArray[np.float32], wanted: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """How likely what each query looks for is among the first k, (q, 2) for the k of `DEPTHS`; of equal scores each
    place is as likely as another.

    Args:
        scores: float32 (q, n), of each query with each thing that may be found.
        wanted: int (q,), the one that each looks for.
    """
    own = scores[np.arange(len(scores)), wanted][:, None]
    # Written so that a score that is no number counts as ahead.
    ahead, equal = (~(scores <= own)).sum(axis=1), np.maximum(1, (scores == own).sum(axis=1))
    return np.stack([np.clip((k - ahead) / equal, 0, 1) for k in DEPTHS], axis=1)
