"""A disk that fills while a backup is made, or restored, is named; nothing is left, and the live version stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.errors import StoreUnavailable, TransferError
from indexer.settings import IndexerSettings
from indexer.stores.edge import store as edge_store
from indexer.stores.edge.store import EdgeStore
from indexer.transfer import backup as backing_up
from indexer.transfer.backup import backup
from indexer.transfer.restore import restore
from tests.faults.small_disk import empty, fill, small_disk
from tests.indexer.transfer.test_export_and_load import filled

pytestmark = pytest.mark.faults


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 600) as made:
        yield made


@pytest.mark.parametrize("room", [0, 100_000, 400_000])
def test_as_a_backup_is_made(disk: Path, tmp_path: Path, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(EdgeStore(tmp_path / "index"))
    # There is enough as it begins.
    monkeypatch.setattr(backing_up, "check_room", lambda *_: None)
    fill(disk, room)
    with pytest.raises(TransferError, match=r"shop.backup cannot be written: .*No space left on device"):
        backup(store, None, disk / "shop.backup")
    assert [path.name for path in disk.iterdir()] == ["fill"]
    empty(disk)
    backup(store, None, disk / "shop.backup")
    assert [path.name for path in disk.iterdir()] == ["shop.backup"]


@pytest.mark.parametrize("room", [100_000, 1_000_000])
def test_as_a_backup_is_restored(disk: Path, tmp_path: Path, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(EdgeStore(disk / "index"))
    live, versions = store.live_version(), store.versions()
    backup(store, None, tmp_path / "shop.backup")
    settings = IndexerSettings(cache_dir=tmp_path / "cache")
    with monkeypatch.context() as patch:
        patch.setattr(edge_store, "check_room", lambda *_: None)
        fill(disk, room)
        with pytest.raises(StoreUnavailable, match=r"no space left at .*next step: free some"):
            restore(tmp_path / "shop.backup", store, settings)
    assert (store.live_version(), store.versions()) == (live, versions)
    assert {path.name for path in (disk / "index" / "versions").iterdir()} == {live}
    empty(disk)
    assert restore(tmp_path / "shop.backup", store, settings).manifest.products == 60
