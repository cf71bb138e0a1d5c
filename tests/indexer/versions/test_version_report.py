"""A version is verified by its files, its model and its answers; what cannot be looked at is named, and no failure."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from indexer.errors import StoreNotFound
from indexer.stores.edge.reader import EdgeReader
from indexer.stores.edge.store import EdgeStore
from indexer.stores.qdrant.store import QdrantStore
from indexer.versions.version_report import VersionReport, verify_version
from tests.indexer.conftest import load, shelf


@pytest.fixture
def store(tmp_path: Path) -> EdgeStore:
    store = EdgeStore(tmp_path / "index")
    store.activate(load(store, shelf(40)).version)
    return store


def outcomes(report: VersionReport) -> dict[str, str]:
    return {finding.name: finding.outcome for finding in report.findings}


def live(store: EdgeStore | QdrantStore) -> str:
    found = store.live_version()
    assert found is not None
    return found


def test_of_a_whole_version_everything_is_looked_at(store: EdgeStore) -> None:
    report = verify_version(store, live(store))
    assert report.whole
    assert outcomes(report) == dict.fromkeys(("files", "model", "products", "self-queries", "recall"), "passed")
    figures = {finding.name: finding.figures for finding in report.findings}
    assert figures["products"] == {"held": 40, "in_manifest": 40}
    assert figures["self-queries"] == {"asked": 20, "found": 20, "lost": []}
    assert json.loads(json.dumps(report.to_dict()))["version"] == live(store)


def test_one_that_a_server_has_open_is_not_searched_and_that_is_no_failure(store: EdgeStore) -> None:
    with closing(store.open(owner="server at :50051")):
        report = verify_version(store, live(store))
        deep = verify_version(store, live(store), deep=True)
    assert report.whole
    assert outcomes(report) == {"files": "passed", "model": "passed", "searches": "left out"}
    # Of a copy.
    assert outcomes(deep)["self-queries"] == "passed"
    assert "server at :50051" in report.findings[-1].said


def test_one_whose_files_differ_is_not_opened(store: EdgeStore) -> None:
    (path,) = (store._root / "versions" / live(store)).rglob("mutable_id_tracker.mappings")
    path.write_bytes(path.read_bytes()[:-1])
    report = verify_version(store, live(store))
    assert not report.whole
    assert outcomes(report) == {"files": "failed"}
    assert "mutable_id_tracker.mappings" in report.findings[0].said


def test_another_model_than_the_live_ones_or_the_one_given_is_only_noted(store: EdgeStore) -> None:
    other = load(store, shelf(10), model_fingerprint="a" * 64)
    report = verify_version(store, other.version)
    assert report.whole
    assert outcomes(report)["model"] == "noted"
    assert "f" * 16 in {finding.name: finding.said for finding in report.findings}["model"]
    assert outcomes(verify_version(store, other.version, fingerprint="a" * 64))["model"] == "passed"
    assert outcomes(verify_version(store, live(store), fingerprint="a" * 64))["model"] == "noted"


def test_products_that_do_not_find_themselves_are_a_failure(store: EdgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EdgeReader, "query", lambda self, *arguments: [])
    report = verify_version(store, live(store))
    assert not report.whole
    assert outcomes(report)["self-queries"] == "failed"


def test_a_server_that_is_no_edge_is_verified_the_same_way() -> None:
    client = QdrantClient(":memory:")
    store = QdrantStore(client, "qdrant://memory/shop", "shop")
    store.activate(load(store, shelf(40)).version)
    report = verify_version(store, live(store))
    assert outcomes(report) == dict.fromkeys(("files", "model", "products", "self-queries", "recall"), "passed")
    with pytest.raises(StoreNotFound):
        verify_version(store, "v1")
    client.close()
