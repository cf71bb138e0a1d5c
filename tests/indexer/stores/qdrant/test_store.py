"""Qdrant's own cases: addresses, a server that is away, collections of others."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from qdrant_client import QdrantClient, models

from indexer.errors import StoreUnavailable, StoreUrlInvalid, VersionIncomplete
from indexer.filters.schema import FieldType, Schema
from indexer.stores.points import point_id
from indexer.stores.qdrant.collection import payload_indexes
from indexer.stores.qdrant.store import QdrantStore
from tests.indexer.conftest import load, manifest_of, shelf


@pytest.fixture
def client():
    opened = QdrantClient(":memory:")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("qdrant://db", "qdrant://db:6334/merchlens"),
        ("qdrant://db:7000", "qdrant://db:7000/merchlens"),
        ("qdrant://db:7000/shop", "qdrant://db:7000/shop"),
        ("qdrant://db/shop/", None),
        ("qdrants://db.example.org/shop", "qdrants://db.example.org:6334/shop"),
        ("qdrant://", None),
        ("qdrant://db:port/shop", None),
        ("qdrant://db:99999/shop", None),
        ("qdrant://db/shop/boots", None),
        ("http://db:6334", None),
    ],
)
def test_addresses(url: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(StoreUrlInvalid, match=r"permitted: qdrant://HOST:6334/CATALOG"):
            QdrantStore.connect(url)
    else:
        store = QdrantStore.connect(url)
        assert store.url == meant
        store.close()


def test_a_password_does_not_get_into_messages() -> None:
    store = QdrantStore.connect("qdrants://db/shop", api_key="very-secret")
    assert "very-secret" not in repr(store.url)
    store.close()


def test_a_server_that_is_away_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = QdrantStore.connect(f"qdrant://127.0.0.1:{port}/shop")
    for ask in (store.versions, store.live_version, store.open, lambda: store.create(manifest_of(shelf(1)))):
        with pytest.raises(StoreUnavailable, match=rf"Qdrant at qdrant://127\.0\.0\.1:{port}/shop failed: .*next step"):
            ask()
    store.close()


def test_catalogs_whose_names_begin_alike_keep_apart(client: QdrantClient) -> None:
    shop, vintage = (
        QdrantStore(client, "qdrant://m/shop", "shop"),
        QdrantStore(client, "qdrant://m/s-v", "shop-vintage"),
    )
    ours, theirs = load(shop, shelf(5)), load(vintage, shelf(7, seed=1))
    shop.activate(ours.version)
    vintage.activate(theirs.version)
    assert [manifest.version for manifest in shop.versions()] == [ours.version]
    assert [manifest.version for manifest in vintage.versions()] == [theirs.version]
    assert shop.open().count() == 5
    assert vintage.open().count() == 7


def test_collections_that_are_not_ours_are_left_alone(client: QdrantClient) -> None:
    store = QdrantStore(client, "qdrant://m/shop", "shop")
    client.create_collection("shop-v1", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    assert store.versions() == []
    with pytest.raises(VersionIncomplete, match=r"version v1 at .* has no manifest; next step"):
        store.open("v1")


def test_a_version_that_lost_products_is_not_opened(client: QdrantClient) -> None:
    store, things = QdrantStore(client, "qdrant://m/shop", "shop"), shelf(20)
    ready = load(store, things)
    client.delete(f"shop-{ready.version}", [str(point_id(things.ids[0]))])
    with pytest.raises(VersionIncomplete, match=r"holds 19 products, its manifest says 20; next step"):
        store.open(ready.version)


def test_what_filters_name_is_indexed() -> None:
    schema = Schema(
        {"color": FieldType.KEYWORD, "a b": FieldType.NUMBER, "new": FieldType.BOOL, 'in"ches': FieldType.NUMBER}
    )
    assert payload_indexes(schema) == {
        "product_id": models.PayloadSchemaType.KEYWORD,
        "category": models.PayloadSchemaType.KEYWORD,
        "category_path": models.PayloadSchemaType.KEYWORD,
        "price": models.PayloadSchemaType.FLOAT,
        "in_stock": models.PayloadSchemaType.BOOL,
        "attributes.color": models.PayloadSchemaType.KEYWORD,
        'attributes."a b"': models.PayloadSchemaType.FLOAT,
        "attributes.new": models.PayloadSchemaType.BOOL,
    }


def test_the_manifest_travels_with_the_collection(client: QdrantClient) -> None:
    store = QdrantStore(client, "qdrant://m/shop", "shop")
    begun = manifest_of(shelf(3))
    store.create(begun).abort()
    assert store.versions() == []
    ready = load(store, shelf(3), version=begun.version)
    assert QdrantStore(client, "qdrant://m/shop", "shop").versions() == [replace(ready)]
