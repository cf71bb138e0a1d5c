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

from indexer.stores.edge.store import EdgeStore
from tests.conftest import copy_folder, run_module, write_drawn_catalog
from tests.indexer.conftest import search

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
            "--store", f"edge:{self.root}", "--batch-size", "8", "--cache-dir", str(self.root.parent / "cache"), *more,
        ]  # fmt: skip

    def new_versions(self) -> list[Path]:
        return [path for path in (self.root / "versions").iterdir() if path.name != self.live]

    def answers(self) -> list[str]:
        """What the live version finds for a product of its own."""
        reader = EdgeStore(self.root).open()
        found = search(reader, reader.fetch("p-0005").direction, 5)
        reader.close()
        return [item.product_id for item in found]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("shop"), PRODUCTS, side=32)


@pytest.fixture(scope="module")
def built(catalog: Path, trained_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store as a first, good build left it."""
    made = Shop(catalog, trained_bundle, tmp_path_factory.mktemp("built") / "index", "")
    done = run_module(*made.command("--limit", "30"))
    assert done.returncode == 0, done.stderr
    return made.root


@pytest.fixture
def shop(catalog: Path, trained_bundle: Path, built: Path, tmp_path: Path) -> Shop:
    root = copy_folder(built, tmp_path / "index")
    return Shop(catalog, trained_bundle, root, (root / "CURRENT").read_text().strip())


def start(shop: Shop) -> subprocess.Popen[str]:
    # A group of its own, as a shell gives it: Ctrl-C reaches all of it.
    return subprocess.Popen(
        [sys.executable, "-m", *shop.command()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What runs the tests in the background may have Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
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
    return any(
        list(path.glob("shard/segments/*/vector_storage-image/vectors/chunk_0.mmap")) for path in shop.new_versions()
    )


def sealing(shop: Shop) -> bool:
    return any((path / "files.json").exists() for path in shop.new_versions())


POINTS = {
    "as it begins": lambda shop: shop.new_versions(),
    "as the first products go in": log_has_products,
    "as it is sealed": sealing,
}


@pytest.mark.faults
@pytest.mark.parametrize("point", POINTS)
def test_killed_hard(shop: Shop, point: str) -> None:
    before = shop.answers()
    build = start(shop)
    wait_for(lambda: POINTS[point](shop) or build.poll() is not None, point)
    os.kill(build.pid, signal.SIGKILL)
    build.wait(60)
    wait_for(lambda: group_is_gone(build.pid), "the loader to leave")
    assert build.returncode in (0, -signal.SIGKILL)

    # Too late to be killed is no failure of the build's: then the new version is live and whole.
    live = (shop.root / "CURRENT").read_text().strip()
    if live == shop.live:
        assert shop.answers() == before
    else:
        reader = EdgeStore(shop.root).open()
        assert reader.count() == PRODUCTS
        reader.close()

    done = run_module(*shop.command("--limit", "40"))
    assert done.returncode == 0, done.stderr
    reader = EdgeStore(shop.root).open()
    assert reader.count() == 40
    reader.close()
    assert all(manifest.state == "ready" for manifest in EdgeStore(shop.root).versions())
    # What is left was live within the hour; what the killed build left is gone.
    ever_live = {shop.live, live, (shop.root / "CURRENT").read_text().strip()}
    assert {path.name for path in (shop.root / "versions").iterdir()} == ever_live


def stop(shop: Shop, number: signal.Signals, to: str) -> subprocess.Popen[str]:
    """A build that is sent a signal once products go in, and that has left with all its processes."""
    build = start(shop)
    wait_for(lambda: log_has_products(shop) or build.poll() is not None, "products")
    (os.killpg if to == "the group" else os.kill)(build.pid, number)
    _, stderr = build.communicate(timeout=60)
    assert "Traceback" not in stderr
    wait_for(lambda: group_is_gone(build.pid), "the loader to leave")
    return build


@pytest.mark.parametrize("to", ["the process", "the group"])
def test_ctrl_c_is_130_and_takes_away_what_is_half_built(shop: Shop, to: str) -> None:
    before, files = shop.answers(), {path.name for path in shop.root.iterdir()}
    assert stop(shop, signal.SIGINT, to).returncode == 130
    assert shop.new_versions() == []
    assert {path.name for path in shop.root.iterdir()} == files
    assert shop.answers() == before


@pytest.mark.parametrize("to", ["the process", "the group"])
def test_a_terminated_build_leaves_the_live_version(shop: Shop, to: str) -> None:
    before = shop.answers()
    assert stop(shop, signal.SIGTERM, to).returncode == -signal.SIGTERM
    assert (shop.root / "CURRENT").read_text().strip() == shop.live
    assert shop.answers() == before


@pytest.mark.faults
def test_what_a_killed_build_left_is_gone_after_the_next(shop: Shop) -> None:
    files = {path.name for path in shop.root.iterdir()}
    stop(shop, signal.SIGKILL, "the process")
    (left,) = shop.new_versions()
    assert run_module(*shop.command("--limit", "40")).returncode == 0
    assert not left.exists()
    # What the comparison with the live version found stays for whoever looks after it.
    assert {path.name for path in shop.root.iterdir()} == files | {"shadow.json"}


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


BUILD_A_GRAPH = """
import sys
from dataclasses import replace
from pathlib import Path

from indexer.filters.schema import Schema
from indexer.stores.edge.store import EdgeStore
from indexer.stores.edge.arguments import EdgeArguments
from tests.indexer.conftest import Shelf, manifest_of, unit_rows

count = EdgeArguments().graph_above + 500
payloads = tuple({"product_id": f"p-{n}", "title": "", "price": float(n % 100)} for n in range(count))
things = Shelf(payloads, unit_rows(count, dim=128), Schema({}))
begun = manifest_of(things)
writer = EdgeStore(Path(sys.argv[1])).create(begun)
for batch in things.batches(1000):
    writer.upsert(batch)
writer.finish(replace(begun, state="ready", products=count))
"""


@pytest.mark.faults
def test_killed_while_the_graph_is_built_the_loader_does_not_go_on_with_it(tmp_path: Path) -> None:
    build = subprocess.Popen(
        [sys.executable, "-c", BUILD_A_GRAPH, str(tmp_path)], stderr=subprocess.DEVNULL, start_new_session=True
    )

    def half_built() -> list[Path]:
        return list(tmp_path.glob("versions/*/shard/temp_segments/*"))

    wait_for(lambda: half_built() or build.poll() is not None, "the graph")
    os.kill(build.pid, signal.SIGKILL)
    assert build.wait(60) == -signal.SIGKILL
    wait_for(lambda: group_is_gone(build.pid), "the loader to leave")
    # Had it built the graph to the end, that would lie among the segments by now.
    assert half_built()
