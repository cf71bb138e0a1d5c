"""A version's digests: of contents, whether holes are holes or zeros, and of every byte."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import VersionIncomplete
from indexer.stores.edge import seal as sealing
from indexer.stores.edge.seal import Seal, SealedFile, differences, digest, read_seal, seal

BLOCK = 64 << 10


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """4 MiB with three islands of data, one of them at an odd place."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(4 << 20)
        for at in (0, 1_000_001, (4 << 20) - 5):
            file.seek(at)
            file.write(b"abcde")
    return path


def test_a_hole_and_zeros_are_the_same(sparse: Path, tmp_path: Path) -> None:
    filled = tmp_path / "filled"
    filled.write_bytes(sparse.read_bytes())
    assert filled.stat().st_blocks > sparse.stat().st_blocks
    assert digest(filled) == digest(sparse)


def test_only_blocks_with_data_are_counted_as_data(sparse: Path) -> None:
    found = digest(sparse)
    assert (found.size, found.data) == (4 << 20, 3 * BLOCK)


@pytest.mark.parametrize("at", [0, 5, BLOCK - 1, BLOCK, 999_999, 1_000_003, 2 << 20, (4 << 20) - 6, (4 << 20) - 1])
def test_every_byte_counts(sparse: Path, at: int) -> None:
    before = digest(sparse)
    with sparse.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))
    assert digest(sparse).sha256 != before.sha256


def test_data_that_moved_counts(tmp_path: Path) -> None:
    path = tmp_path / "file"
    found = []
    for at in (0, BLOCK):
        with path.open("wb") as file:
            file.truncate(4 * BLOCK)
            file.seek(at)
            file.write(b"abc")
        found.append(digest(path))
    assert found[0].sha256 != found[1].sha256


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_the_length_counts_where_all_is_zero(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(bytes(size))
    assert digest(tmp_path / "file") == SealedFile(size, 0, digest(tmp_path / "file").sha256)
    (tmp_path / "file").write_bytes(bytes(size + 1))
    assert digest(tmp_path / "file").size == size + 1


def test_random_files_agree_with_a_digest_that_knows_no_holes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "file"
    for _ in range(30):
        size = int(rng.integers(0, 20 * BLOCK))
        with path.open("wb") as file:
            file.truncate(size)
            for _ in range(int(rng.integers(0, 5))):
                start = int(rng.integers(0, size + 1))
                file.seek(start)
                file.write(rng.bytes(min(size - start, int(rng.integers(0, 3 * BLOCK)))))
        with monkeypatch.context() as without:
            without.delattr(os, "SEEK_DATA")
            naive = digest(path)
        assert digest(path) == naive


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    (tmp_path / "shard" / "segments").mkdir(parents=True)
    for number in range(3):
        (tmp_path / "shard" / "segments" / f"{number}.dat").write_bytes(bytes([number]) * 1000)
    (tmp_path / "files.json").write_text(seal(tmp_path, "the manifest").to_json())
    (tmp_path / "manifest.json").write_text("the manifest")
    return tmp_path


def test_all_that_differs_is_named(sealed: Path) -> None:
    found = read_seal(sealed, "v1")
    assert list(differences(sealed, found, found.files)) == []
    (sealed / "shard/segments/0.dat").unlink()
    (sealed / "shard/segments/1.dat").write_bytes(b"")
    (sealed / "shard/segments/2.dat").write_bytes(b"x" * 1000)
    (sealed / "manifest.json").write_text("The manifest")
    assert sorted(differences(sealed, found, found.files)) == [
        "manifest.json does not hold what was written",
        "shard/segments/0.dat is missing",
        "shard/segments/1.dat has 0 bytes of 1,000",
        "shard/segments/2.dat does not hold what was written",
    ]


def test_the_list_vouches_for_itself(sealed: Path) -> None:
    body = json.loads((sealed / "files.json").read_text())
    body["files"]["shard/segments/0.dat"][0] = 999
    (sealed / "files.json").write_text(json.dumps(body))
    with pytest.raises(VersionIncomplete, match=r"v1 is damaged: files\.json is not as it was written; next step"):
        read_seal(sealed, "v1")


def test_of_a_large_index_all_but_the_bulk_is_read_before_it_is_opened(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = sealed / "shard" / "segments"
    for name in ("chunk_0.mmap", "page_0.dat", "mutable_id_tracker.mappings", "matrix.dat"):
        (shard / name).write_bytes(b"x" * 5000)
    (sealed / "files.json").write_text(seal(sealed, "the manifest").to_json())
    found = read_seal(sealed, "v1")
    assert set(found.before_opening()) == set(found.files)
    monkeypatch.setattr(sealing, "CHECKED_WHOLE_BELOW", 20_000)
    monkeypatch.setattr(sealing, "_BULK_BYTES", 4000)
    left = set(found.files) - set(found.before_opening())
    assert {Path(name).name for name in left} == {"chunk_0.mmap", "page_0.dat", "matrix.dat"}


def test_reading_is_paced_by_what_was_read(sealed: Path) -> None:
    found, read = read_seal(sealed, "v1"), []
    assert list(differences(sealed, found, found.files, read.append)) == []
    assert sum(read) == 3 * 1000 + len("the manifest")


class TestFilesOfJson:
    """They are compared by what they say: Edge writes their keys in an order of the moment."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "shard").mkdir()
        (tmp_path / "shard" / "segment.json").write_text('{"image":{"size":8},"title":{"size":4}}')
        return tmp_path

    def found(self, folder: Path, sealed: Seal) -> list[str]:
        return list(differences(folder, sealed, ["shard/segment.json"]))

    def test_another_order_is_the_same(self, folder: Path) -> None:
        sealed = seal(folder, "{}")
        (folder / "shard" / "segment.json").write_text('{"title":{"size":4},"image":{"size":8}}')
        assert self.found(folder, sealed) == []

    @pytest.mark.parametrize(
        "text", ['{"image":{"size":8},"title":{"size":5}}', '{"image":{"size":8},"title":{"size":4}]']
    )
    def test_another_value_or_no_json_is_not(self, folder: Path, text: str) -> None:
        sealed = seal(folder, "{}")
        (folder / "shard" / "segment.json").write_text(text)
        assert self.found(folder, sealed) == ["shard/segment.json does not hold what was written"]

    def test_what_an_earlier_release_sealed_is_compared_by_its_bytes(self, folder: Path) -> None:
        path = folder / "shard" / "segment.json"
        earlier = Seal("0.9.0", "", {"shard/segment.json": digest(path)})
        assert self.found(folder, earlier) == []
        path.write_text('{"title":{"size":4},"image":{"size":8}}')
        assert self.found(folder, earlier) == ["shard/segment.json does not hold what was written"]
