"""Vectors in a column of a table: a list of floats in each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from embedder.catalogs.rows.cell import shown
from embedder.catalogs.tables.table_file import TableFile
from embedder.errors import MissingExtra
from indexer.errors import TransferError
from indexer.transfer.vector_rows import VectorProblem, VectorRow, unit_rows, wrong_dim

try:
    import pyarrow as arrow
    from pyarrow import types
except ImportError as error:
    raise MissingExtra(
        f"vectors in tables need {error.name}, which is not installed; next step: pip install 'merchlens[parquet]'"
    ) from error


class ColumnVectors:
    """A column of a catalog in tables; row by row as its reader counts them. See `VectorSource`."""

    def __init__(self, files: Sequence[TableFile], column: str, dim: int) -> None:
        """Look at the column's type, and at its first vector.

        Args:
            files: of the catalog, in its order.
            column: its name.
            dim: length that the vectors must have.

        Raises:
            TransferError: there is no such column, or it holds anything but lists of floats of that length.
            CatalogError: a file is damaged.
        """
        self._files = files
        self._column = column
        self._dim = dim
        for file in self._files:
            kinds = {field.name: field.type for field in file.schema}
            if column not in kinds:
                raise TransferError(
                    f"{file.file} has no column {shown(column)}; columns found: {', '.join(map(shown, kinds))[:500]}; "
                    "next step: name the vectors' with --map embedding=COLUMN"
                )
            if not _holds_floats(kinds[column]):
                raise TransferError(
                    f"column {shown(column)} of {file.file} is of type {kinds[column]}; permitted: a list, or a list "
                    "of fixed size, of 16-, 32- or 64-bit floats"
                )
        given = (array.drop_null() for array in self._arrays())
        first = next((array.value_lengths()[0].as_py() for array in given if len(array)), dim)
        if first != dim:
            raise wrong_dim(f"column {shown(column)}", first, dim)

    @property
    def rows(self) -> int:
        """How many; reads the files where they do not say it."""
        counts = [file.rows for file in self._files]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else sum(len(array) for array in self._arrays())

    def _arrays(self) -> Iterator[Any]:
        for file in self._files:
            for batch in file.batches([self._column]):
                yield batch.column(self._column)

    def read(self) -> Iterator[Sequence[VectorRow]]:
        """See `VectorSource`."""
        for array in self._arrays():
            yield self._rows_of(array)

    def _rows_of(self, array: Any) -> list[VectorRow]:
        lengths = np.asarray(array.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False))
        # A vector with a value that is missing is not finite.
        values = array.filter(arrow.array(lengths == self._dim)).flatten().to_numpy(zero_copy_only=False)
        units = iter(unit_rows(np.asarray(values, dtype=np.float64).reshape(-1, self._dim)))
        return [next(units) if length == self._dim else self._problem(int(length)) for length in lengths]

    def _problem(self, length: int) -> VectorProblem:
        if length < 0:
            return VectorProblem("VECTOR_MISSING", f"no vector; permitted: {self._dim} values")
        return VectorProblem("VECTOR_DIM", f"vector of {length} values; permitted: exactly {self._dim}")


def _holds_floats(kind: Any) -> bool:
    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(is_list and types.is_floating(kind.value_type))
