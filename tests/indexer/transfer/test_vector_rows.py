"""Vectors of anybody's are read a piece at a time, and each is a unit vector or has a reason why not."""

from __future__ import annotations

import pickle
import tracemalloc
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.errors import QueryVectorError, TransferError
from indexer.stores.protocol import unit_vector
from indexer.transfer.vector_rows import AT_ONCE, NpyVectors, VectorProblem, unit_rows

STRANGE = [
    [3.0, 4.0, 0.0], [1e-300, 0.0, 0.0], [1e300, -1e300, 0.0], [0.0, 0.0, 0.0], [-0.0, 0.0, 0.0],
    [np.nan, 1.0, 2.0], [1.0, 2.0, np.inf], [1.0, -np.inf, np.nan], [5e-324, 0.0, 5e-324],
]  # fmt: skip


def test_a_row_is_what_a_query_vector_of_the_same_values_is() -> None:
    rows = np.asarray([*STRANGE, *np.random.default_rng(0).normal(size=(20, 3))])
    for values, found in zip(rows, unit_rows(rows), strict=True):
        if isinstance(found, VectorProblem):
            with pytest.raises(QueryVectorError) as refused:
                unit_vector(values, 3)
            assert (found.reason, found.detail) == (refused.value.reason, str(refused.value))
        else:
            assert np.array_equal(found, unit_vector(values, 3))


@pytest.mark.parametrize("kind", ["<f2", "<f4", ">f4", "<f8"])
def test_floats_of_any_width_are_read(kind: str, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2 * AT_ONCE + 1, 4))
    np.save(tmp_path / "v.npy", values.astype(kind))
    vectors = NpyVectors(tmp_path / "v.npy", 4)
    pages = list(vectors.read())
    assert [len(page) for page in pages] == [AT_ONCE, AT_ONCE, 1]
    units = values / np.linalg.norm(values, axis=1, keepdims=True)
    assert np.allclose(np.stack([row for page in pages for row in page]), units, atol=2e-3)
    assert vectors.rows == len(values)


def test_a_file_that_is_larger_than_memory_is_not_read_whole(tmp_path: Path) -> None:
    # 8 GB of holes.
    made = np.lib.format.open_memmap(tmp_path / "v.npy", "w+", np.float32, (2_000_000, 1_000))
    made[:, 0][::100_000] = 1.0
    tracemalloc.start()
    read = sum(len(page) for page in islice(NpyVectors(tmp_path / "v.npy", 1_000).read(), 3))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == 3 * AT_ONCE
    assert most < 100e6


class Trap:
    """What must never be made of a file."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("/tmp/never"),))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", r"is no readable npy file"),
        (b"\x93NUMPY\x01\x00", r"is no readable npy file"),
        (pickle.dumps([1.0, 2.0]), r"is no readable npy file"),
        (np.ones(4, np.float32), r"holds float32 \(4,\); permitted: float16, float32 or float64, \(products, 4\)"),
        (np.ones((2, 4), np.int64), r"holds int64 \(2, 4\)"),
        (np.ones((2, 4), np.complex64), r"holds complex64"),
        (np.asarray([[Trap()] * 4], dtype=object), r"is no readable npy file"),
        (np.ones((2, 5), np.float32), r"holds vectors of 5 values; permitted: 4, as the model makes them"),
    ],
    ids=["empty", "header alone", "pickle", "one dimension", "whole numbers", "complex", "objects", "another length"],
)
def test_other_files_are_refused(content: Any, why: str, tmp_path: Path) -> None:
    path = tmp_path / "v.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(TransferError, match=why):
        NpyVectors(path, 4)


def test_several_arrays_and_a_file_that_was_cut_short_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", a=np.ones((2, 4)), b=np.ones(1))
    with pytest.raises(TransferError, match=r"holds several arrays"):
        NpyVectors(tmp_path / "v.npz", 4)
    np.save(tmp_path / "v.npy", np.ones((100, 4)))
    whole = (tmp_path / "v.npy").read_bytes()
    (tmp_path / "v.npy").write_bytes(whole[:-8])
    with pytest.raises(TransferError, match=r"is no readable npy file \(.*permitted: one array of floats"):
        NpyVectors(tmp_path / "v.npy", 4)
    with pytest.raises(TransferError, match=r"is no readable npy file"):
        NpyVectors(tmp_path / "nowhere.npy", 4)
