"""A full disk under what is not the index: the embedding cache, the report on the catalog, the rejects file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from indexer.building.run import BuildResult, build
from indexer.errors import BuildError
from indexer.settings import IndexerSettings
from indexer.stores.edge.store import EdgeStore
from indexer.transfer.export import PRODUCTS_FILE, export
from tests.conftest import write_drawn_catalog
from tests.faults.small_disk import empty, fill, small_disk

PRODUCTS = 60
DISK_MB = 50


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_MB) as folder:
        yield folder


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("shop"), PRODUCTS, side=32)


@pytest.fixture(scope="module")
def encoder(trained_bundle: Path) -> Encoder:
    return open_encoder(trained_bundle, "onnx", device="cpu")


def made(
    catalog: Path,
    encoder: Encoder,
    folder: Path,
    *,
    cache: Path,
    quality: Path | None = None,
    rejects: Path | None = None,
) -> BuildResult:
    settings = IndexerSettings(cache_dir=cache, match_views=20)
    store = EdgeStore(folder / "index")
    rejected = rejects or folder / "rejects.jsonl"
    return build(open_catalog(str(catalog)), encoder, store, settings, rejected, quality_folder=quality)


def exported(folder: Path) -> bytes:
    with closing(EdgeStore(folder / "index").open()) as reader:
        export(reader, folder / "exported")
    return (folder / "exported" / PRODUCTS_FILE).read_bytes()


@pytest.mark.parametrize("room_kb", [0, 20, 100])
def test_the_cache_costs_time_only(
    catalog: Path, encoder: Encoder, disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, room_kb: int
) -> None:
    """The report needs the cache's folder too; and a build with room again finds what was kept to be sound."""
    whole = made(catalog, encoder, tmp_path / "whole", cache=tmp_path / "cache")
    fill(disk, but=room_kb << 10)
    result = made(catalog, encoder, tmp_path / "full", cache=disk / "cache", quality=tmp_path / "quality")
    assert result.manifest.catalog_hash == whole.manifest.catalog_hash
    assert result.pictures_embedded == PRODUCTS
    assert any("embeddings are not kept" in line for line in caplog.messages)
    assert any("duplicates are not known in this version" in line for line in caplog.messages)
    assert result.quality is None
    empty(disk)
    again = made(catalog, encoder, tmp_path / "full", cache=disk / "cache", quality=tmp_path / "quality")
    assert again.quality is not None
    assert exported(tmp_path / "full") == exported(tmp_path / "whole")


def test_the_report_is_left_out_and_the_index_is_live(
    catalog: Path, encoder: Encoder, disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(disk)
    result = made(catalog, encoder, tmp_path, cache=tmp_path / "cache", quality=disk / "quality")
    assert result.quality is None
    assert EdgeStore(tmp_path / "index").live_version() == result.manifest.version
    (told,) = [line for line in caplog.messages if line.startswith("there is no quality report")]
    assert "No space left on device" in told
    assert [path for path in (disk / "quality").rglob("*") if path.is_file()] == []
    empty(disk)
    again = made(catalog, encoder, tmp_path, cache=tmp_path / "cache", quality=disk / "quality")
    assert again.quality is not None
    assert again.quality.page.is_file()


def test_a_report_that_is_there_stays_whole(catalog: Path, encoder: Encoder, disk: Path, tmp_path: Path) -> None:
    first = made(catalog, encoder, tmp_path, cache=tmp_path / "cache", quality=disk / "quality")
    assert first.quality is not None
    before = {path: path.read_bytes() for path in (disk / "quality").rglob("*") if path.is_file()}
    fill(disk)
    assert made(catalog, encoder, tmp_path, cache=tmp_path / "cache", quality=disk / "quality").quality is None
    assert {path: path.read_bytes() for path in (disk / "quality").rglob("*") if path.is_file()} == before


def test_rejects_that_cannot_be_written_end_the_build_and_the_live_version_stays(
    catalog: Path, encoder: Encoder, disk: Path, tmp_path: Path
) -> None:
    made(catalog, encoder, tmp_path, cache=tmp_path / "cache")
    before = exported(tmp_path)
    broken = catalog.with_name("broken.csv")
    lines = catalog.read_text().splitlines(keepends=True)
    broken.write_text("".join(line.replace(".png", ".gone") if row > 50 else line for row, line in enumerate(lines)))
    fill(disk)
    with pytest.raises(BuildError, match=r"rejects\.jsonl cannot be written: no space left; next step: free some"):
        made(broken, encoder, tmp_path, cache=tmp_path / "cache", rejects=disk / "rejects.jsonl")
    assert exported(tmp_path) == before
    assert len(EdgeStore(tmp_path / "index").versions()) == 1
    empty(disk)
    assert made(broken, encoder, tmp_path, cache=tmp_path / "cache", rejects=disk / "rejects.jsonl").manifest.rejected
