"""Readers for catalogs of tables, by format; pyarrow is imported only here and below."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from embedder.catalogs.product import Split
from embedder.errors import MissingExtra
from embedder.inputs.picture import PictureFetcher

if TYPE_CHECKING:
    from embedder.catalogs.tables.reader import TableReader


def open_parquet(
    location: str,
    *,
    split: Split | None = None,
    columns: Mapping[str, str] | None = None,
    allow_outside_pictures: bool = False,
    web: PictureFetcher | None = None,
    needs_pictures: bool = True,
) -> TableReader:
    """A reader of a Parquet file, or of all Parquet files in a folder; arguments and errors as `TableReader`'s.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    return _open("find_parquet_files", location, split, columns, allow_outside_pictures, web, needs_pictures)


def open_arrow(
    location: str,
    *,
    split: Split | None = None,
    columns: Mapping[str, str] | None = None,
    allow_outside_pictures: bool = False,
    web: PictureFetcher | None = None,
    needs_pictures: bool = True,
) -> TableReader:
    """A reader of an Arrow file (IPC file, IPC stream or Feather); arguments and errors as `TableReader`'s.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    return _open("find_arrow_files", location, split, columns, allow_outside_pictures, web, needs_pictures)


def open_dataset(
    location: str,
    *,
    split: Split | None = None,
    columns: Mapping[str, str] | None = None,
    allow_outside_pictures: bool = False,
    web: PictureFetcher | None = None,
    needs_pictures: bool = True,
) -> TableReader:
    """A reader of a data set that `datasets` saved; arguments and errors as `TableReader`'s.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    return _open("find_dataset_files", location, split, columns, allow_outside_pictures, web, needs_pictures)


def _open(
    find: str,
    location: str,
    split: Split | None,
    columns: Mapping[str, str] | None,
    allow_outside_pictures: bool,
    web: PictureFetcher | None,
    needs_pictures: bool,
) -> TableReader:
    try:
        files: Any = import_module("embedder.catalogs.tables.files")
        from embedder.catalogs.tables.reader import TableReader
    except ImportError as error:
        raise MissingExtra(
            f"catalog {location!r} needs {error.name}, which is not installed; next step: pip install "
            "'merchlens[parquet]'"
        ) from error
    return TableReader(
        location,
        getattr(files, find)(location),
        split=split,
        columns=columns,
        allow_outside_pictures=allow_outside_pictures,
        web=web,
        needs_pictures=needs_pictures,
    )
