"""Qdrant's own cases: addresses, a server that is away, collections of others."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from qdrant_client import QdrantClient, models

from indexer.errors import StoreNotFound, StoreUnavailable, StoreUrlInvalid, VersionIncomplete
from indexer.filters.schema import FieldType, Schema
from indexer.stores.points import point_id
from indexer.stores.qdrant.arguments import QdrantArguments
from indexer.stores.qdrant.collection import payload_indexes
from indexer.stores.qdrant.store import QdrantStore
from indexer.versions.effort_measuring import index_and_measure
from tests.indexer.conftest import load, manifest_of, search, shelf
from tests.indexer.stores.qdrant.troubled_client import Refusal, TroubledClient


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


@pytest.mark.parametrize(
    ("url", "plain", "sent"),
    [
        ("qdrant://db.example.org/shop", False, False),
        ("qdrant://db.example.org/shop", True, True),
        ("qdrants://db.example.org/shop", False, True),
        ("qdrant://localhost/shop", False, True),
        ("qdrant://127.0.0.2/shop", False, True),
        ("qdrant://[::1]/shop", False, True),
        ("qdrant://10.0.0.7/shop", False, False),
        ("qdrant://localhost.example.org/shop", False, False),
    ],
)
def test_a_key_is_not_sent_where_others_can_read_it(url: str, plain: bool, sent: bool) -> None:
    arguments = QdrantArguments(plain_text_key=plain)
    QdrantStore.connect(url, None, arguments).close()
    if sent:
        QdrantStore.connect(url, "very-secret", arguments).close()
    else:
        with pytest.raises(StoreUrlInvalid, match=r"API key.*permitted: qdrants://.*plain_text_key = true") as refused:
            QdrantStore.connect(url, "very-secret", arguments)
        assert "very-secret" not in str(refused.value)


def test_a_server_that_is_away_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = QdrantStore.connect(f"qdrant://127.0.0.1:{port}/shop")
    for ask in (store.versions, store.live_version, store.open, lambda: store.create(manifest_of(shelf(1)))):
        with pytest.raises(StoreUnavailable, match=rf"Qdrant at qdrant://127\.0\.0\.1:{port}/shop failed: .*next step"):
            ask()
    store.close()


@pytest.mark.parametrize(
    ("code", "details", "error", "cause"),
    [
        ("UNAUTHENTICATED", "Must provide an API key", StoreUnavailable, "set MERCHLENS_QDRANT_API_KEY"),
        ("PERMISSION_DENIED", "Write access is required", StoreUnavailable, "may write"),
        ("INTERNAL", "No space left on device: WAL buffer size exceeds available disk space", StoreUnavailable,
         "its disk is full"),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", StoreUnavailable, r"qdrant\.timeout_s"),
        ("UNAVAILABLE", "failed to connect", StoreUnavailable, "is it up, and is this its gRPC port"),
        ("NOT_FOUND", "Collection `shop-v1` doesn't exist!", StoreNotFound, "restart what still asks for it"),
    ],
)  # fmt: skip
def test_a_failure_names_its_cause(
    client: QdrantClient, code: str, details: str, error: type[Exception], cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = QdrantStore(client, "qdrant://m/shop", "shop")

    def fail(*args: object, **kwargs: object) -> None:
        raise Refusal(grpc.StatusCode[code], details)

    monkeypatch.setattr(client, "get_aliases", fail)
    with pytest.raises(error, match=rf"Qdrant at qdrant://m/shop .*; next step: .*{cause}"):
        store.live_version()


def test_a_version_that_was_deleted_under_a_reader_is_missing_and_the_check_says_so(
    client: QdrantClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = QdrantStore(client, "qdrant://m/shop", "shop")
    first, second = load(store, shelf(5)), load(store, shelf(5))
    store.activate(first.version)
    asked, watched = store.open(), store.open()
    store.activate(second.version)
    watched.check(lambda read: None)
    assert store.drop(first.version)
    with pytest.raises(StoreNotFound, match="is gone: the version was deleted while it was served; next step"):
        watched.check(lambda read: None)

    def gone(*args: object, **kwargs: object) -> None:
        raise Refusal(grpc.StatusCode.NOT_FOUND, "Collection doesn't exist!")

    monkeypatch.setattr(client, "count", gone)
    asked.check()
    with pytest.raises(StoreNotFound, match="has it no longer"):
        asked.count()
    with pytest.raises(StoreNotFound, match="has it no longer"):
        asked.check()


def test_a_server_that_cannot_be_reached_is_no_missing_version(
    client: QdrantClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = QdrantStore(client, "qdrant://m/shop", "shop")
    store.activate(load(store, shelf(5)).version)
    reader = store.open()

    def away(*args: object, **kwargs: object) -> None:
        raise Refusal(grpc.StatusCode.UNAVAILABLE, "failed to connect")

    monkeypatch.setattr(client, "collection_exists", away)
    reader.check(lambda read: None)
    assert reader.count() == 5


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


def test_an_unfinished_version_is_cleared_once_it_is_old(client: QdrantClient) -> None:
    """Nobody here knows whether its builder lives: only its age tells."""
    store = QdrantStore(client, "qdrant://m/shop", "shop")
    live = load(store, shelf(5))
    store.activate(live.version)
    begun = datetime.now(UTC) - timedelta(hours=3)
    left = replace(manifest_of(shelf(5)), created_at=begun.isoformat(timespec="seconds"))
    store.create(left)
    assert store.drop_unfinished(4 * 3600) == ()
    assert store.drop_unfinished(2 * 3600) == (left.version,)
    assert [item.version for item in store.versions()] == [live.version]


@pytest.fixture
def troubled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("indexer.stores.qdrant.writer._LOOK_EVERY_S", 0.001)
    found = TroubledClient()
    yield found
    found.client.close()


def store_of(troubled: TroubledClient, **arguments: float) -> QdrantStore:
    return QdrantStore(troubled, "qdrant://m/shop", "shop", QdrantArguments(**arguments))  # type: ignore[arg-type]


class TestOnABadDay:
    def test_a_node_that_does_not_know_yet_that_a_version_is_finished_is_asked_again(
        self, troubled: TroubledClient
    ) -> None:
        store = store_of(troubled)
        ready = load(store, shelf(5))
        troubled.stale = 3
        store.activate(ready.version)
        troubled.stale = 3
        assert store.open().count() == 5
        troubled.stale = 10**6
        with pytest.raises(VersionIncomplete, match=r"'building', also after 0\.1 s; permitted: 'ready'; next step"):
            store_of(troubled, visible_wait_s=0.1).open(ready.version)

    def test_a_version_is_finished_once_its_graph_is_built(self, troubled: TroubledClient) -> None:
        troubled.yellow = 20
        load(store_of(troubled), shelf(5))
        assert troubled.yellow == 0

    def test_waiting_for_the_graph_ends_and_can_be_left_out(
        self, troubled: TroubledClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        troubled.yellow = 10**6
        store = store_of(troubled, green_wait_s=0.05)
        store.activate(load(store, shelf(5)).version)
        assert "the server still builds its graph after 0 s (qdrant.green_wait_s); it goes live" in caplog.text
        before = troubled.yellow
        load(store_of(troubled, green_wait_s=0), shelf(5))
        assert troubled.yellow == before

    def test_a_graph_that_failed_does_not_go_live(self, troubled: TroubledClient) -> None:
        troubled.failed = True
        store = store_of(troubled)
        with pytest.raises(StoreUnavailable, match=r"failed on the server: .*next step: look at its log"):
            load(store, shelf(5))
        assert store.versions() == []

    def test_the_graph_is_measured_once_it_is_built_and_serves_as_measured(self, troubled: TroubledClient) -> None:
        troubled.has_graph, troubled.yellow = True, 3
        store, things = store_of(troubled), shelf(60)
        begun = manifest_of(things)
        writer = store.create(begun)
        writer.upsert(things.batches(60)[0])
        manifest, _ = index_and_measure(writer, replace(begun, state="ready", products=60), 0.99)
        assert troubled.yellow == 0
        # What answers here is exact always, so the first rung is enough.
        assert manifest.effort["image"].balanced == 16
        assert {exact for _, exact in troubled.candidates} == {True, False}
        writer.finish(manifest)
        troubled.candidates.clear()
        for opened in (store, store_of(troubled, search_candidates=200)):
            search(opened.open(begun.version), things.vectors[0], 10)
        assert troubled.candidates == [(16, False), (200, False)]

    def test_a_graph_that_is_not_whole_yet_is_not_measured(self, troubled: TroubledClient) -> None:
        troubled.has_graph, troubled.yellow = True, 10**6
        things = shelf(5)
        begun = manifest_of(things)
        writer = store_of(troubled, green_wait_s=0.05).create(begun)
        writer.upsert(things.batches()[0])
        assert writer.index(replace(begun, state="ready", products=5)) is None
        writer.abort()

    @pytest.mark.parametrize("call", ["update_collection", "update_collection_aliases"])
    def test_a_flip_that_fails_leaves_the_live_version_live(self, troubled: TroubledClient, call: str) -> None:
        store = store_of(troubled)
        first, second = (load(store, shelf(5, seed)).version for seed in range(2))
        store.activate(first)
        troubled.refused[call] = [Refusal(grpc.StatusCode.UNAVAILABLE, "connection reset")]
        with pytest.raises(StoreUnavailable, match="connection reset"):
            store.activate(second)
        assert store.live_version() == first
        assert store.retired_at(first) is None
        store.activate(second)
        assert store.live_version() == second

    def test_a_collection_that_was_lost_is_missing(self, troubled: TroubledClient) -> None:
        store = store_of(troubled)
        version = load(store, shelf(5)).version
        store.activate(version)
        reader = store.open()
        troubled.lost.add(f"shop-{version}")
        with pytest.raises(StoreNotFound, match="has it no longer"):
            reader.count()
        with pytest.raises(StoreNotFound, match="no version"):
            store.open()
