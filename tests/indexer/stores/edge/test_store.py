"""Edge on disk: one owner at a time, nothing half-written is served, a large catalog gets a graph."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import StoreError, StoreLocked, StoreNotFound, StoreUnavailable, VersionIncomplete
from indexer.filters.schema import Schema
from indexer.stores.edge import space
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.edge.seal import differences, read_seal, seal
from indexer.stores.edge.store import EdgeStore
from tests.conftest import copy_folder
from tests.indexer.conftest import Shelf, load, manifest_of, search, shelf, unit_rows


@pytest.fixture(scope="module")
def things() -> Shelf:
    return shelf(120)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, things: Shelf) -> Path:
    """Of a store with one live version, which nobody opens or changes."""
    root = tmp_path_factory.mktemp("built") / "index"
    store = EdgeStore(root)
    store.activate(load(store, things).version)
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    """Of a store with one live version."""
    return copy_folder(built, tmp_path / "index")


def version_folder(root: Path) -> Path:
    return root / "versions" / (root / "CURRENT").read_text().strip()


class TestOwnership:
    def test_a_second_reader_is_told_who_the_first_is(self, root: Path) -> None:
        first = EdgeStore(root).open(owner="127.0.0.1:50051")
        with pytest.raises(StoreLocked, match=rf"owned by pid {os.getpid()} 127\.0\.0\.1:50051.*next step: stop that"):
            EdgeStore(root).open()
        first.close()
        EdgeStore(root).open().close()

    def test_a_killed_owner_owns_nothing(self, root: Path) -> None:
        program = (
            "import sys, time; from pathlib import Path; from indexer.stores.edge.store import EdgeStore\n"
            "reader = EdgeStore(Path(sys.argv[1])).open(owner='elsewhere')\n"
            "print('open', flush=True); time.sleep(600)"
        )
        owner = subprocess.Popen([sys.executable, "-c", program, str(root)], stdout=subprocess.PIPE, text=True)
        assert owner.stdout is not None
        assert owner.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match=f"owned by pid {owner.pid} elsewhere"):
            EdgeStore(root).open()
        owner.send_signal(signal.SIGKILL)
        owner.wait(30)
        EdgeStore(root).open().close()

    def test_beside_its_owner_a_copy_is_read_and_gone_afterwards(self, root: Path, things: Shelf) -> None:
        owner = EdgeStore(root).open(owner="127.0.0.1:50051")
        copy = EdgeStore(root).open(owner="elsewhere", beside=True)
        hits = search(copy, things.vectors[0], 5)
        assert hits == search(owner, things.vectors[0], 5)
        copy.close()
        assert list((root / "copies").iterdir()) == []
        assert search(owner, things.vectors[0], 5) == hits
        owner.check(lambda read: None)
        owner.close()
        with closing(EdgeStore(root).open(beside=True)):
            assert list((root / "copies").iterdir()) == [], "nobody has it: no copy is needed"

    def test_a_copy_whose_reader_was_killed_is_cleared_by_the_next_build(self, root: Path, things: Shelf) -> None:
        program = (
            "import sys, time; from pathlib import Path; from indexer.stores.edge.store import EdgeStore\n"
            "reader = EdgeStore(Path(sys.argv[1])).open(beside=True)\n"
            "print('open', flush=True); time.sleep(600)"
        )
        with closing(EdgeStore(root).open()):
            other = subprocess.Popen([sys.executable, "-c", program, str(root)], stdout=subprocess.PIPE, text=True)
            assert other.stdout is not None
            assert other.stdout.readline() == "open\n"
            EdgeStore(root).create(manifest_of(things)).abort()
            assert len(list((root / "copies").iterdir())) == 1, "it is still read"
            other.send_signal(signal.SIGKILL)
            other.wait(30)
            EdgeStore(root).create(manifest_of(things)).abort()
            assert list((root / "copies").iterdir()) == []

    def test_a_disk_without_room_for_a_copy_is_named(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with closing(EdgeStore(root).open()):
            monkeypatch.setattr(space, "free_bytes", lambda folder: 1000)
            with pytest.raises(StoreUnavailable, match=r"no space left .* needed to copy 120 products"):
                EdgeStore(root).open(beside=True)

    def test_one_builder_at_a_time(self, root: Path, things: Shelf) -> None:
        writer = EdgeStore(root).create(manifest_of(things))
        with pytest.raises(StoreLocked, match=r"permitted: one process at a time"):
            EdgeStore(root).create(manifest_of(things))
        writer.abort()
        EdgeStore(root).create(manifest_of(things)).abort()

    def test_building_does_not_disturb_a_reader(self, root: Path, things: Shelf) -> None:
        reader = EdgeStore(root).open()
        load(EdgeStore(root), shelf(30, seed=1))
        assert reader.count() == len(things.ids)
        reader.close()

    def test_a_version_in_use_is_not_dropped(self, root: Path) -> None:
        store = EdgeStore(root)
        reader = store.open()
        old = reader.manifest.version
        store.activate(load(store, shelf(30, seed=1)).version)
        store.drop(old)
        assert old in [manifest.version for manifest in store.versions()]
        assert reader.count() == 120
        reader.close()
        store.drop(old)
        assert old not in [manifest.version for manifest in store.versions()]


class TestLeftovers:
    def test_what_a_dead_build_left_is_removed_by_the_next(self, root: Path, things: Shelf) -> None:
        dead = manifest_of(things, "v20200101T000000-dead00")
        for folder, text in ((dead.version, dead.to_json()), ("v20200101T000000-dead01", None)):
            (root / "versions" / folder / "shard").mkdir(parents=True)
            if text is not None:
                (root / "versions" / folder / "manifest.json").write_text(text)
        EdgeStore(root).create(manifest_of(things)).abort()
        assert [path.name for path in (root / "versions").iterdir()] == [version_folder(root).name]

    def test_a_loader_that_is_killed_is_an_error_and_leaves_nothing(self, root: Path, things: Shelf) -> None:
        writer = EdgeStore(root).create(manifest_of(things))
        writer.upsert(things.batches()[0])
        assert writer._loader is not None
        writer._loader._process.kill()

        def go_on() -> None:
            # A pipe takes some batches before it shows that nobody reads.
            for _ in range(1000):
                writer.upsert(things.batches()[1])

        with pytest.raises(StoreUnavailable, match=r"ended with status -9; next step: is there memory and disk space"):
            go_on()
        writer.abort()
        assert [path.name for path in (root / "versions").iterdir()] == [version_folder(root).name]

    def test_what_the_loader_cannot_write_is_told(self, root: Path, things: Shelf) -> None:
        writer = EdgeStore(root).create(manifest_of(things))
        wrong = shelf(10)
        batch = Shelf(wrong.payloads, unit_rows(10, dim=3), wrong.schema).batches()[0]

        def write() -> None:
            for _ in range(1000):
                writer.upsert(batch)

        with pytest.raises(StoreUnavailable, match=r"the shard cannot be filled: .*next step"):
            write()
        writer.abort()


class TestDamage:
    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format_version": 2}', "\x00" * 50])
    def test_a_manifest_that_cannot_be_read(self, root: Path, text: str) -> None:
        (version_folder(root) / "manifest.json").write_text(text)
        with pytest.raises(VersionIncomplete, match=r"next step"):
            EdgeStore(root).open()
        assert EdgeStore(root).versions() == []

    def test_a_manifest_that_is_gone(self, root: Path) -> None:
        (version_folder(root) / "manifest.json").unlink()
        with pytest.raises(VersionIncomplete, match=r"no readable manifest; next step"):
            EdgeStore(root).open()

    def test_a_version_whose_build_did_not_finish(self, root: Path) -> None:
        path = version_folder(root) / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "state": "building"}))
        with pytest.raises(VersionIncomplete, match=r"'building', not 'ready'; next step: run python -m indexer build"):
            EdgeStore(root).open()

    def test_a_manifest_that_was_changed(self, root: Path) -> None:
        path = version_folder(root) / "manifest.json"
        path.write_text(path.read_text().replace('"products": 120', '"products": 121'))
        with pytest.raises(VersionIncomplete, match=r"manifest\.json does not hold what was written; next step"):
            EdgeStore(root).open()

    def test_a_version_that_lost_products(self, root: Path) -> None:
        folder = version_folder(root)
        manifest = (folder / "manifest.json").read_text().replace('"products": 120', '"products": 121')
        (folder / "files.json").write_text(seal(folder, manifest).to_json())
        (folder / "manifest.json").write_text(manifest)
        for _ in range(2):
            with pytest.raises(VersionIncomplete, match=r"holds 120 products, its manifest says 121; next step"):
                EdgeStore(root).open()

    def test_a_version_that_lost_its_shard(self, root: Path) -> None:
        shutil.rmtree(version_folder(root) / "shard")
        with pytest.raises(VersionIncomplete, match=r"has lost its shard; next step"):
            EdgeStore(root).open()

    def test_a_file_of_the_shard_that_is_lost_or_cut_short(self, root: Path, tmp_path: Path) -> None:
        """Edge itself opens most such shards, and finds less in them."""
        shard, whole = version_folder(root) / "shard", tmp_path / "whole"
        shutil.copytree(shard, whole)
        paths = sorted(path.relative_to(whole) for path in (whole / "segments").rglob("*") if path.is_file())
        assert len(paths) > 50
        for path in paths:
            (shard / path).unlink()
            with pytest.raises(VersionIncomplete, match=f"{path} is missing; next step"):
                EdgeStore(root).open()
            (shard / path).write_bytes((whole / path).read_bytes()[:-1])
            with pytest.raises(VersionIncomplete, match=rf"{path} has .* bytes of .*; next step"):
                EdgeStore(root).open()
            shutil.copy(whole / path, shard / path)
        EdgeStore(root).open().close()

    @pytest.mark.parametrize(
        "name",
        [
            "edge_config.json",
            "segments",
            "segments/*/segment.json",
            "segments/*/mutable_id_tracker.mappings",
            "segments/*/payload_index",
        ],
    )
    def test_what_else_a_shard_may_lose_is_an_error(self, root: Path, name: str) -> None:
        (path,) = (version_folder(root) / "shard").glob(name)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        with pytest.raises(VersionIncomplete, match=r"is missing|has lost its shard"):
            EdgeStore(root).open()

    @pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"edge": "1", "sizes": 3}', '{"sha256": 1, "files": {}}'])
    def test_a_list_of_files_that_cannot_be_read(self, root: Path, text: str | None) -> None:
        path = version_folder(root) / "files.json"
        path.unlink() if text is None else path.write_text(text)
        with pytest.raises(VersionIncomplete, match=r"no readable list of its files, files\.json; next step"):
            EdgeStore(root).open()

    def test_reading_changes_none_of_the_sealed_files(self, root: Path) -> None:
        folder = version_folder(root)
        for _ in range(3):
            reader = EdgeStore(root).open()
            assert len(search(reader, unit_rows(1)[0], 5)) == 5
            reader.close()
            found = read_seal(folder, "v")
            assert list(differences(folder, found, found.files)) == []

    def test_a_pointer_to_a_version_that_is_gone(self, root: Path) -> None:
        shutil.rmtree(version_folder(root))
        with pytest.raises(StoreNotFound, match=r"no version 'v.*next step"):
            EdgeStore(root).open()

    @pytest.mark.parametrize("text", ["", "../../etc", "a/b", ".", "..", "\x00", "v" * 200, "two\nlines"])
    def test_a_pointer_that_is_no_name(self, root: Path, text: str) -> None:
        (root / "CURRENT").write_text(text)
        with pytest.raises(VersionIncomplete, match=r"no version's name; next step"):
            EdgeStore(root).open()

    def test_a_pointer_that_is_no_text(self, root: Path) -> None:
        (root / "CURRENT").write_bytes(b"\xff\xfe")
        with pytest.raises(StoreError, match=r"next step"):
            EdgeStore(root).live_version()

    @pytest.mark.parametrize("name", ["BUILDING", "CURRENT"])
    def test_a_folder_where_a_file_belongs(self, root: Path, things: Shelf, name: str) -> None:
        (root / name).unlink(missing_ok=True)
        (root / name).mkdir()
        store = EdgeStore(root)
        with pytest.raises(StoreUnavailable, match=rf"{name} cannot be (read|written): .*next step"):
            store.live_version() if name == "CURRENT" else store.create(manifest_of(things))

    def test_names_do_not_lead_out_of_the_store(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "precious").mkdir()
        store = EdgeStore(root)
        store.drop("../../precious")
        assert (tmp_path / "precious").is_dir()
        with pytest.raises(StoreNotFound):
            store.open("../../precious")


def some_file(folder: Path, leaf: str = "chunk_0.mmap") -> Path:
    return next(iter(folder.rglob(leaf)))


def change_a_byte(path: Path) -> None:
    with path.open("r+b") as file:
        byte = file.read(1)[0]
        file.seek(0)
        file.write(bytes([byte ^ 1]))


class TestDamageWhileItIsOpen:
    """Edge has the files mapped: what is written to them changes answers, what is cut off ends the process."""

    def test_a_file_that_is_written_to(self, root: Path) -> None:
        reader = EdgeStore(root).open()
        change_a_byte(some_file(version_folder(root)))
        for _ in range(2):
            with pytest.raises(VersionIncomplete, match=r"another process wrote to shard/.*chunk_0\.mmap; next step"):
                search(reader, unit_rows(1)[0], 5)
        for call in (reader.count, reader.check, lambda: reader.fetch("p-0100")):
            with pytest.raises(VersionIncomplete, match=r"chunk_0\.mmap"):
                call()
        reader.close()

    def test_a_file_that_is_replaced_is_found_by_reading(self, root: Path) -> None:
        reader = EdgeStore(root).open()
        path = some_file(version_folder(root))
        data = bytearray(path.read_bytes())
        data[0] ^= 1
        path.with_name("new").write_bytes(data)
        path.with_name("new").replace(path)
        # What is open is the old file.
        assert len(search(reader, unit_rows(1)[0], 5)) == 5
        read: list[int] = []
        with pytest.raises(VersionIncomplete, match=r"chunk_0\.mmap does not hold what was written; next step"):
            reader.check(read.append)
        assert sum(read) > 0
        with pytest.raises(VersionIncomplete, match=r"chunk_0\.mmap"):
            search(reader, unit_rows(1)[0], 5)
        reader.close()

    def test_a_lost_list(self, root: Path) -> None:
        reader = EdgeStore(root).open()
        (version_folder(root) / "files.json").unlink()
        with pytest.raises(VersionIncomplete, match=r"files\.json"):
            reader.check(lambda read: None)
        reader.close()

    def test_what_is_sound_passes_again_and_again(self, root: Path) -> None:
        reader = EdgeStore(root).open()
        for _ in range(3):
            assert len(search(reader, unit_rows(1)[0], 5)) == 5
            reader.check(lambda read: None)
        (version_folder(root) / "notes.txt").write_text("not ours")
        reader.check()
        reader.close()


class TestAnotherReleaseOfEdge:
    def settle(self, root: Path, monkeypatch: pytest.MonkeyPatch, release: str) -> None:
        for module in ("indexer.stores.edge.store", "indexer.stores.edge.seal"):
            monkeypatch.setattr(f"{module}.edge_release", lambda: release)
        EdgeStore(root).open().close()

    def test_lists_the_files_anew_when_it_opens_them_first(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settle(root, monkeypatch, "99.0")
        found = read_seal(version_folder(root), "v")
        assert (found.edge, found.opening) == ("99.0", "")
        assert "manifest.json" in found.files

    def test_is_no_excuse_for_damage(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        change_a_byte(some_file(version_folder(root)))
        with pytest.raises(VersionIncomplete, match=r"chunk_0\.mmap does not hold what was written"):
            self.settle(root, monkeypatch, "99.0")

    def test_that_died_meanwhile_does_not_make_the_version_unusable(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = version_folder(root)
        begun = replace(read_seal(folder, "v"), opening="99.0")
        (folder / "files.json").write_text(begun.to_json())
        change_a_byte(some_file(folder))
        self.settle(root, monkeypatch, "99.0")
        assert read_seal(folder, "v").opening == ""


class TestVerify:
    def test_tells_all_that_is_wrong_also_while_it_is_open(self, root: Path) -> None:
        store, folder = EdgeStore(root), version_folder(root)
        reader = store.open()
        found = store.verify(folder.name)
        assert found.whole
        assert re.fullmatch(r"(\d+) of \1 files, [\d.]+ MB of data", found.checked)
        change_a_byte(some_file(folder))
        change_a_byte(some_file(folder, "segment.json"))
        reader.close()
        named = store.verify(folder.name, deep=True).differences
        assert sorted(Path(text.split()[0]).name for text in named) == ["chunk_0.mmap", "segment.json"]

    def test_a_version_that_is_not_finished(self, root: Path, things: Shelf) -> None:
        begun = manifest_of(things)
        writer = EdgeStore(root).create(begun)
        found = EdgeStore(root).verify(begun.version)
        assert found.differences == ("manifest.json says 'building', not 'ready'",)
        writer.abort()


class TestAFolderThatCannotBeWritten:
    def test_is_told_when_a_build_begins(self, tmp_path: Path, things: Shelf) -> None:
        (tmp_path / "file").write_text("")
        # Not even root makes a folder in the second.
        for root in (tmp_path / "file", Path("/proc/merchlens")):
            with pytest.raises(StoreUnavailable, match=rf"{root} cannot be written.*next step: choose another folder"):
                EdgeStore(root).create(manifest_of(things))

    def test_is_told_when_a_version_is_opened(self, root: Path) -> None:
        """A version on a read-only disk, or another user's, fails where its owner's name would be written."""
        owner = version_folder(root) / "OWNER"
        owner.unlink(missing_ok=True)
        owner.mkdir()
        with pytest.raises(StoreUnavailable, match=r"OWNER.*next step"):
            EdgeStore(root).open()


DIM = 256
COUNT = EdgeArguments().graph_above + 500


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory):
    rng = np.random.default_rng(0)
    # Products come in kinds, and so do their vectors.
    centers = unit_rows(200, seed=1, dim=DIM)
    vectors = centers[rng.integers(0, 200, COUNT)] + rng.normal(size=(COUNT, DIM)).astype(np.float32) * 0.05
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    payloads = tuple({"product_id": f"p-{n}", "title": "", "price": float(n % 100)} for n in range(COUNT))
    things = Shelf(payloads, vectors, Schema({}))
    store = EdgeStore(tmp_path_factory.mktemp("large"))
    store.activate(load(store, things, batches=things.batches(1000)).version)
    reader = store.open()
    yield things, reader
    reader.close()


class TestALargeCatalog:
    def test_has_a_graph(self, large) -> None:
        _, reader = large
        assert reader._shard._shard.info().indexed_vectors_count > 0

    def test_its_graph_finds_nearly_all_of_the_nearest(self, large) -> None:
        things, reader = large
        queries = things.vectors[:: COUNT // 100] + unit_rows(len(things.vectors[:: COUNT // 100]), dim=DIM) * 0.05
        shares = []
        for query in queries.astype(np.float32):
            nearest = {things.ids[row] for row in np.argsort(-(things.vectors @ query))[:10]}
            shares.append(len(nearest & {item.product_id for item in search(reader, query, 10)}) / 10)
        assert np.mean(shares) >= 0.95

    def test_a_strict_filter_still_finds_nearly_all(self, large) -> None:
        from indexer.filters.parser import parse_filter

        things, reader = large
        where = parse_filter("price < 3", things.schema)
        rows = [row for row in range(COUNT) if row % 100 < 3]
        shares = []
        for query in unit_rows(50, seed=4, dim=DIM):
            scores = things.vectors[rows] @ query
            nearest = {things.ids[rows[place]] for place in np.argsort(-scores)[:10]}
            shares.append(len(nearest & {item.product_id for item in search(reader, query, 10, where)}) / 10)
        assert np.mean(shares) >= 0.95

    def test_exactly_means_all(self, large) -> None:
        things, reader = large
        query = unit_rows(1, seed=8, dim=DIM)[0]
        nearest = [things.ids[row] for row in np.argsort(-(things.vectors @ query))[:20]]
        assert [item.product_id for item in search(reader, query, 20, effort="exact")] == nearest
