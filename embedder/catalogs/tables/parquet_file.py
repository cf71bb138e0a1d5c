"""Parquet files, read page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from embedder.catalogs.catalog_file import CatalogFile, open_catalog_file
from embedder.catalogs.product import Split
from embedder.catalogs.tables.damage import reading
from embedder.catalogs.tables.table_file import checked_schema, rows_at_once
from embedder.inputs.remote.object_store import REMOTE_BUFFER_BYTES

FORMAT = "Parquet"
# Of each column this much is read at once; without, pyarrow reads a row group's whole column.
_BUFFER_BYTES = 1024 * 1024
# A picture that many rows share is in the file once, so that its size says little about that of a batch.
_PICTURE_ROWS = 64


class ParquetFile:
    """One file; open only while it is read. Pages with checksums are checked."""

    def __init__(self, file: CatalogFile, split: Split | None = None) -> None:
        """Read the footer.

        Raises:
            CatalogError: it is damaged, or no Parquet file.
        """
        self.split = split
        self._file = file
        with reading(file, FORMAT), self._opened() as opened:
            self._schema = checked_schema(opened.schema_arrow)
            self._rows = int(opened.metadata.num_rows)
            groups = [opened.metadata.row_group(number) for number in range(opened.metadata.num_row_groups)]
            self._batch_rows = min((rows_at_once(g.total_byte_size, g.num_rows) for g in groups), default=1)

    @property
    def file(self) -> CatalogFile:
        """Which file."""
        return self._file

    @property
    def schema(self) -> Any:
        """The columns."""
        return self._schema

    @property
    def rows(self) -> int:
        """How many."""
        return self._rows

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield the rows of some columns; see `TableFile`."""
        done = 0
        with self._opened() as opened:
            with reading(self._file, FORMAT):
                rows = self._batch_rows
                if any(_holds_bytes(field.type) for field in self._schema if field.name in columns):
                    rows = min(rows, _PICTURE_ROWS)
                batches = opened.iter_batches(rows, columns=list(columns), use_threads=False)
            while True:
                with reading(self._file, FORMAT, done):
                    batch = next(batches, None)
                    if batch is None:
                        if done != self._rows:
                            raise pa.ArrowInvalid(f"{done:,} rows, and its footer says {self._rows:,}")
                        return
                    done += batch.num_rows
                yield batch

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with open_catalog_file(self._file) as source:
            with reading(self._file, FORMAT):
                opened = pq.ParquetFile(
                    source,
                    buffer_size=_BUFFER_BYTES if self._file.path is not None else REMOTE_BUFFER_BYTES,
                    pre_buffer=False,
                    page_checksum_verification=True,
                )
            yield opened


def _holds_bytes(kind: Any) -> bool:
    inner = [kind.field(number).type for number in range(kind.num_fields)]
    return bool(types.is_binary(kind) or types.is_large_binary(kind)) or any(map(_holds_bytes, inner))
