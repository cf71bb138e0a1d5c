"""Old versions go, those in use stay, and what cannot be deleted does not fail a build that is live already."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from indexer.errors import StoreUnavailable
from indexer.stores.edge.store import EdgeStore
from indexer.versions.retention import drop_old
from tests.conftest import copy_folder
from tests.indexer.conftest import load, shelf


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three versions, the youngest live."""
    root = tmp_path_factory.mktemp("built") / "index"
    made = EdgeStore(root)
    for seed in range(3):
        made.activate(load(made, shelf(5, seed)).version)
    return root


@pytest.fixture
def store(built: Path, tmp_path: Path) -> EdgeStore:
    """A copy of it."""
    return EdgeStore(copy_folder(built, tmp_path / "index"))


def names(store: EdgeStore) -> list[str]:
    return [manifest.version for manifest in store.versions()]


def test_the_oldest_go(store: EdgeStore, caplog: pytest.LogCaptureFixture) -> None:
    first, second, live = names(store)
    with caplog.at_level(logging.INFO):
        drop_old(store, 1)
    assert names(store) == [second, live]
    assert f"dropped version {first}" in caplog.text


def test_one_that_was_live_until_lately_stays_for_a_while(store: EdgeStore, caplog: pytest.LogCaptureFixture) -> None:
    """Page tokens and running servers ask for it still."""
    before = names(store)
    with caplog.at_level(logging.INFO):
        assert drop_old(store, 0, drop_after_s=3600) == ()
    assert names(store) == before
    assert f"version {before[0]} stays for another 3" in caplog.text
    (store._root / "versions" / before[0] / "RETIRED").write_text("2020-01-01T00:00:00+00:00")
    assert drop_old(store, 0, drop_after_s=3600) == (before[0],)


def test_one_that_was_refused_stays_until_it_is_old(store: EdgeStore) -> None:
    """It is younger than the live one, and never was live."""
    refused = load(store, shelf(5, 9), created_at="2020-01-01T00:00:00+00:00").version
    assert refused not in drop_old(store, 0)
    assert refused in names(store)
    assert drop_old(store, 0, abandoned_after_s=3600) == (refused,)


def test_one_that_was_refused_does_not_push_out_the_one_to_go_back_to(store: EdgeStore) -> None:
    before = names(store)[1]
    refused = load(store, shelf(5, 9), created_at="2020-01-01T00:00:00+00:00").version
    assert refused in drop_old(store, 1, abandoned_after_s=3600)
    assert before in names(store)


def test_one_that_an_older_release_retired_goes(store: EdgeStore) -> None:
    """It left no word of when that was."""
    first = names(store)[0]
    (store._root / "versions" / first / "RETIRED").unlink()
    assert drop_old(store, 1, drop_after_s=3600) == (first,)


def test_one_that_never_was_live_does_not_push_out_the_one_to_roll_back_to(store: EdgeStore) -> None:
    """A build was killed between finishing it and making it live."""
    first, second, last = names(store)
    stray = load(store, shelf(5, 7)).version
    live = load(store, shelf(5, 8)).version
    store.activate(live)
    assert drop_old(store, 1) == (stray, first, second)
    assert names(store) == [last, live]


def test_one_that_is_about_to_be_made_live_by_another_build_stays(store: EdgeStore) -> None:
    ready = load(store, shelf(5, 7)).version
    drop_old(store, 0)
    assert ready in names(store)


def test_one_in_use_stays_and_is_not_called_dropped(store: EdgeStore, caplog: pytest.LogCaptureFixture) -> None:
    first = names(store)[0]
    reader = store.open(first)
    with caplog.at_level(logging.INFO):
        drop_old(store, 1)
    assert first in names(store)
    assert "dropped" not in caplog.text
    assert f"version {first} is in use, and stays" in caplog.text
    reader.close()


def test_one_that_cannot_be_deleted_is_a_warning(
    store: EdgeStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, live = names(store)

    class Stubborn(EdgeStore):
        def drop(self, version: str) -> bool:
            if version == first:
                raise PermissionError(1, "Operation not permitted")
            return super().drop(version)

    with caplog.at_level(logging.INFO):
        drop_old(Stubborn(store._root), 0)
    assert names(store) == [first, live]
    assert f"version {first} is not deleted: [Errno 1] Operation not permitted" in caplog.text
    assert f"dropped version {second}" in caplog.text


def test_a_store_that_cannot_be_asked_is_a_warning(
    store: EdgeStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: EdgeStore) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(EdgeStore, "versions", fail)
    drop_old(store, 0)
    assert "old versions could not be listed: gone" in caplog.text
