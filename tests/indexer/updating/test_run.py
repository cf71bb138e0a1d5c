"""An update changes what changed, embeds nothing else, and leaves what a build of the changed catalog would leave."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient

from embedder.catalogs.product import Product, ProductPicture
from embedder.catalogs.registry import open_catalog
from embedder.encoder import Encoder, open_encoder
from embedder.inputs.picture import PictureBytes
from indexer.building.run import build
from indexer.changes.change import Change, ChangedProduct, cannot_embed
from indexer.errors import BuildError, ModelMismatch, StoreLocked, StoreNotFound
from indexer.settings import IndexerSettings
from indexer.stores.edge.store import EdgeStore
from indexer.stores.protocol import Store
from indexer.stores.qdrant.collection import MANIFEST_KEY
from indexer.stores.qdrant.store import QdrantStore
from indexer.updating.deletions import read_ids
from indexer.updating.run import UpdateResult, update
from indexer.versions.graph_effort import GraphEffort
from tests.conftest import draw_product, run_module, write_drawn_catalog

PRODUCTS = 24


@pytest.fixture(scope="module")
def encoder(trained_bundle: Path) -> Encoder:
    return open_encoder(trained_bundle, device="cpu")


@dataclass
class Shop:
    """A catalog of its own, an index of it, and what changes both."""

    folder: Path
    encoder: Encoder
    store: Store
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def catalog(self) -> Path:
        return self.folder / "catalog.csv"

    def options(self) -> IndexerSettings:
        given = {"match_views": 0, "batch_size": 8, "drop_after_s": 0, "cache_dir": self.folder / "cache"}
        return IndexerSettings(**{**given, **self.settings})

    def build(self, store: Store | None = None) -> None:
        build(
            open_catalog(str(self.catalog)), self.encoder, store or self.store, self.options(), self.folder / "r.jsonl"
        )

    def update(self, changes: Path | None = None, gone: tuple[str, ...] = (), whole: bool = False) -> UpdateResult:
        reader = None if changes is None else open_catalog(str(changes))
        return update(
            reader, gone, self.encoder, self.store, self.options(), self.folder / "rejects.jsonl", is_whole=whole
        )

    def rows(self) -> list[dict[str, str]]:
        with self.catalog.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def write(self, rows: list[dict[str, str]], path: Path | None = None) -> Path:
        path = path or self.catalog
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
            writer.writeheader()
            writer.writerows(rows)
        return path


@pytest.fixture(params=["edge", "qdrant"])
def shop(request: pytest.FixtureRequest, encoder: Encoder, tmp_path: Path) -> Iterator[Shop]:
    write_drawn_catalog(tmp_path, PRODUCTS, side=48)
    client = QdrantClient(":memory:") if request.param == "qdrant" else None
    store: Store = EdgeStore(tmp_path / "index") if client is None else QdrantStore(client, "qdrant://memory/s", "s")
    made = Shop(tmp_path, encoder, store)
    made.build()
    yield made
    store.close()


@pytest.fixture
def edge_shop(encoder: Encoder, tmp_path: Path) -> Shop:
    write_drawn_catalog(tmp_path, PRODUCTS, side=48)
    made = Shop(tmp_path, encoder, EdgeStore(tmp_path / "index"))
    made.build()
    return made


def held(store: Store) -> dict[str, tuple[dict[str, Any], np.ndarray, np.ndarray | None]]:
    """Everything that the live version holds, by id."""
    reader = store.open()
    ids = sorted(str(payload["product_id"]) for page in reader.scan(["product_id"]) for payload in page)
    found = {item.product_id: (dict(item.payload), item.vectors, item.title) for item in reader.fetch_many(ids)}
    reader.close()
    assert list(found) == ids
    return found


def assert_as_built(shop: Shop) -> None:
    """The live version holds what a new build of the catalog as it is now holds."""
    other = EdgeStore(shop.folder / "other")
    shop.build(other)
    updated, built = held(shop.store), held(other)
    assert list(updated) == list(built)
    for name, (payload, vectors, title) in updated.items():
        assert payload == built[name][0]
        assert np.allclose(vectors, built[name][1], atol=1e-6)
        assert title is not None
        assert np.allclose(title, built[name][2], atol=1e-6)
    (now,) = [item for item in shop.store.versions() if item.version == shop.store.live_version()]
    (new,) = other.versions()
    for name in ("products", "pictures", "categories", "catalog_hash", "schema", "state", "dim", "model_fingerprint"):
        assert getattr(now, name) == getattr(new, name), name


def test_changed_new_and_deleted_products(shop: Shop) -> None:
    rows = shop.rows()
    rows[3]["price"] = "999"
    rows[4]["title"] = "a very red thing"
    draw_product("ellipse", "blue", 77).save(shop.folder / rows[5]["image"])
    draw_product("ellipse", "green", 78).save(shop.folder / "new.png")
    new = {**rows[0], "id": "new", "category": "toys/kite", "image": "new.png"}
    changes = shop.write([rows[3], rows[4], rows[5], rows[6], new], shop.folder / "changes.csv")
    result = shop.update(changes, ("p-0001", "p-0002", "never-there"))
    assert (result.written, result.unchanged, result.deleted, result.absent) == (4, 1, 2, 1)
    assert result.pictures_embedded == 2
    shop.write([*(row for row in rows if row["id"] not in ("p-0001", "p-0002")), new])
    assert_as_built(shop)


def test_a_whole_catalog_is_compared_with_what_is_there(shop: Shop) -> None:
    rows = shop.rows()
    rows[7]["color"] = "purple"
    shop.write(rows[2:])
    result = shop.update(shop.catalog, whole=True)
    assert (result.written, result.unchanged, result.deleted) == (1, PRODUCTS - 3, 2)
    assert result.pictures_embedded == 0
    assert_as_built(shop)


def test_what_was_measured_of_the_graph_is_measured_anew_once_much_has_changed(
    encoder: Encoder, tmp_path: Path
) -> None:
    write_drawn_catalog(tmp_path, PRODUCTS, side=48)
    client = QdrantClient(":memory:")
    shop = Shop(tmp_path, encoder, QdrantStore(client, "qdrant://memory/s", "s"))
    shop.build()
    (built,) = shop.store.versions()
    # As if a server had built a graph.
    effort = GraphEffort(48, 24, {"pictures": 0.995}, {"pictures": 0.97}, 100)
    noted = {MANIFEST_KEY: replace(built, effort={"image": effort}).to_json()}
    client.update_collection(f"s-{built.version}", metadata=noted)
    once = shop.update(gone=("p-0001",)).manifest.effort
    assert once == {"image": replace(effort, changed=1)}
    (kept,) = shop.store.versions()
    assert kept.effort == once
    # There is no graph here, so there is nothing to measure.
    assert shop.update(gone=("p-0002", "p-0003")).manifest.effort == {}
    client.close()


def test_nothing_changed_leaves_the_version_as_it_was(shop: Shop) -> None:
    before = shop.store.live_version()
    result = shop.update(shop.catalog, whole=True)
    assert (result.written, result.unchanged, result.deleted, result.pictures_embedded) == (0, PRODUCTS, 0, 0)
    assert shop.store.live_version() == before
    assert [item.version for item in shop.store.versions()] == [before]
    assert [item.state for item in shop.store.versions()] == ["ready"]


def test_the_same_update_twice_is_one(shop: Shop) -> None:
    rows = shop.rows()
    changes = shop.write([{**rows[0], "title": "other"}], shop.folder / "changes.csv")
    assert shop.update(changes, ("p-0009",)).written == 1
    again = shop.update(changes, ("p-0009",))
    assert (again.written, again.unchanged, again.deleted, again.absent) == (0, 1, 0, 1)


def test_a_product_whose_row_is_rejected_stays_as_it_was(shop: Shop) -> None:
    (shop.folder / "0004.png").write_bytes(b"broken")
    result = shop.update(shop.catalog, whole=True)
    assert (result.deleted, result.written, dict(result.reasons)) == (0, 0, {"IMAGE_UNREADABLE": 1})
    assert "p-0004" in held(shop.store)


def test_a_new_attribute_can_be_filtered_by(edge_shop: Shop) -> None:
    rows = edge_shop.rows()
    changes = edge_shop.write([{**rows[0], "brand": "acme"}], edge_shop.folder / "changes.csv")
    result = edge_shop.update(changes)
    assert set(result.manifest.schema.attributes) == {"brand", "color"}
    done = run_module("indexer", "status", "--store", f"edge:{edge_shop.folder / 'index'}")
    assert done.returncode == 0, done.stderr


class TestWhatDoesNotFit:
    """It is refused before anything changes, and the live version stays."""

    @pytest.fixture(autouse=True)
    def unchanged(self, edge_shop: Shop) -> Iterator[None]:
        before = (edge_shop.store.live_version(), list(held(edge_shop.store)))
        yield
        assert (edge_shop.store.live_version(), list(held(edge_shop.store))) == before
        assert len(list((edge_shop.folder / "index" / "versions").iterdir())) == 1

    def test_a_feed_that_broke_off(self, edge_shop: Shop) -> None:
        edge_shop.write(edge_shop.rows()[:10])
        with pytest.raises(
            BuildError, match=r"14 of 24 products are not in the catalog.*share of 0.2.*max_delete_share"
        ):
            edge_shop.update(edge_shop.catalog, whole=True)

    def test_an_empty_catalog(self, edge_shop: Shop) -> None:
        edge_shop.write([{**edge_shop.rows()[0], "image": "nowhere.png"}])
        edge_shop.settings["max_reject_share"] = 1.0
        with pytest.raises(BuildError, match=r"holds no product that can be indexed"):
            edge_shop.update(edge_shop.catalog, whole=True)

    def test_all_products_taken_away(self, edge_shop: Shop) -> None:
        with pytest.raises(BuildError, match=r"take all 24 products away"):
            edge_shop.update(None, tuple(row["id"] for row in edge_shop.rows()))

    def test_too_many_rejected_rows(self, edge_shop: Shop) -> None:
        rows = [{**row, "image": "nowhere.png"} for row in edge_shop.rows()[:3]]
        changes = edge_shop.write([*rows, edge_shop.rows()[5]], edge_shop.folder / "changes.csv")
        with pytest.raises(BuildError, match=r"3 of 4 rows were rejected"):
            edge_shop.update(changes)

    def test_several_pictures_where_each_product_has_one(self, edge_shop: Shop) -> None:
        row = {**edge_shop.rows()[0], "image": ["0000.png", "0001.png"]}
        changes = edge_shop.folder / "changes.jsonl"
        changes.write_text(json.dumps(row) + "\n", encoding="utf-8")
        with pytest.raises(BuildError, match=r"has 2 pictures; permitted: 1.*indexer build"):
            edge_shop.update(changes)

    def test_a_version_that_another_process_has_open(self, edge_shop: Shop) -> None:
        reader = edge_shop.store.open(owner="127.0.0.1:50051")
        with pytest.raises(StoreLocked, match=r"owned by pid \d+ 127.0.0.1:50051"):
            edge_shop.update(edge_shop.catalog, whole=True)
        reader.close()

    def test_another_model(self, edge_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        manifest = edge_shop.store.open().manifest
        other = type(manifest).from_json(manifest.to_json().replace(manifest.model_fingerprint, "f" * 64), "here")
        monkeypatch.setattr(EdgeStore, "versions", lambda self: [other])
        with pytest.raises(ModelMismatch, match=r"made by the model ffff"):
            edge_shop.update(edge_shop.catalog, whole=True)


def test_an_attribute_of_another_kind_is_refused(edge_shop: Shop) -> None:
    changes = edge_shop.folder / "changes.jsonl"
    rows = edge_shop.rows()
    changes.write_text(json.dumps({**rows[0], "weight": 2.5}) + "\n", encoding="utf-8")
    edge_shop.update(changes)
    changes.write_text(json.dumps({**rows[1], "weight": "heavy"}) + "\n", encoding="utf-8")
    with pytest.raises(BuildError, match=r"'weight' is of kind keyword in the changes; permitted: number"):
        edge_shop.update(changes)


def test_without_a_live_version_there_is_nothing_to_update(encoder: Encoder, tmp_path: Path) -> None:
    write_drawn_catalog(tmp_path, 3, side=48)
    empty = Shop(tmp_path, encoder, EdgeStore(tmp_path / "nothing"))
    with pytest.raises(StoreNotFound, match=r"no live version .*next step: python -m indexer build"):
        empty.update(empty.catalog, whole=True)


class TestTheCommand:
    def test_updates_and_says_what_it_did(self, edge_shop: Shop, trained_bundle: Path) -> None:
        gone = edge_shop.folder / "gone.txt"
        gone.write_text("p-0003\n\np-0004\n", encoding="utf-8")
        done = run_module(
            "indexer", "update", "--delete", str(gone), "--model", str(trained_bundle), "--store",
            f"edge:{edge_shop.folder / 'index'}", "--cache-dir", str(edge_shop.folder / "cache"),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "0 products written, 2 taken away" in done.stdout
        assert {"p-0003", "p-0004"}.isdisjoint(held(edge_shop.store))

    @pytest.mark.parametrize(
        "flags", [(), ("--catalog", "a.csv", "--changes", "b.csv"), ("--catalog", "a.csv", "--delete", "x")]
    )
    def test_wants_a_catalog_or_changes(self, flags: tuple[str, ...]) -> None:
        done = run_module("indexer", "update", *flags)
        assert done.returncode == 2
        assert "--catalog alone, or --changes, --delete or both" in done.stderr.replace("\n", " ")


@pytest.mark.parametrize(("content", "message"), [(b"\xff\xfe\x00", "cannot be read"), (b"x" * 600, "600 characters")])
def test_a_file_of_ids_that_is_none(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(content)
    with pytest.raises(BuildError, match=message):
        list(read_ids(path))
    with pytest.raises(BuildError, match=r"cannot be read"):
        list(read_ids(tmp_path / "nowhere.txt"))


def test_what_was_changed_while_it_was_served_stays(encoder: Encoder, tmp_path: Path) -> None:
    shop = Shop(tmp_path, encoder, EdgeStore(tmp_path / "index"))
    write_drawn_catalog(tmp_path, PRODUCTS, side=48)
    shop.build()
    with closing(shop.store.take_changes(shop.store.open(), cannot_embed)) as online:
        stored = online.reader.fetch("p-0002")
        assert stored is not None
        product = Product("p-0002", "written online", (ProductPicture(PictureBytes(b"")),), price=1.0)
        becomes = ChangedProduct(product, stored.vectors, encoder.info.fingerprint, str(stored.payload["content"]))
        online.write([Change("p-0002", "r1", 0, b"1", becomes), Change("p-0003", "r1", 1, b"2")])
    rows = shop.rows()
    rows[4]["title"] = "of the update"
    result = shop.update(shop.write(rows[4:6], tmp_path / "changes.csv"))
    assert (result.written, result.unchanged, result.manifest.products) == (1, 1, PRODUCTS - 1)
    with closing(shop.store.open()) as reader:
        held = {
            item.product_id: item.payload["title"] for item in reader.fetch_many([f"p-000{n}" for n in range(2, 5)])
        }
        assert held == {"p-0002": "written online", "p-0004": "of the update"}
