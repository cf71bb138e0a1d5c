"""Catalogs of tables: each row a product, each column a field, a picture or an attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from embedder.catalogs.catalog_file import Folder
from embedder.catalogs.guessed_columns import GuessedColumns, fields_without_pictures
from embedder.catalogs.outline import CatalogOutline, OutlineBuilder
from embedder.catalogs.product import AttributeKind, Product, Rejection, Split
from embedder.catalogs.rows.cell import has_control, shown
from embedder.catalogs.rows.columns import attribute_columns, check_columns, check_fields, picture_columns
from embedder.catalogs.rows.row import Row, RowReader
from embedder.catalogs.tables.cells import Role, Unreadable, column_values, reads_as_attribute, reads_kind
from embedder.catalogs.tables.table_file import TableFile, class_labels
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFetcher
from embedder.inputs.remote.object_store import RemoteFolder, scheme_of

SPLIT = "split"
# What pandas calls the index of a table that it writes.
_PANDAS_INDEX = "__index_level_"


class TableReader:
    """Reads tables batch by batch; no file is ever held in memory.

    Values keep their types. Bytes in a picture's column are pictures, an object of `bytes` and `path` is one too (as
    `datasets` keeps images), texts are paths; lists of these are several. Columns whose type no attribute has
    (numbers in lists, objects, bytes) are left out as a whole. A row's line is its number, from 1, counted over all
    files that are read; with `split`, files of other splits are not.
    """

    def __init__(
        self,
        location: str,
        files: Sequence[TableFile],
        *,
        split: Split | None = None,
        columns: Mapping[str, str] | None = None,
        allow_outside_pictures: bool = False,
        web: PictureFetcher | None = None,
        needs_pictures: bool = True,
    ) -> None:
        """Take files that were found, and check their columns.

        Args:
            location: the catalog's path or URL, for messages.
            files: one or more.
            split: read the rows only whose `split` column, or whose file's name, says so.
            columns: our field to the catalog's column, over the guesses.
            allow_outside_pictures: pictures may lie outside the catalog's folder.
            web: fetches pictures from web servers; None: that was not permitted.
            needs_pictures: whether a product must have one (see `RowReader`).

        Raises:
            CatalogError: column names given twice or with control characters, or no column for the id, for the
                picture, or of a name in `columns`.
        """
        self._named = dict(columns or {})
        check_fields(self._named)
        self._location = location
        self._all_files = files
        self._files = [file for file in files if split is None or file.split in (None, split)]
        self._split = split
        self._allow_outside = allow_outside_pictures
        self._web = web
        self._needs_pictures = needs_pictures
        self._outline: CatalogOutline | None = None
        self._types = _column_types(location, files)
        self._chosen = check_columns(location, self._types, self._named, needs_pictures)
        self._pictures = picture_columns(self._types, self._chosen)
        self._is_split_by_file = SPLIT not in self._chosen and any(file.split is not None for file in files)

    @property
    def name(self) -> str:
        """The file's or folder's name."""
        if scheme_of(self._location) is None:
            path = Path(self._location)
            return path.resolve().name or str(path)
        return RemoteFolder.at(self._location).path.rpartition("/")[2] or self._location

    @property
    def files(self) -> Sequence[TableFile]:
        """Those that are read, in their order."""
        return self._files

    def count(self) -> int:
        """The number of rows; the first call reads the catalog where its files do not say it, as `outline` does.

        Raises:
            CatalogError: a file is damaged.
        """
        counts = [file.rows for file in self._files]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) and self._split is None else self.outline().rows

    def outline(self) -> CatalogOutline:
        """How many products and rejected rows there are, and the kinds of the attributes; the first call reads them.

        Raises:
            CatalogError: a file is damaged.
        """
        if self._outline is None:
            builder = OutlineBuilder()
            for found in self.read():
                builder.add(found)
            self._outline = builder.outline()
        return self._outline

    def guessed_columns(self) -> GuessedColumns:
        """What the columns were taken for; reads no row."""
        wanted = attribute_columns(self._types, self._chosen)
        attributes = {name: _kinds(self._types[name]) for name in wanted if _is_attribute(name, self._types[name])}
        left_out = {
            name: "pandas' index" if name.startswith(_PANDAS_INDEX) else f"type {self._types[name]}"
            for name in wanted
            if name not in attributes and name
        }
        return GuessedColumns(
            self.name,
            fields_without_pictures(self._chosen),
            tuple(self._pictures),
            attributes,
            left_out,
            split_from="the files' names" if self._is_split_by_file else "",
        )

    def read(self) -> Iterator[Product | Rejection]:
        """Yield products and rejected rows in the files' order, in one pass.

        Raises:
            CatalogError: a file is damaged.
        """
        names = [name for name in self._types if self._is_used(name, self._types[name])]
        rows = RowReader(
            [*names, SPLIT] if self._is_split_by_file else names,
            self._named,
            folder=self._folder(),
            split=self._split,
            allow_outside_pictures=self._allow_outside,
            web=self._web,
            needs_pictures=self._needs_pictures,
        )
        return rows.read(self._rows())

    def _folder(self) -> Folder:
        """What pictures are relative to: a file's folder, or the folder that holds the files."""
        whole = self._all_files[0].file
        if whole.path is not None:
            path = Path(self._location).absolute()
            return path if path.is_dir() else path.parent
        at = RemoteFolder.at(self._location)
        return whole.folder if at.url == RemoteFolder.at(whole.location).url else at

    def _rows(self) -> Iterator[tuple[int, Row | str]]:
        """Yield row number and row, or what is wrong with it."""
        number = 0
        for file in self._files:
            used = [field.name for field in file.schema if self._is_used(field.name, field.type)]
            labels = class_labels(file.schema)
            for batch in file.batches(used):
                found = {name: column_values(batch.column(name), self._role(name), labels.get(name)) for name in used}
                for position in range(batch.num_rows):
                    number += 1
                    row = {name: values[position] for name, values in found.items()}
                    yield number, self._checked(row, file.split)

    def _checked(self, row: dict[str, object], split: Split | None) -> Row | str:
        for name, value in row.items():
            if isinstance(value, Unreadable):
                return f"column {shown(name)}: {value.detail}"
        if self._is_split_by_file:
            row[SPLIT] = split
        return row

    def _role(self, name: str) -> Role:
        if name in self._pictures:
            return Role.PICTURE
        return Role.FIELD if name in self._chosen.values() else Role.ATTRIBUTE

    def _is_used(self, name: str, kind: Any) -> bool:
        return self._role(name) is not Role.ATTRIBUTE or _is_attribute(name, kind)


def _is_attribute(name: str, kind: Any) -> bool:
    return bool(name) and not name.startswith(_PANDAS_INDEX) and reads_as_attribute(name, kind)


def _kinds(kind: Any) -> frozenset[AttributeKind]:
    return frozenset({reads_kind(kind)})


def _column_types(location: str, files: Sequence[TableFile]) -> dict[str, Any]:
    """The columns of all files, in order of appearance, with the type that each has first.

    Raises:
        CatalogError: a file names one twice, or one has control characters in its name.
    """
    columns: dict[str, Any] = {}
    for file in files:
        names: list[str] = file.schema.names
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise CatalogError(
                f"catalog {file.file.location!r} names columns twice: {', '.join(map(shown, repeated))}; permitted: "
                "once"
            )
        for field in file.schema:
            if has_control(field.name):
                raise CatalogError(
                    f"catalog {location!r} has a column {shown(field.name)}; permitted: names without control "
                    "characters"
                )
            columns.setdefault(field.name, field.type)
    return columns
