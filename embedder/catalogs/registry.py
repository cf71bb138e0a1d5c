"""Finding the reader of a catalog by name.

Training and indexing read the same catalogs. The readers of this package are in one table; a shop's own package adds
further ones under the entry-point group `merchlens.catalog_readers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, cast

from embedder.catalogs.product import Product, Rejection, Split
from embedder.catalogs.saved_dataset import is_saved_dataset
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFetcher

ENTRY_POINT_GROUP = "merchlens.catalog_readers"


class CatalogReader(Protocol):
    """A catalog that can be read from its start any number of times.

    One that has to look at all of its rows before it can read them may have `outline` too (`OutlinedReader`), so that
    a build does not read it once more.
    """

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
            location: what followed the kind, often a path; may be "".
            split: read this split of a published benchmark only; None reads all.
            columns: our field's name to the catalog's column name, over the reader's own guesses.

        Raises:
            CatalogError: no such catalog, or an argument that this kind of catalog does not know.
        """


@dataclass(frozen=True, slots=True)
class BuiltInReader:
    """A reader of this package; its module is imported when a catalog of its kind is opened.

    Attributes:
        target: "module:Class", or a function; it takes what `CatalogReaderFactory` says, and `allow_outside_pictures`.
        usage: how a catalog of this kind is named, for people.
        suffixes: of files that are of this kind where none is given.
        names_pictures: whether its rows name pictures, which may be on web servers; then it takes `web` and
            `needs_pictures` too.
    """

    target: str
    usage: str
    suffixes: tuple[str, ...] = ()
    names_pictures: bool = False


BUILT_IN: Mapping[str, BuiltInReader] = {
    "fashion-mnist": BuiltInReader("embedder.datasets.fashion_mnist:FashionMnistReader", "fashion-mnist"),
    "tuxpaint-stamps": BuiltInReader("embedder.datasets.tuxpaint_stamps:TuxpaintStampsReader", "tuxpaint-stamps"),
    "studio": BuiltInReader(
        "embedder.datasets.studio.reader:StudioReader", "studio:products=N,seed=N,views=VIEW+VIEW,split=SPLIT"
    ),
    "folder": BuiltInReader("embedder.catalogs.picture_folder:PictureFolderReader", "folder:PATH"),
    "product-folders": BuiltInReader("embedder.catalogs.product_folders:ProductFoldersReader", "product-folders:PATH"),
    "csv": BuiltInReader("embedder.catalogs.delimited:DelimitedReader", "csv:PATH", (".csv", ".tsv", ".txt"), True),
    "jsonl": BuiltInReader("embedder.catalogs.json_lines:JsonLinesReader", "jsonl:PATH", (".jsonl", ".ndjson"), True),
    "parquet": BuiltInReader(
        "embedder.catalogs.tables.opening:open_parquet", "parquet:PATH", (".parquet", ".pq"), True
    ),
    "arrow": BuiltInReader(
        "embedder.catalogs.tables.opening:open_arrow", "arrow:PATH", (".arrow", ".feather", ".ipc", ".arrows"), True
    ),
    "hf-dataset": BuiltInReader("embedder.catalogs.tables.opening:open_dataset", "hf-dataset:FOLDER", (), True),
}

CATALOG_HELP = f"{', '.join(reader.usage for reader in BUILT_IN.values())}, or a path"
"""For the commands' `--catalog`."""


def open_catalog(
    spec: str,
    *,
    split: Split | None = None,
    columns: Mapping[str, str] | None = None,
    allow_outside_pictures: bool = False,
    web: PictureFetcher | None = None,
    needs_pictures: bool = True,
) -> CatalogReader:
    """Open a catalog: KIND:LOCATION, as in `BUILT_IN` or of a shop's own kind, or a bare PATH whose kind is recognized.

    Args:
        spec: which catalog.
        split: read this split of a published benchmark only; None reads all.
        columns: our field's name to the catalog's column name, over the reader's own guesses.
        allow_outside_pictures: pictures may lie outside the catalog's folder (an absolute path, "..", a link that leads
            out). A shop's own reader decides for itself which files it reads.
        web: fetches pictures that rows name by http:// and https://; None: that was not permitted.
        needs_pictures: whether a product whose row names none is rejected; a shop's own reader decides for itself.

    Raises:
        CatalogError: an unknown kind (the known ones are named), a reader that cannot be loaded, or what the reader
            itself found wrong.
    """
    added = _added_readers()
    kind, _, location = spec.partition(":")
    if kind not in BUILT_IN and kind not in added:
        kind, location = _kind_of_path(spec, sorted({*BUILT_IN, *added})), spec
    if kind in added:
        factory = cast(CatalogReaderFactory, _load(kind, added[kind]))
        return factory(location, split=split, columns=columns or {})
    module, _, name = BUILT_IN[kind].target.partition(":")
    built_in: Any = getattr(import_module(module), name)
    further = {"web": web, "needs_pictures": needs_pictures} if BUILT_IN[kind].names_pictures else {}
    reader: CatalogReader = built_in(
        location, split=split, columns=columns or {}, allow_outside_pictures=allow_outside_pictures, **further
    )
    return reader


def parse_columns(pairs: Sequence[str] | None) -> dict[str, str]:
    """`["id=sku"]` to `{"id": "sku"}`, as the commands' `--map` takes it.

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


def _added_readers() -> dict[str, list[EntryPoint]]:
    """Entry points by name, without those that say what the table says (installed by an earlier release)."""
    added: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if not (point.name in BUILT_IN and point.value == BUILT_IN[point.name].target):
            added.setdefault(point.name, []).append(point)
    return added


def _load(kind: str, points: Sequence[EntryPoint]) -> object:
    point = points[0]
    whose = " and ".join(f"{point.value!r} of {point.dist.name if point.dist else 'no package'}" for point in points)
    if kind in BUILT_IN:
        raise CatalogError(
            f"catalog reader {whose} is called {kind!r}, as one of Merchlens's own is; next step: give it another name "
            f"in its entry points ({ENTRY_POINT_GROUP}), or uninstall it"
        )
    if len({point.value for point in points}) > 1:
        raise CatalogError(
            f"several catalog readers are called {kind!r}: {whose}; next step: uninstall all but one of the packages"
        )
    try:
        loaded = point.load()
        if not callable(loaded):
            raise TypeError(f"{type(loaded).__name__} is neither a class nor a function")
        return loaded
    # Whatever a shop's own module does when it is imported, it is that module that must be fixed.
    except Exception as error:
        raise CatalogError(
            f"catalog reader {kind!r} ({whose}) cannot be loaded: {type(error).__name__}: {error}; next step: fix or "
            "uninstall it"
        ) from error


def _kind_of_path(spec: str, known: list[str]) -> str:
    path = Path(spec)
    if path.is_dir():
        return "hf-dataset" if is_saved_dataset(path) else "folder"
    kinds = {suffix: kind for kind, reader in BUILT_IN.items() for suffix in reader.suffixes}
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise CatalogError(
            f"catalog {spec!r}: neither a folder nor a file of a known kind; permitted: a folder, a file ending in "
            f"{', '.join(sorted(kinds))}, or KIND:LOCATION with KIND one of {', '.join(known)}"
        )
    return kind
