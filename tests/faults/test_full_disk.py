"""A full disk, at each write of a build and while a version is opened: one error that says so, and nothing left over."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embedder.catalogs.product import Rejection
from indexer.building.rejects import RejectLog
from indexer.errors import BuildError, StoreUnavailable
from indexer.stores.edge import writer as edge_writer
from indexer.stores.edge.space import build_bytes, free_bytes
from indexer.stores.edge.store import EdgeStore
from tests.conftest import run_module, write_drawn_catalog
from tests.faults.small_disk import empty, fill, small_disk
from tests.faults.test_killed_build import wait_for
from tests.indexer.conftest import Shelf, load, manifest_of, shelf

DISK_MB = 300


@pytest.fixture(scope="module")
def things() -> Shelf:
    return shelf(120)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_MB) as folder:
        yield folder


def before(monkeypatch: pytest.MonkeyPatch, module: object, name: str, act: Callable[[], None], call: int = 1) -> None:
    """Do something just before the n-th call of a function."""
    real, calls = getattr(module, name), []

    def wrapped(*arguments, **more):
        calls.append(None)
        if len(calls) == call:
            act()
        return real(*arguments, **more)

    monkeypatch.setattr(module, name, wrapped)


POINTS: dict[str, tuple[object, str, int]] = {
    "as the first manifest is written": (edge_writer, "write_durably", 1),
    "as the shard is made": (edge_writer, "EdgeLoader", 1),
    "as the files are listed": (edge_writer, "seal", 1),
    "as the list is written": (edge_writer, "write_durably", 2),
    "as the last manifest is written": (edge_writer, "write_durably", 3),
}


class TestABuild:
    @pytest.fixture
    def store(self, disk: Path, things: Shelf) -> EdgeStore:
        """With a live version."""
        store = EdgeStore(disk / "index")
        store.activate(load(store, shelf(20, seed=1)).version)
        return store

    def assert_nothing_is_left(self, disk: Path, store: EdgeStore, things: Shelf) -> None:
        live = store.live_version()
        assert [path.name for path in (disk / "index" / "versions").iterdir()] == [live]
        assert {path.name for path in (disk / "index").iterdir()} == {"CURRENT", "BUILDING", "versions"}
        # No lock is held, and the next one goes well.
        empty(disk)
        store.activate(load(store, things).version)
        reader = store.open()
        assert reader.count() == len(things.ids)
        reader.close()

    @pytest.mark.parametrize("point", POINTS)
    def test_runs_out_of_space(
        self, disk: Path, store: EdgeStore, things: Shelf, monkeypatch: pytest.MonkeyPatch, point: str
    ) -> None:
        module, name, call = POINTS[point]
        with monkeypatch.context() as faulty:
            before(faulty, module, name, lambda: fill(disk), call)
            with pytest.raises(StoreUnavailable, match=r"no space left at .*: 0\.0 MB free, .* next step: free some"):
                load(store, things)
        self.assert_nothing_is_left(disk, store, things)

    def test_runs_out_of_space_while_products_go_in(self, disk: Path, store: EdgeStore, things: Shelf) -> None:
        begun = manifest_of(things)
        writer = store.create(begun)
        writer.upsert(things.batches()[0])
        written = disk / "index" / "versions" / begun.version
        wait_for(lambda: list(written.rglob("vectors/chunk_0.mmap")), "the loader's first products")
        fill(disk)

        def go_on() -> None:
            for batch in things.batches(10) * 20:
                writer.upsert(batch)
            writer.finish(replace(begun, state="ready", products=len(things.ids)))

        with pytest.raises(StoreUnavailable, match=r"no space left at .*the process that fills the shard needed more"):
            go_on()
        writer.abort()
        self.assert_nothing_is_left(disk, store, things)

    def test_cannot_go_live(self, disk: Path, store: EdgeStore, things: Shelf) -> None:
        live, ready = store.live_version(), load(store, things)
        fill(disk)
        with pytest.raises(StoreUnavailable, match=r"no space left at .*make a version the live one"):
            store.activate(ready.version)
        assert store.live_version() == live
        empty(disk)
        store.activate(ready.version)
        assert store.live_version() == ready.version

    def test_is_refused_at_once_where_it_would_not_fit(self, disk: Path, store: EdgeStore, things: Shelf) -> None:
        with pytest.raises(StoreUnavailable, match=r"no space left at .*about [\d.,]+ MB needed to build 1,000,000 pr"):
            store.create(manifest_of(things), expected_products=1_000_000)
        fill(disk, but=10 << 20)
        with pytest.raises(StoreUnavailable, match=r"no space left at .*needed to build 120 products"):
            store.create(manifest_of(things), expected_products=120)
        self.assert_nothing_is_left(disk, store, things)

    def test_takes_no_more_than_estimated(self, disk: Path, things: Shelf) -> None:
        free = free_bytes(disk)
        load(EdgeStore(disk / "index"), things)
        taken = free - free_bytes(disk)
        estimated = build_bytes(disk, len(things.ids), 16, 10, graph=False)
        assert taken <= estimated <= 4 * taken


OPEN = """
import sys
from pathlib import Path
from indexer.errors import IndexerError
from indexer.stores.edge.store import EdgeStore
from tests.faults.small_disk import fill
from tests.indexer.conftest import search, unit_rows

disk, when = Path(sys.argv[1]), sys.argv[2]
if when == "before":
    fill(disk)
try:
    reader = EdgeStore(disk / "index").open()
except IndexerError as error:
    print(f"refused: {error}")
    sys.exit()
if when == "after":
    fill(disk)
print(len(search(reader, unit_rows(1)[0], 200)), reader.count())
reader.close()
print("closed")
"""


class TestAVersion:
    @pytest.fixture
    def store(self, disk: Path, tmp_path: Path, things: Shelf) -> EdgeStore:
        """One whose files have holes, as a copy has them: reading a hole takes memory."""
        store = EdgeStore(tmp_path / "index")
        store.activate(load(store, things).version)
        subprocess.run(["cp", "-r", "--sparse=always", tmp_path / "index", disk / "index"], check=True)
        return EdgeStore(disk / "index")

    def told(self, disk: Path, when: str) -> str:
        """In a process of its own, which a full disk may end."""
        done = subprocess.run([sys.executable, "-c", OPEN, str(disk), when], capture_output=True, text=True)
        assert done.returncode == 0, f"{done.returncode} {done.stderr}"
        return done.stdout

    def test_is_refused_on_a_disk_that_is_full(self, disk: Path, store: EdgeStore) -> None:
        assert "refused: no space left at" in self.told(disk, "before")

    def test_answers_to_the_end_on_a_disk_that_becomes_full(self, disk: Path, store: EdgeStore) -> None:
        assert self.told(disk, "after") == "120 120\nclosed\n"

    def test_is_whole_after_either(self, disk: Path, store: EdgeStore) -> None:
        for when in ("after", "before"):
            self.told(disk, when)
            if (disk / "fill").exists():
                empty(disk)
        version = store.live_version()
        assert version is not None
        assert store.verify(version, deep=True).whole

    def test_on_a_disk_that_only_reads_is_refused(self, disk: Path, store: EdgeStore) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(StoreUnavailable, match=r"OWNER cannot be written: Read-only file system; next step"):
            store.open()

    def test_that_cannot_be_deleted_is_an_error_and_no_version_any_more(
        self, disk: Path, store: EdgeStore, things: Shelf
    ) -> None:
        old = store.live_version()
        store.activate(load(store, shelf(20, seed=1)).version)
        held = disk / "index" / "versions" / str(old) / "shard" / "held"
        held.mkdir()
        # Not even root deletes what another disk is mounted on.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(held)], check=True)
        with pytest.raises(StoreUnavailable, match=r"cannot be deleted: .*next step"):
            store.drop(str(old))
        assert [item.version for item in store.versions()] == [store.live_version()]
        subprocess.run(["umount", str(held)], check=True)
        store.create(manifest_of(things)).abort()
        assert [path.name for path in (disk / "index" / "versions").iterdir()] == [store.live_version()]


class TestTheRejectsFile:
    ROW = Rejection(3, "p-1", "IMAGE_EMPTY", "x" * 1000)

    def write(self, disk: Path, rows: int, then: Callable[[], None] = lambda: None) -> None:
        with RejectLog(disk / "rejects.jsonl") as log:
            for _ in range(rows):
                log.add(self.ROW)
            then()

    def test_cannot_be_written(self, disk: Path) -> None:
        fill(disk)
        with pytest.raises(BuildError, match=r"rejects\.jsonl cannot be written: no space left; next step: free some"):
            self.write(disk, 1000)
        assert [path.name for path in disk.iterdir()] == ["fill"]

    def test_cannot_be_closed(self, disk: Path) -> None:
        with pytest.raises(BuildError, match=r"rejects\.jsonl cannot be written: no space left"):
            self.write(disk, 1, then=lambda: fill(disk))
        assert [path.name for path in disk.iterdir()] == ["fill"]


def test_the_command_ends_in_one_line_and_2(disk: Path, tmp_path: Path, trained_bundle: Path) -> None:
    catalog = write_drawn_catalog(tmp_path / "shop", 24, side=32)
    command = ("indexer", "build", "--catalog", str(catalog), "--model", str(trained_bundle))
    fill(disk, but=50 << 20)
    for more in ((), ("--rejects", str(tmp_path / "rejects.jsonl"))):
        done = run_module(*command, "--store", f"edge:{disk / 'index'}", *more)
        assert done.returncode == 2
        (line,) = [line for line in done.stderr.splitlines() if " INFO " not in line]
        assert line.startswith("error: no space left at")
        assert "needed to build 24 products" in line
    shutil.rmtree(disk / "index")
    empty(disk)
    assert run_module(*command, "--store", f"edge:{disk / 'index'}").returncode == 0
