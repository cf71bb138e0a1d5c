"""What is exported is the same however the index came about, and what is loaded is what was exported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from qdrant_client import QdrantClient

from indexer.errors import TransferError, VersionIncomplete
from indexer.settings import IndexerSettings
from indexer.stores.edge.store import EdgeStore
from indexer.stores.protocol import Batch, Store
from indexer.stores.qdrant.store import QdrantStore
from indexer.transfer.export import MANIFEST_FILE, PRODUCTS_FILE, export
from indexer.transfer.load import load as load_export
from indexer.versions.graph_effort import GraphEffort
from indexer.versions.holdings import Holdings
from indexer.words.bm25 import Bm25Words
from indexer.words.text_index import Bm25Settings, TextIndex
from tests.conftest import run_module
from tests.indexer.conftest import Shelf, load, shelf, unit_rows
from tests.indexer.stores.qdrant.troubled_client import TroubledClient

SETTINGS = IndexerSettings(drop_after_s=0)
TEXTS = TextIndex(8, Bm25Settings("english", 2.0))


def full_batch(things: Shelf, order: list[int] | None = None) -> tuple[Shelf, Batch]:
    """Products with up to three pictures each, titles, and words where there is a title."""
    order = list(range(len(things.ids))) if order is None else order
    counts = [1 + row % 3 for row in order]
    vectors = np.concatenate([unit_rows(1 + row % 3, seed=row) for row in order])
    titles = np.concatenate([unit_rows(1, seed=row, dim=8) for row in order])
    words = Bm25Words(TEXTS.bm25)  # type: ignore[arg-type]
    payloads = [things.payloads[row] for row in order]
    titles[[not payload["title"] and "category" not in payload for payload in payloads]] = 0
    spoken = [words.title(payload["title"] or payload.get("category", "")) for payload in payloads]
    shuffled = Shelf(tuple(payloads), vectors, things.schema)
    return shuffled, Batch([payload["product_id"] for payload in payloads], vectors, payloads, counts, titles, spoken)


def filled(store: Store, order: list[int] | None = None, **fields) -> Store:
    """A store with a live version of 60 products."""
    things, batch = full_batch(shelf(60), order)
    holdings = Holdings()
    for payload in things.payloads:
        holdings.add(payload)
    manifest = load(
        store, things, batches=[batch], multivector=True, texts=TEXTS, catalog_hash=holdings.hexdigest(),
        pictures=holdings.pictures, categories=dict(sorted(holdings.categories.items())), **fields,
    )  # fmt: skip
    store.activate(manifest.version)
    return store


def test_a_graph_that_was_loaded_is_measured_and_searched_no_less_far_than_before(tmp_path: Path) -> None:
    store = QdrantStore(TroubledClient(has_graph=True), "qdrant://memory/s", "s")  # type: ignore[arg-type]
    # Real photos asked for so much; copies of products ask for less.
    found = GraphEffort(96, 32, {"pictures": 0.99}, {"pictures": 0.95}, 100)
    filled(store, effort={"image": found})
    loaded = load_export(exported(store, tmp_path / "out"), store, SETTINGS).manifest.effort
    assert (loaded["image"].balanced, loaded["title"].balanced) == (96, 16)
    assert "noisy copies" in loaded["image"].recall
    store.close()


@pytest.fixture(params=["edge", "qdrant"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    client = QdrantClient(":memory:") if request.param == "qdrant" else None
    made: Store = EdgeStore(tmp_path / "index") if client is None else QdrantStore(client, "qdrant://memory/s", "s")
    yield filled(made)
    made.close()


def exported(store: Store, folder: Path) -> Path:
    reader = store.open()
    assert export(reader, folder) == 60
    reader.close()
    return folder


def test_a_row_has_all_that_is_held(store: Store, tmp_path: Path) -> None:
    folder = exported(store, tmp_path / "out")
    table = parquet.read_table(folder / PRODUCTS_FILE)
    ids = table.column("product_id").to_pylist()
    assert ids == sorted(shelf(60).ids)
    reader = store.open()
    for row in (0, 17, 59):
        held = reader.fetch(ids[row])
        assert held is not None
        assert json.loads(table.column("payload")[row].as_py()) == dict(held.payload)
        assert np.allclose(np.asarray(table.column("vectors")[row].as_py()), held.vectors)
        title = table.column("title")[row].as_py()
        assert (title is None) == (held.title is None)
        assert title is None or np.allclose(title, held.title)
    reader.close()


def test_the_same_products_give_the_same_bytes_in_whatever_order_they_came(tmp_path: Path) -> None:
    files = []
    for number, order in enumerate((None, list(range(60))[::-1])):
        store = filled(EdgeStore(tmp_path / f"index{number}"), order)
        files.append((exported(store, tmp_path / f"out{number}") / PRODUCTS_FILE).read_bytes())
    assert files[0] == files[1]


def test_what_is_loaded_is_what_was_exported(store: Store, tmp_path: Path) -> None:
    folder = exported(store, tmp_path / "out")
    before = (folder / PRODUCTS_FILE).read_bytes()
    other = EdgeStore(tmp_path / "other")
    result = load_export(folder, other, SETTINGS)
    assert result.manifest.products == 60
    assert other.live_version() == result.manifest.version
    assert (exported(other, tmp_path / "again") / PRODUCTS_FILE).read_bytes() == before
    one, two = store.open(), other.open()
    for field in ("schema", "texts", "categories", "catalog_hash", "pictures", "category_models", "model_fingerprint"):
        assert getattr(one.manifest, field) == getattr(two.manifest, field), field
    one.close()
    two.close()


class TestABadExport:
    """It never goes live."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return exported(filled(EdgeStore(tmp_path / "index")), tmp_path / "out")

    @pytest.fixture
    def other(self, tmp_path: Path) -> Iterator[EdgeStore]:
        store = EdgeStore(tmp_path / "other")
        yield store
        assert store.live_version() is None
        assert store.versions() == []

    def test_a_truncated_file(self, folder: Path, other: EdgeStore) -> None:
        data = (folder / PRODUCTS_FILE).read_bytes()
        (folder / PRODUCTS_FILE).write_bytes(data[: len(data) // 2])
        with pytest.raises(TransferError, match=r"no readable file of products.*next step: export again"):
            load_export(folder, other, SETTINGS)

    def test_a_garbled_file(self, folder: Path, other: EdgeStore) -> None:
        data = bytearray((folder / PRODUCTS_FILE).read_bytes())
        data[len(data) // 3 : len(data) // 3 + 64] = bytes(64)
        (folder / PRODUCTS_FILE).write_bytes(bytes(data))
        with pytest.raises((TransferError, VersionIncomplete)):
            load_export(folder, other, SETTINGS)

    def test_another_kind_of_file(self, folder: Path, other: EdgeStore) -> None:
        parquet.write_table(arrow.table({"a": [1, 2]}), folder / PRODUCTS_FILE)
        with pytest.raises(TransferError, match=r"KeyError"):
            load_export(folder, other, SETTINGS)

    def test_products_that_are_missing(self, folder: Path, other: EdgeStore) -> None:
        table = parquet.read_table(folder / PRODUCTS_FILE)
        parquet.write_table(table.slice(0, 50), folder / PRODUCTS_FILE)
        with pytest.raises(TransferError, match=r"holds 50 products that are not the 60 of its manifest.json"):
            load_export(folder, other, SETTINGS)

    def test_a_manifest_of_another_model(self, folder: Path, other: EdgeStore) -> None:
        text = (folder / MANIFEST_FILE).read_text().replace("f" * 64, "e" * 64)
        (folder / MANIFEST_FILE).write_text(text)
        with pytest.raises(TransferError, match=r"are of different exports"):
            load_export(folder, other, SETTINGS)

    def test_no_export_at_all(self, other: EdgeStore, tmp_path: Path) -> None:
        with pytest.raises(TransferError, match=r"is no export"):
            load_export(tmp_path / "nowhere", other, SETTINGS)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    store = filled(EdgeStore(tmp_path / "index"))
    (tmp_path / "file").write_text("")
    reader = store.open()
    with pytest.raises(TransferError, match=r"cannot be written"):
        export(reader, tmp_path / "file" / "out")
    reader.close()


def test_the_commands(tmp_path: Path) -> None:
    filled(EdgeStore(tmp_path / "index")).close()
    out = tmp_path / "out"
    done = run_module("indexer", "export", "--store", f"edge:{tmp_path / 'index'}", "--out", str(out))
    assert (done.returncode, "60 products of version" in done.stdout) == (0, True), done.stderr
    done = run_module("indexer", "load", str(out), "--store", f"edge:{tmp_path / 'copy'}")
    assert (done.returncode, "60 products loaded" in done.stdout) == (0, True), done.stderr
    done = run_module("indexer", "load", str(tmp_path), "--store", f"edge:{tmp_path / 'copy'}")
    assert done.returncode == 2
    assert "is no export" in done.stderr
