"""What a first pass over a catalog finds: how many rows, and which attributes of which kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from embedder.catalogs.captions import searched_words
from embedder.catalogs.product import AttributeKind, Product, Rejection, kind_of_value
from embedder.catalogs.registry import CatalogReader

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class CatalogOutline:
    """A catalog without its values.

    Attributes:
        rows: how many products and rejections `read` yields.
        most_pictures: of any one product; 0 where there is no product.
        attributes: name to the kinds of the values that the products have; mostly one kind, in JSON possibly more.
        title_words: of a title with its description, mean over the products that have one; 0: not known.
    """

    rows: int
    most_pictures: int
    attributes: Mapping[str, frozenset[AttributeKind]]
    title_words: float = field(default=0.0, compare=False)


@runtime_checkable
class OutlinedReader(Protocol):
    """A reader that has to look at its whole catalog anyway before it can read it, and so knows its outline."""

    def outline(self) -> CatalogOutline:
        """The outline; the first call reads the catalog, further ones and a following `read` do not read it again."""


class OutlineBuilder:
    """Collects an outline, row by row."""

    def __init__(self) -> None:
        self._rows = 0
        self._most_pictures = 0
        self._kinds: dict[str, set[AttributeKind]] = {}
        self._titles = 0
        self._words = 0

    def add(self, row: Product | Rejection) -> None:
        """Add one row."""
        self._rows += 1
        if isinstance(row, Product):
            self._most_pictures = max(self._most_pictures, len(row.pictures))
            if text := searched_words(row.title, row.category, row.description):
                self._titles += 1
                self._words += len(_WORD.findall(text))
            for name, value in row.attributes.items():
                self._kinds.setdefault(name, set()).add(kind_of_value(value))

    def outline(self) -> CatalogOutline:
        """The outline of the rows added so far."""
        return CatalogOutline(
            self._rows,
            self._most_pictures,
            {name: frozenset(kinds) for name, kinds in self._kinds.items()},
            self._words / max(1, self._titles),
        )


def outline_catalog(reader: CatalogReader, limit: int | None = None) -> CatalogOutline:
    """The outline of a catalog, or of its beginning: the reader's own where it has one, else from reading once.

    Args:
        reader: any reader, also one without an `outline`.
        limit: of the rows up to this many products; None: of all.

    Raises:
        CatalogError: the catalog cannot be read.
    """
    if limit is None and isinstance(reader, OutlinedReader):
        return reader.outline()
    builder = OutlineBuilder()
    for row in read_rows(reader, limit):
        builder.add(row)
    return builder.outline()


def read_rows(reader: CatalogReader, limit: int | None) -> Iterator[Product | Rejection]:
    """A reader's rows, up to and with the `limit`-th product; None: all."""
    products = 0
    for row in reader.read():
        yield row
        products += isinstance(row, Product)
        if limit is not None and products >= limit:
            return
