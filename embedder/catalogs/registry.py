"""Finding the reader of a catalog by name.

Training and indexing read the same catalogs. A shop's own package adds a reader under the entry-point group
`merchlens.catalog_readers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from embedder.catalogs.product import Product, Rejection, Split
from embedder.errors import CatalogError

ENTRY_POINT_GROUP = "merchlens.catalog_readers"

_KIND_OF_SUFFIX = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class CatalogReader(Protocol):
    """A catalog that can be read from its start any number of times."""

    @property
    def name(self) -> str:
        """What to call the catalog in reports."""

    def read(self) -> Iterator[Product | Rejection]:
        """Yield products and rejected rows in the catalog's order; ids are unique among the products."""

    def count(self) -> int | None:
        """How many rows there are about, for a progress bar; None where counting would mean reading it all."""


class CatalogReaderFactory(Protocol):
    """What an entry point of the group must be."""

    def __call__(self, location: str, *, split: Split | None, columns: Mapping[str, str]) -> CatalogReader:
        """Make a reader.

        Args:
            location: what stood behind the kind, often a path; may be "".
            split: read this part of a published benchmark only; None reads all.
            columns: our field's name to the catalog's column name, over the reader's own guesses.

        Raises:
            CatalogError: no such catalog, or an argument that this kind of catalog does not know.
        """


def open_catalog(spec: str, *, split: Split | None = None, columns: Mapping[str, str] | None = None) -> CatalogReader:
    """Open a catalog: `fashion-mnist`, `folder:PATH`, `csv:PATH`, `jsonl:PATH`, or a bare PATH whose kind shows.

    Raises:
        CatalogError: an unknown kind (the known ones are named), or what the reader itself found wrong.
    """
    factories = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    kind, _, location = spec.partition(":")
    if kind not in factories:
        kind, location = _kind_of_path(spec, sorted(factories)), spec
    factory = cast(CatalogReaderFactory, factories[kind].load())
    return factory(location, split=split, columns=columns or {})


def parse_columns(pairs: Sequence[str] | None) -> dict[str, str]:
    """`["id=sku"]` to `{"id": "sku"}`, as the commands' `--column` takes it.

    Raises:
        CatalogError: something that is not FIELD=COLUMN.
    """
    columns = {}
    for pair in pairs or ():
        field, separator, name = pair.partition("=")
        if not (field and separator and name):
            raise CatalogError(f"column {pair!r}; permitted: FIELD=COLUMN, as in id=sku")
        columns[field] = name
    return columns


def _kind_of_path(spec: str, known: list[str]) -> str:
    path = Path(spec)
    if path.is_dir():
        return "folder"
    kind = _KIND_OF_SUFFIX.get(path.suffix.lower())
    if kind is None:
        raise CatalogError(
            f"catalog {spec!r}: neither a folder nor a file of a known kind; permitted: a folder, a file ending in "
            f"{', '.join(sorted(_KIND_OF_SUFFIX))}, or KIND:LOCATION with KIND one of {', '.join(known)}"
        )
    return kind
