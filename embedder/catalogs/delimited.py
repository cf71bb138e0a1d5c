"""CSV, TSV and similar files: one product a row, cells separated by a character, the first row naming the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from embedder.catalogs.catalog_file import CatalogFile, check_utf8, find_catalog_file, open_catalog_text
from embedder.catalogs.delimited_records import MAX_FIELD_CHARACTERS, Record, read_records
from embedder.catalogs.guessed_columns import SAMPLED_ROWS, GuessedColumns, guess
from embedder.catalogs.outline import CatalogOutline, OutlineBuilder
from embedder.catalogs.product import AttributeKind, Product, Rejection, Split
from embedder.catalogs.rows.cell import has_control, kind_of, shown
from embedder.catalogs.rows.columns import attribute_columns, check_columns, check_fields
from embedder.catalogs.rows.row import Row, RowReader
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFetcher

DELIMITERS = ",;\t|"


class DelimitedReader:
    """Reads a CSV, TSV or text file with a header, without holding it in memory.

    The delimiter (comma, semicolon, tab or pipe) is found from the header. Line numbers are physical lines; a quoted
    cell may span several. Columns without a name are skipped. An attribute column is read as numbers or as yes
    and no where all its cells are (found in a separate pass, so that a filter meets one type), else as texts. That
    pass counts the rows and finds the catalog's outline too: outline and read are two passes over the file together.
    """

    def __init__(
        self,
        location: str,
        *,
        split: Split | None = None,
        columns: Mapping[str, str] | None = None,
        allow_outside_pictures: bool = False,
        web: PictureFetcher | None = None,
        needs_pictures: bool = True,
    ) -> None:
        """Open a catalog and check its header.

        Args:
            location: the file's path, or its URL in an object store.
            split: read the rows only whose `split` column says so.
            columns: our field to the catalog's column, over the guesses.
            allow_outside_pictures: pictures may lie outside the file's folder.
            web: fetches pictures from web servers; None: that was not permitted.
            needs_pictures: whether a product must have one (see `RowReader`).

        Raises:
            CatalogError: no such file, no header, column names given twice or with control characters, or no column
                for the id, for the picture, or of a name in `columns`.
        """
        self._named = dict(columns or {})
        check_fields(self._named)
        self._file = find_catalog_file(location)
        self._split = split
        self._allow_outside = allow_outside_pictures
        self._web = web
        self._needs_pictures = needs_pictures
        self._kinds: dict[str, AttributeKind] = {}
        self._outline: CatalogOutline | None = None
        # The limit is the csv module's, for the whole process: it is raised, never lowered.
        csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD_CHARACTERS))
        self._delimiter, self._header = _read_header(self._file)
        repeated = sorted({name for name in self._header if name and self._header.count(name) > 1})
        if repeated:
            raise CatalogError(
                f"catalog {location!r} names columns twice: {', '.join(map(shown, repeated))}; permitted: once"
            )
        self._names = [name for name in self._header if name]
        self._chosen = check_columns(location, self._names, self._named, needs_pictures)
        self._attributes = attribute_columns(self._names, self._chosen)

    @property
    def name(self) -> str:
        """The file's name."""
        return self._file.name

    def count(self) -> int:
        """The number of products and rejected rows; the first call reads the file, as `outline` does.

        Raises:
            CatalogError: the file is not UTF-8.
        """
        return self.outline().rows

    def outline(self) -> CatalogOutline:
        """How many rows there are, and the kinds of the attributes; the first call reads the file.

        Raises:
            CatalogError: the file is not UTF-8.
        """
        if self._outline is None:
            kinds: dict[str, AttributeKind] = {}
            builder = OutlineBuilder()
            for found in self._row_reader({}).read(self._noting_kinds(kinds)):
                builder.add(found)
            texts = builder.outline()
            self._kinds = kinds
            typed = {name: frozenset({kinds[name]}) for name in texts.attributes}
            self._outline = replace(texts, attributes=typed)
        return self._outline

    def guessed_columns(self) -> GuessedColumns:
        """What the columns were taken for; attributes by the first `SAMPLED_ROWS` rows.

        Raises:
            CatalogError: these are not UTF-8.
        """
        kinds: dict[str, AttributeKind] = {}
        sampled = sum(1 for _ in islice(self._noting_kinds(kinds), SAMPLED_ROWS))
        found = {name: frozenset({kinds[name]} if name in kinds else ()) for name in self._attributes}
        return guess(self.name, self._names, self._chosen, found, sampled)

    def read(self) -> Iterator[Product | Rejection]:
        """Yield products and rejected rows in the file's order; reads the file once more where `outline` was not asked.

        Raises:
            CatalogError: the file is not UTF-8.
        """
        self.outline()
        yield from self._row_reader(self._kinds).read(self._rows())

    def _row_reader(self, kinds: Mapping[str, AttributeKind]) -> RowReader:
        return RowReader(
            self._names,
            self._named,
            folder=self._file.folder,
            split=self._split,
            kinds=kinds,
            allow_outside_pictures=self._allow_outside,
            web=self._web,
            needs_pictures=self._needs_pictures,
            pictures_separated=True,
        )

    def _rows(self) -> Iterator[tuple[int, Row | str]]:
        is_each_named = all(self._header)
        for record in self._records():
            problem = record.problem or self._miscount(record)
            if problem:
                yield record.first_line, f"{record.place}: {problem}"
                continue
            row = dict(zip(self._header, record.cells, strict=True))
            if not is_each_named:
                del row[""]
            yield record.first_line, row

    def _noting_kinds(self, kinds: dict[str, AttributeKind]) -> Iterator[tuple[int, Row | str]]:
        """The rows, while each attribute column's kind is found from all its cells."""
        for line, row in self._rows():
            if not isinstance(row, str):
                for name in self._attributes:
                    if kinds.get(name) is AttributeKind.TEXT:
                        continue
                    text = str(row[name]).strip()
                    if text:
                        kind = kind_of(text)
                        kinds[name] = kind if kinds.get(name, kind) is kind else AttributeKind.TEXT
            yield line, row

    def _miscount(self, record: Record) -> str:
        found, permitted = len(record.cells), len(self._header)
        return "" if found == permitted else f"{found} cells; permitted: {permitted}, as in the header"

    def _records(self) -> Iterator[Record]:
        try:
            with open_catalog_text(self._file) as file:
                records = read_records(file, self._delimiter)
                next(records, None)
                yield from records
        except UnicodeDecodeError:
            check_utf8(self._file)
            raise


def _read_header(file: CatalogFile) -> tuple[str, tuple[str, ...]]:
    """Find the delimiter that separates the header into most columns.

    Returns:
        The delimiter, and the names without white space around; "" for a column without a name.
    """
    best: tuple[str, tuple[str, ...]] = (",", ())
    for delimiter in DELIMITERS:
        try:
            with open_catalog_text(file) as opened:
                first = next(read_records(opened, delimiter), None)
        except UnicodeDecodeError:
            check_utf8(file)
            raise
        names = tuple(name.strip() for name in first.cells) if first else ()
        if len(names) > len(best[1]):
            best = delimiter, names
    if not any(best[1]):
        raise CatalogError(f"catalog {str(file)!r} has no header; permitted: a first row that names the columns")
    for name in best[1]:
        if has_control(name):
            raise CatalogError(
                f"catalog {str(file)!r} has a column {shown(name)}; permitted: names without control characters"
            )
    return best
