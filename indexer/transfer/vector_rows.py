"""Precomputed vectors, row by row, as unit vectors of an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from indexer.errors import TransferError

AT_ONCE = 1_000
"""Rows that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class VectorProblem:
    """Why a row's vector cannot be indexed: `VECTOR_...`, and the value and what would be permitted."""

    reason: str
    detail: str


VectorRow = npt.NDArray[np.float32] | VectorProblem
"""A unit vector, float32 (dim,), or what is wrong with it."""


class VectorSource(Protocol):
    """A file, or files, of vectors."""

    @property
    def rows(self) -> int:
        """How many."""

    def read(self) -> Iterator[Sequence[VectorRow]]:
        """The rows, at most `AT_ONCE` or so at a time.

        Raises:
            CatalogError: the file is damaged.
        """


class NpyVectors:
    """A file of numpy's, which is mapped into memory, not read; see `VectorSource`."""

    def __init__(self, path: Path, dim: int) -> None:
        """Look at its header.

        Args:
            path: the file.
            dim: length that its vectors must have.

        Raises:
            TransferError: it is no such file, was cut short, or holds anything but floats (n, dim).
        """
        try:
            found: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError, SyntaxError, TypeError) as error:
            raise TransferError(
                f"{path} is no readable npy file ({str(error)[:200]}); permitted: one array of floats, as numpy.save "
                "writes it"
            ) from error
        if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype.kind != "f":
            said = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else "several arrays"
            raise TransferError(f"{path} holds {said}; permitted: float16, float32 or float64, (products, {dim})")
        if found.shape[1] != dim:
            raise wrong_dim(str(path), found.shape[1], dim)
        self._array = found

    @property
    def rows(self) -> int:
        """How many."""
        return len(self._array)

    def read(self) -> Iterator[Sequence[VectorRow]]:
        """See `VectorSource`."""
        for start in range(0, len(self._array), AT_ONCE):
            yield unit_rows(self._array[start : start + AT_ONCE])


def unit_rows(values: npt.NDArray[Any]) -> list[VectorRow]:
    """Rows of floats (n, dim), scaled to length 1 each where that can be done."""
    rows = np.asarray(values, dtype=np.float64)
    bad = ~np.isfinite(rows)
    # Scaled by the largest value first: the squares of very small and very large ones would be 0 or infinite.
    largest = np.max(np.abs(rows), axis=1, where=~bad, initial=0.0)
    fine = (largest > 0) & ~bad.any(axis=1)
    scaled = np.divide(rows, largest[:, None], where=fine[:, None], out=np.zeros_like(rows))
    lengths = np.where(fine, np.linalg.norm(scaled, axis=1), 1.0)
    units = (scaled / lengths[:, None]).astype(np.float32)
    return [units[row] if fine[row] else _problem(rows[row], bad[row]) for row in range(len(rows))]


def wrong_dim(what: str, found: int, dim: int) -> TransferError:
    """The error for vectors that are not of the model's length."""
    return TransferError(
        f"{what} holds vectors of {found:,} values; permitted: {dim:,}, as the model makes them; next step: give the "
        "model that made them with --model"
    )


def _problem(row: npt.NDArray[np.float64], bad: npt.NDArray[np.bool_]) -> VectorProblem:
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        return VectorProblem("VECTOR_NOT_FINITE", f"value {row[place]} at position {place}; permitted: finite numbers")
    return VectorProblem("VECTOR_ZERO", "all values are 0; permitted: at least one other, for a direction")
