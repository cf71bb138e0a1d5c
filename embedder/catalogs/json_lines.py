"""JSON Lines: one product a line, each a JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NoReturn

from embedder.catalogs.catalog_file import find_catalog_file, open_catalog_file
from embedder.catalogs.guessed_columns import SAMPLED_ROWS, GuessedColumns, guess
from embedder.catalogs.outline import CatalogOutline, OutlineBuilder
from embedder.catalogs.product import Product, Rejection, Split
from embedder.catalogs.rows.cell import shown
from embedder.catalogs.rows.columns import check_columns, check_fields, choose_columns, missing_fields
from embedder.catalogs.rows.row import Row, RowReader
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFetcher

MAX_LINE_BYTES = 1024 * 1024


class JsonLinesReader:
    """Reads a file of JSON objects, one a line, without holding it in memory.

    Numbers, true and false, and lists of texts stay what they are; an object under the key `attributes` is taken
    apart into attributes; several pictures are a list.
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
        """Open a catalog and learn its keys.

        Args:
            location: the file's path, or its URL in an object store.
            split: read the objects only whose `split` says so.
            columns: our field to the catalog's key, over the guesses.
            allow_outside_pictures: pictures may lie outside the file's folder.
            web: fetches pictures from web servers; None: that was not permitted.
            needs_pictures: whether a product must have one (see `RowReader`).

        Raises:
            CatalogError: no such file, no object in it, or no key for the id, for the picture, or of a name in
                `columns` in any object.
        """
        self._named = dict(columns or {})
        check_fields(self._named)
        self._file = find_catalog_file(location)
        self._split = split
        self._allow_outside = allow_outside_pictures
        self._web = web
        self._needs_pictures = needs_pictures
        self._outline: CatalogOutline | None = None
        self._keys = self._sample_keys(location)

    @property
    def name(self) -> str:
        """The file's name."""
        return self._file.name

    def count(self) -> int:
        """The number of products and rejected rows; the first call reads the file, as `outline` does."""
        return self.outline().rows

    def outline(self) -> CatalogOutline:
        """How many rows there are, and the kinds of the attributes; the first call reads the file."""
        if self._outline is None:
            builder = OutlineBuilder()
            for found in self.read():
                builder.add(found)
            self._outline = builder.outline()
        return self._outline

    def guessed_columns(self) -> GuessedColumns:
        """What the keys were taken for; attributes by the first `SAMPLED_ROWS` objects."""
        builder = OutlineBuilder()
        sampled = 0
        for row in self._row_reader().read(islice(self._rows(), SAMPLED_ROWS)):
            sampled += not (isinstance(row, Rejection) and row.picture)
            builder.add(row)
        chosen = choose_columns(self._keys, self._named)
        return guess(self.name, self._keys, chosen, builder.outline().attributes, sampled)

    def read(self) -> Iterator[Product | Rejection]:
        """Yield products and rejected rows in the file's order, in one pass."""
        return self._row_reader().read(self._rows())

    def _row_reader(self) -> RowReader:
        return RowReader(
            self._keys,
            self._named,
            folder=self._file.folder,
            split=self._split,
            allow_outside_pictures=self._allow_outside,
            web=self._web,
            needs_pictures=self._needs_pictures,
        )

    def _sample_keys(self, location: str) -> list[str]:
        """All keys of the first rows, read on until those that are needed were met."""
        keys: dict[str, None] = {}
        wanted = missing_fields({}, self._named, self._needs_pictures)
        sampled = 0
        for _, row in self._rows():
            if isinstance(row, str):
                continue
            sampled += 1
            if any(key not in keys for key in row):
                keys.update(dict.fromkeys(row))
                wanted = missing_fields(choose_columns(keys, self._named), self._named, self._needs_pictures)
            if sampled >= SAMPLED_ROWS and not wanted:
                break
        if not sampled:
            raise CatalogError(f"catalog {location!r} holds no JSON object; permitted: one object a line")
        check_columns(location, keys, self._named, self._needs_pictures)
        return list(keys)

    def _rows(self) -> Iterator[tuple[int, Row | str]]:
        """Yield line number and object, or what is wrong with the line; blank lines are skipped."""
        with open_catalog_file(self._file) as file:
            line = 0
            while data := file.readline(MAX_LINE_BYTES + 1):
                line += 1
                if len(data) > MAX_LINE_BYTES and not data.endswith(b"\n"):
                    while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                        pass
                    yield line, f"a line of more than {MAX_LINE_BYTES:,} bytes; permitted: up to {MAX_LINE_BYTES:,}"
                    continue
                if line == 1:
                    data = data.removeprefix(b"\xef\xbb\xbf")
                if data.strip():
                    yield line, _parse_line(data)


def _parse_line(data: bytes) -> dict[str, object] | str:
    try:
        row = json.loads(data.decode(), parse_constant=_refuse_constant, object_pairs_hook=_to_object)
        if not isinstance(row, dict):
            return f"a JSON {_TYPE_NAMES[type(row)]}; permitted: an object"
        if b"\\ud" in data.lower():
            # JSON can escape half of a surrogate pair; such a text cannot be written as UTF-8 by anyone.
            json.dumps(row, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        return f"not UTF-8: byte 0x{data[error.start]:02x} at byte {error.start + 1} of the line"
    except UnicodeEncodeError:
        return "holds half of a surrogate pair; permitted: whole characters"
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.colno}"
    except RecursionError:
        return "nested too deeply; permitted: an object of values and lists"
    except ValueError as error:
        return f"not JSON: {error}"
    return row


_TYPE_NAMES = {list: "list", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON value; permitted: finite numbers")


def _to_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {shown(next(key for key in keys if keys.count(key) > 1))} is given twice")
    return row
