"""Products and the vectors of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.registry import CatalogReader
from indexer.transfer.vector_rows import VectorProblem, VectorRow, VectorSource


@dataclass(frozen=True, slots=True, eq=False)
class PairedProduct:
    """A product with its vectors, float32 (k, dim), unit length, k of 1 or more."""

    product: Product
    vectors: npt.NDArray[np.float32]


class PairedRows:
    """A catalog beside its vectors.

    Vectors in a file of their own belong to the catalog's rows by their order: one to each product, and one to each row
    that is rejected. Vectors in the catalog's table belong to its rows by their number: a product with several rows has
    one of each.
    """

    def __init__(self, reader: CatalogReader, vectors: VectorSource, *, in_rows: bool) -> None:
        """Pair them; `in_rows`: the vectors are in the catalog's own rows."""
        self._reader = reader
        self._vectors = vectors
        self._in_rows = in_rows

    def outline(self) -> tuple[int, int]:
        """How many rows the catalog has, as vectors belong to them, and how many vectors a product has at most.

        Raises:
            CatalogError: the catalog cannot be read.
        """
        rows = most = 0
        for _, count in self._spans():
            rows, most = rows + count, max(most, count)
        return rows, most

    def read(self) -> Iterator[PairedProduct | Rejection]:
        """Products that have vectors, and rejections, in the catalog's order.

        Raises:
            CatalogError: catalog or vectors cannot be read.
        """
        remaining = (row for rows in self._vectors.read() for row in rows)
        for item, count in self._spans():
            found = list(islice(remaining, count))
            yield item if isinstance(item, Rejection) else _pair(item, found)

    def _spans(self) -> Iterator[tuple[Product | Rejection, int]]:
        """Products and rejected rows, with how many rows they have."""
        if not self._in_rows:
            yield from ((item, 1) for item in self._items())
            return
        waiting: Product | Rejection | None = None
        for item in self._items():
            if waiting is not None:
                yield waiting, item.line - waiting.line
            waiting = item
        if waiting is not None:
            yield waiting, self._vectors.rows + 1 - waiting.line

    def _items(self) -> Iterator[Product | Rejection]:
        """One picture of a product that was left out is no row."""
        return (item for item in self._reader.read() if isinstance(item, Product) or not item.picture)


def _pair(product: Product, found: Sequence[VectorRow]) -> PairedProduct | Rejection:
    for row in found:
        if isinstance(row, VectorProblem):
            return Rejection(product.line, product.id, row.reason, row.detail)
    vectors = [row for row in found if not isinstance(row, VectorProblem)]
    pictures = len(product.pictures)
    # Which picture a vector is of, is known where there is one alone, and where there are as many.
    if len(vectors) not in (1, pictures):
        return Rejection(
            product.line,
            product.id,
            "VECTOR_COUNT",
            f"{len(vectors)} vectors in as many rows, and {pictures} pictures; permitted: one vector, or one a picture",
        )
    return PairedProduct(product, np.stack(vectors))
