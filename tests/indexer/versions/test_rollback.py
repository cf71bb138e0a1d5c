"""Going back: to what was live before, and only to what is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import StoreNotFound, VersionIncomplete
from indexer.stores.edge.store import EdgeStore
from indexer.versions.rollback import roll_back, version_before
from tests.indexer.conftest import load, manifest_of, shelf


@pytest.fixture
def store(tmp_path: Path) -> EdgeStore:
    return EdgeStore(tmp_path / "index")


def test_the_one_before_is_the_last_that_stopped_being_live(store: EdgeStore) -> None:
    """Not the youngest: a version that was built but rolled back from is younger."""
    first, second, third = (load(store, shelf(3, seed)).version for seed in range(3))
    for version in (first, third, second):
        store.activate(version)
    assert version_before(store) == third
    assert roll_back(store, third).products == 3
    assert store.live_version() == third
    assert version_before(store) == second


def test_an_older_releases_versions_are_gone_back_to_by_age(store: EdgeStore, tmp_path: Path) -> None:
    first, second, third = (load(store, shelf(3, seed)).version for seed in range(3))
    store.activate(first)
    store.activate(second)
    (tmp_path / "index" / "versions" / first / "RETIRED").unlink()
    assert version_before(store) == first
    assert store.live_version() == second
    assert third in [item.version for item in store.versions()]


def test_an_unfinished_version_is_none_to_go_back_to(store: EdgeStore) -> None:
    with pytest.raises(StoreNotFound, match="no version that was live before"):
        version_before(store)
    store.activate(load(store, shelf(3)).version)
    writer = store.create(manifest_of(shelf(3)))
    with pytest.raises(StoreNotFound, match=r"no version that was live before v.*next step"):
        version_before(store)
    writer.abort()


def test_a_damaged_version_does_not_go_live(store: EdgeStore, tmp_path: Path) -> None:
    first, second = (load(store, shelf(3, seed)).version for seed in range(2))
    store.activate(first)
    store.activate(second)
    (path,) = (tmp_path / "index" / "versions" / first).rglob("mutable_id_tracker.mappings")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(VersionIncomplete, match=r"is damaged: .*the live version stays; next step"):
        roll_back(store, first)
    assert store.live_version() == second
