"""A build that is killed at any point leaves the live index answering, no process behind, and nothing to clean by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.stores.edge import EdgeStore
from tests.conftest import run_module, write_drawn_catalog

PRODUCTS = 600


@dataclass
class Shop:
    """A catalog, a model, and a store with a live version of the catalog's first products."""

    catalog: Path
    model: Path
    root: Path
    live: str

    def command(self, *more: str) -> list[str]:
        return [
            "indexer", "build", "--catalog", str(self.catalog), "--model", str(self.model),
            "--store", f"edge:{self.root}", "--batch-size", "8", *more,
        ]  # fmt: skip

    def new_versions(self) -> list[Path]:
        return [path for path in (self.root / "versions").iterdir() if path.name != self.live]

    def answers(self) -> list[str]:
        """What the live version finds for a product of its own."""
        reader = EdgeStore(self.root).open()
        found = reader.search(reader.fetch("p-0005").vector, 5)
        reader.close()
        return [item.product_id for item in found]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("shop"), PRODUCTS, side=32)


@pytest.fixture
def shop(catalog: Path, trained_bundle: Path, tmp_path: Path) -> Shop:
    made = Shop(catalog, trained_bundle, tmp_path / "index", "")
    done = run_module(*made.command("--limit", "30"))
    assert done.returncode == 0, done.stderr
    made.live = (made.root / "CURRENT").read_text().strip()
    return made


def start(shop: Shop) -> subprocess.Popen[str]:
    # A group of its own, as a shell gives it: Ctrl-C reaches all of it.
    return subprocess.Popen(
        [sys.executable, "-m", *shop.command()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def group_is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def loader_of(build: int) -> int | None:
    """The process that fills the shard."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            line = (path.parent / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == build and b"multiprocessing.spawn" in line:
            return int(path.parent.name)
    return None


def log_has_products(shop: Shop) -> bool:
    """Whether the new version's shard has a segment that products go into."""
    return any(list(path.glob("shard/segments/*/vector_storage/vectors/chunk_0.mmap")) for path in shop.new_versions())


def sealing(shop: Shop) -> bool:
    return any((path / "files.json").exists() for path in shop.new_versions())


POINTS = {
    "as it begins": lambda shop: shop.new_versions(),
    "as the first products go in": log_has_products,
    "as it is sealed": sealing,
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_hard(shop: Shop, point: str) -> None:
    before = shop.answers()
    build = start(shop)
    wait_for(lambda: POINTS[point](shop) or build.poll() is not None, point)
    os.kill(build.pid, signal.SIGKILL)
    build.wait(60)
    wait_for(lambda: group_is_gone(build.pid), "the loader to leave")

    # Too late to be killed is no failure of the build's: then the new version is live and whole.
    if (shop.root / "CURRENT").read_text().strip() == shop.live:
        assert shop.answers() == before
        status = run_module("indexer", "status", "--store", f"edge:{shop.root}")
        assert (status.returncode, f"live: {shop.live}" in status.stdout) == (0, True)
    else:
        reader = EdgeStore(shop.root).open()
        assert reader.count() == PRODUCTS
        reader.close()

    done = run_module(*shop.command())
    assert done.returncode == 0, done.stderr
    reader = EdgeStore(shop.root).open()
    assert reader.count() == PRODUCTS
    reader.close()
    assert all(manifest.state == "ready" for manifest in EdgeStore(shop.root).versions())
    assert len(list((shop.root / "versions").iterdir())) == 2


@pytest.mark.parametrize("to", ["the process", "the group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminate"])
def test_asked_to_stop(shop: Shop, number: signal.Signals, to: str) -> None:
    before = shop.answers()
    build = start(shop)
    wait_for(lambda: log_has_products(shop) or build.poll() is not None, "products")
    (os.killpg if to == "the group" else os.kill)(build.pid, number)
    build.communicate(timeout=60)
    assert build.returncode != 0
    wait_for(lambda: group_is_gone(build.pid), "the loader to leave")
    assert (shop.root / "CURRENT").read_text().strip() == shop.live
    assert shop.answers() == before
    assert run_module(*shop.command("--limit", "40")).returncode == 0


def test_the_loader_alone_is_killed(shop: Shop) -> None:
    before = shop.answers()
    build = start(shop)
    wait_for(lambda: log_has_products(shop) or build.poll() is not None, "products")
    loader = loader_of(build.pid)
    assert loader is not None
    os.kill(loader, signal.SIGKILL)
    _, stderr = build.communicate(timeout=60)
    assert build.returncode == 2
    assert "error: the process that fills the shard ended with status -9; next step" in stderr
    assert shop.answers() == before
    assert shop.new_versions() == []
