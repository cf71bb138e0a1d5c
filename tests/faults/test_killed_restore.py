"""A restore or a backup that is killed leaves the live version, and the same command then succeeds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.stores.edge.store import EdgeStore
from indexer.transfer.backup import backup
from tests.conftest import copy_folder, run_module
from tests.faults.test_killed_build import wait_for
from tests.indexer.transfer.test_export_and_load import filled

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index on disk, and `shop.backup` beside it."""
    folder = tmp_path_factory.mktemp("shop")
    backup(filled(EdgeStore(folder / "index")), None, folder / "shop.backup")
    return folder


DIES = """
import os, signal, sys
from importlib import import_module

setattr(import_module(sys.argv[1]), sys.argv[2], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
sys.argv[1:3] = []
import_module("indexer.__main__").main()
"""

POINTS = {
    "as all files are unpacked": ("indexer.stores.edge.intake", "check_files"),
    "as it is sealed": ("indexer.stores.edge.intake", "write_durably"),
    "as it is whole, and not live": ("indexer.transfer.restore", "go_live"),
}


def kill(command: list[str], happened: Callable[[], object]) -> None:
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: happened() or process.poll() is not None, "the moment to kill it")
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL


def check_live(root: Path, version: str) -> None:
    store = EdgeStore(root)
    assert store.live_version() == version
    reader = store.open()
    assert reader.count() == 60
    reader.close()


def check_next(root: Path, live: str, command: list[str]) -> None:
    """The same command succeeds, and nothing is left of what was half unpacked."""
    done = run_module(*command)
    assert done.returncode == 0, done.stderr
    store = EdgeStore(root)
    assert store.live_version() != live
    assert all(item.state == "ready" for item in store.versions())
    assert {path.name for path in (root / "versions").iterdir()} == {item.version for item in store.versions()}


def test_a_restore_that_is_killed_while_it_unpacks(shop: Path, tmp_path: Path) -> None:
    root = copy_folder(shop / "index", tmp_path / "index")
    live = (root / "CURRENT").read_text().strip()
    command = ["indexer", "restore", str(shop / "shop.backup"), "--store", f"edge:{root}"]
    kill(command, lambda: any(live not in str(path) for path in (root / "versions").glob("*/shard")))
    check_live(root, live)
    check_next(root, live, command)


@pytest.mark.parametrize("point", POINTS)
def test_a_restore_that_is_killed(shop: Path, tmp_path: Path, point: str) -> None:
    root = copy_folder(shop / "index", tmp_path / "index")
    live = (root / "CURRENT").read_text().strip()
    command = ["restore", str(shop / "shop.backup"), "--store", f"edge:{root}"]
    done = subprocess.run([sys.executable, "-c", DIES, *POINTS[point], *command], check=False)
    assert done.returncode == -signal.SIGKILL
    check_live(root, live)
    check_next(root, live, ["indexer", *command])


def test_a_killed_backup(shop: Path, tmp_path: Path) -> None:
    command = ["indexer", "backup", "--store", f"edge:{shop / 'index'}", "--out", str(tmp_path / "backup")]
    kill(command, lambda: any(path.stat().st_size for path in tmp_path.glob(".backup.new")))
    assert not (tmp_path / "backup").exists()
    done = run_module(*command)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]
