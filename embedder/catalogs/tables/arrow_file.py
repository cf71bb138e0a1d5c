"""Arrow's own files: the IPC file format (also called Feather, version 2) and the IPC stream format."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import types

from embedder.catalogs.catalog_file import CatalogFile, open_catalog_file
from embedder.catalogs.product import Split
from embedder.catalogs.tables.damage import damaged, reading
from embedder.catalogs.tables.table_file import checked_schema, rows_at_once
from embedder.errors import CatalogError

FORMAT = "Arrow"
_FILE_MAGIC = b"ARROW1"
_FEATHER_1 = b"FEA1"
# A stream's last message: a marker, and a length of 0.
_STREAM_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class ArrowFile:
    """One file of either format; open only while it is read.

    What is in memory is one of the batches that the file was written in.
    """

    def __init__(self, file: CatalogFile, split: Split | None = None) -> None:
        """Read the schema.

        Raises:
            CatalogError: it is damaged, cut short, no Arrow file, or one of Feather's version 1.
        """
        self.split = split
        self._file = file
        with reading(file, FORMAT), open_catalog_file(file) as opened:
            start = opened.read(len(_FILE_MAGIC))
            self._is_stream = start != _FILE_MAGIC
            if start.startswith(_FEATHER_1):
                raise CatalogError(
                    f"catalog {file.location!r} is a Feather file of version 1; permitted: version 2; next step: write "
                    "it with pyarrow.feather.write_feather(table, path)"
                )
            if self._is_stream:
                _check_end(file, opened)
            opened.seek(0)
            self._schema = checked_schema(self._reader(opened).schema)

    @property
    def file(self) -> CatalogFile:
        """Which file."""
        return self._file

    @property
    def schema(self) -> Any:
        """The columns."""
        return self._schema

    @property
    def rows(self) -> None:
        """Not known: the format counts no rows."""
        return

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield the rows; see `TableFile`."""
        done = 0
        with open_catalog_file(self._file) as opened:
            with reading(self._file, FORMAT):
                written = self._written(opened)
            while True:
                with reading(self._file, FORMAT, done):
                    batch = next(written, None)
                    if batch is None:
                        return
                    for name, column in zip(batch.schema.names, batch.columns, strict=True):
                        if name in columns:
                            _check(column)
                step = rows_at_once(batch.nbytes, batch.num_rows)
                for start in range(0, batch.num_rows, step):
                    yield batch.slice(start, step)
                done += batch.num_rows

    def _written(self, opened: BinaryIO) -> Iterator[Any]:
        reader = self._reader(opened)
        if self._is_stream:
            yield from reader
        else:
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)

    def _reader(self, opened: BinaryIO) -> Any:
        return pa.ipc.open_stream(opened) if self._is_stream else pa.ipc.open_file(opened)


def _check_end(file: CatalogFile, opened: BinaryIO) -> None:
    """A stream that was cut between two batches would be read as a shorter one, without any error."""
    size = opened.seek(0, os.SEEK_END)
    opened.seek(max(0, size - len(_STREAM_END)))
    if opened.read() != _STREAM_END:
        raise damaged(file, FORMAT, "it does not end as an Arrow stream does")


def _check(array: Any) -> None:
    """Check that an array's offsets and lengths stay within its data: pyarrow does not, and reads what is beyond.

    Texts may be no UTF-8: that is a fault of single values, and found where they are read.
    """
    try:
        checked = array.view(_as_bytes(array.type))
    except (pa.ArrowException, TypeError):
        # No such view of dictionaries and the like.
        checked = array
    checked.validate(full=True)


def _as_bytes(kind: Any) -> Any:
    """A type with bytes in place of texts."""
    if types.is_string(kind):
        return pa.binary()
    if types.is_large_string(kind):
        return pa.large_binary()
    if types.is_string_view(kind):
        return pa.binary_view()
    if types.is_list(kind):
        return pa.list_(_field_as_bytes(kind.value_field))
    if types.is_large_list(kind):
        return pa.large_list(_field_as_bytes(kind.value_field))
    if types.is_struct(kind):
        return pa.struct([_field_as_bytes(kind.field(number)) for number in range(kind.num_fields)])
    return kind


def _field_as_bytes(field: Any) -> Any:
    return pa.field(field.name, _as_bytes(field.type), field.nullable)
