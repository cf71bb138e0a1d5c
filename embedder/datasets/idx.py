"""The IDX format of the MNIST family: arrays of bytes after a small header, packed with gzip.

Source: "The IDX file format" at the end of https://yann.lecun.com/exdb/mnist/
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embedder.errors import CatalogError

MAX_BYTES = 1024**3

_UNSIGNED_BYTE = 0x08


def read_idx_shape(path: Path, rank: int) -> tuple[int, ...]:
    """Return the lengths of an array's axes from its header alone.

    Raises:
        CatalogError: as `load_idx`, as far as the header shows it.
    """
    return _load(path, rank, with_values=False)[0]


def load_idx(path: Path, rank: int) -> npt.NDArray[np.uint8]:
    """Load an array of unsigned bytes.

    Args:
        path: a gzip file.
        rank: how many axes it must have.

    Returns:
        uint8, read-only, of the shape in the header.

    Raises:
        CatalogError: not there, not gzip, another type or rank, more than 1 GiB, or fewer or more values than the
            header says.
    """
    shape, values = _load(path, rank, with_values=True)
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def _load(path: Path, rank: int, *, with_values: bool) -> tuple[tuple[int, ...], bytes]:
    try:
        with gzip.open(path, "rb") as file:
            header = file.read(4 + 4 * rank)
            shape = _parse_header(path, header, rank)
            if not with_values:
                return shape, b""
            size = math.prod(shape)
            # One byte more than permitted shows that there are more, without unpacking whatever follows.
            values = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CatalogError(f"{str(path)!r} cannot be unpacked: {error}; next step: fetch it again") from error
    if len(values) != size:
        found = f"more than {size:,}" if len(values) > size else f"{len(values):,}"
        raise CatalogError(f"{str(path)!r} holds {found} values; permitted: {size:,}, as its header says")
    return shape, values


def _parse_header(path: Path, header: bytes, rank: int) -> tuple[int, ...]:
    magic = bytes((0, 0, _UNSIGNED_BYTE, rank))
    if len(header) < 4 + 4 * rank or header[:4] != magic:
        raise CatalogError(
            f"{str(path)!r} begins with 0x{header[:4].hex()} and has a header of {len(header)} bytes; permitted: "
            f"0x{magic.hex()} (unsigned bytes, {rank} axes) and {4 + 4 * rank} bytes"
        )
    shape: tuple[int, ...] = struct.unpack(f">{rank}I", header[4:])
    if not 1 <= math.prod(shape) <= MAX_BYTES:
        raise CatalogError(f"{str(path)!r} holds an array of shape {shape}; permitted: 1 to {MAX_BYTES:,} values")
    return shape
