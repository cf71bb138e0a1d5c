"""A version that does not answer for what went into it never goes live, and is not left behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from indexer.errors import StoreUnavailable, VersionIncomplete
from indexer.stores.edge.reader import EdgeReader
from indexer.stores.edge.store import EdgeStore
from indexer.versions.examination import ASKED
from indexer.versions.trial import try_version
from tests.indexer.conftest import Shelf, load, shelf, unit_rows


@pytest.fixture
def store(tmp_path: Path) -> EdgeStore:
    return EdgeStore(tmp_path / "index")


def asking(things: Shelf) -> list:
    return list(zip(things.ids, things.vectors, strict=True))


def test_a_whole_version_stays(store: EdgeStore) -> None:
    things = shelf(40)
    manifest = load(store, things)
    try_version(store, manifest, asking(things))
    assert [item.version for item in store.versions()] == [manifest.version]
    store.activate(manifest.version)
    store.open().close()


def test_products_with_the_same_picture_find_each_other(store: EdgeStore) -> None:
    things = shelf(30)
    twins = Shelf(things.payloads, things.vectors[[0] * 30], things.schema)
    manifest = load(store, twins)
    try_version(store, manifest, asking(twins))
    assert [item.version for item in store.versions()] == [manifest.version]


def test_products_that_are_not_found(store: EdgeStore) -> None:
    things = shelf(40)
    manifest = load(store, things)
    strangers = list(zip(things.ids, unit_rows(40, seed=77), strict=True))
    with pytest.raises(VersionIncomplete, match=rf"20 of {ASKED} products asked for .*the live one stays; next step"):
        try_version(store, manifest, strangers)
    assert store.versions() == []


def test_one_that_the_graph_misses_is_no_reason(store: EdgeStore) -> None:
    things = shelf(40)
    vectors = things.vectors.copy()
    vectors[3] = unit_rows(1, seed=78)[0]
    manifest = load(store, things)
    try_version(store, manifest, list(zip(things.ids, vectors, strict=True)))
    assert [item.version for item in store.versions()] == [manifest.version]


def test_another_number_of_products(store: EdgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = load(store, shelf(10))
    monkeypatch.setattr(EdgeReader, "count", lambda self, where=None: 9)
    with pytest.raises(VersionIncomplete, match=r"holds 9 products of 10"):
        try_version(store, manifest, [])
    assert store.versions() == []


def test_a_store_that_fails(store: EdgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    things = shelf(10)
    manifest = load(store, things)

    def fail(self: EdgeReader, *args: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(EdgeReader, "query", fail)
    with pytest.raises(StoreUnavailable, match="gone"):
        try_version(store, replace(manifest), asking(things))
    assert store.versions() == []
