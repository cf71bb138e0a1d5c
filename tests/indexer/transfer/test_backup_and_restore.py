"""A backup is made of a version in use, restored only where it is whole, and holds what the version held."""

from __future__ import annotations

import fcntl
import hashlib
import json
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from qdrant_client import QdrantClient

from indexer.errors import StoreNotFound, StoreUnavailable, TransferError, VersionIncomplete
from indexer.settings import IndexerSettings
from indexer.stores.edge import space
from indexer.stores.edge.store import EdgeStore
from indexer.stores.protocol import Store
from indexer.stores.qdrant.store import QdrantStore
from indexer.transfer.archive import INDEX_FILE
from indexer.transfer.backup import backup
from indexer.transfer.export import MANIFEST_FILE, PRODUCTS_FILE, export
from indexer.transfer.restore import restore
from tests.conftest import copy_folder, run_module
from tests.indexer.conftest import search, shelf, unit_rows
from tests.indexer.transfer.test_export_and_load import filled, full_batch

SAME = ("schema", "texts", "categories", "catalog_hash", "pictures", "category_models", "model_fingerprint", "products")


def empty_store(kind: str, folder: Path) -> Store:
    return EdgeStore(folder) if kind == "edge" else QdrantStore(QdrantClient(":memory:"), "qdrant://memory/s", "s")


def exported(store: Store, folder: Path) -> Path:
    reader = store.open()
    export(reader, folder)
    reader.close()
    return folder / PRODUCTS_FILE


@pytest.fixture
def settings(tmp_path: Path) -> IndexerSettings:
    return IndexerSettings(cache_dir=tmp_path / "cache", drop_after_s=0)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index on disk, and `shop.backup` beside it."""
    folder = tmp_path_factory.mktemp("shop")
    backup(filled(EdgeStore(folder / "index")), None, folder / "shop.backup")
    return folder


@pytest.fixture
def live(shop: Path, tmp_path: Path) -> Iterator[EdgeStore]:
    """A copy of the index, whose live version must stay what it is."""
    store = EdgeStore(copy_folder(shop / "index", tmp_path / "index"))
    before, files = store.live_version(), {path.name for path in (tmp_path / "index" / "versions").iterdir()}
    yield store
    assert store.live_version() == before
    assert {path.name for path in (tmp_path / "index" / "versions").iterdir()} == files


def test_what_a_killed_restore_unpacked_is_cleared_by_the_next(
    shop: Path, settings: IndexerSettings, tmp_path: Path
) -> None:
    left = settings.cache_dir / "restoring" / "unpacked" / "versions" / "half"
    left.mkdir(parents=True)
    store = empty_store("qdrant", tmp_path)
    restore(shop / "shop.backup", store, settings)
    assert not left.exists()
    store.close()


@pytest.mark.parametrize("of", ["edge", "qdrant"])
@pytest.mark.parametrize("into", ["edge", "qdrant"])
def test_what_is_restored_holds_what_was_backed_up(
    of: str, into: str, settings: IndexerSettings, tmp_path: Path
) -> None:
    one, two = filled(empty_store(of, tmp_path / "one")), empty_store(into, tmp_path / "two")
    assert backup(one, None, tmp_path / "backup").form == ("edge" if of == "edge" else "products")
    done = restore(tmp_path / "backup", two, settings)
    assert two.live_version() == done.manifest.version != one.live_version()
    before, after = (exported(store, tmp_path / name) for store, name in ((one, "out1"), (two, "out2")))
    if into == "edge":
        assert after.read_bytes() == before.read_bytes()
    old, new = parquet.read_table(before), parquet.read_table(after)
    assert new.select(["product_id", "payload"]) == old.select(["product_id", "payload"])
    # A collection scales its vectors to unit length once more.
    for column in ("vectors", "title"):
        assert new.column(column).is_null() == old.column(column).is_null()
        one_row, other = (np.concatenate(table.column(column).drop_null().to_pylist()) for table in (old, new))
        assert np.allclose(one_row, other, atol=1e-6)
    assert [name for name in SAME if getattr(done.manifest, name) != getattr(done.held, name)] == []
    assert not (settings.cache_dir / "restoring" / "unpacked").exists()
    one.close()
    two.close()


def test_files_of_an_index_on_disk_are_the_same_to_the_last_byte(
    shop: Path, settings: IndexerSettings, tmp_path: Path
) -> None:
    other = EdgeStore(tmp_path / "other")
    restore(shop / "shop.backup", other, settings, activate=False)

    def digests(root: Path) -> dict[str, str]:
        (shard,) = root.glob("versions/*/shard")
        files = [path for path in shard.rglob("*") if path.is_file() and path.suffix != ".json"]
        return {str(path.relative_to(shard)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    found = digests(tmp_path / "other")
    assert len(found) > 20
    assert found == digests(shop / "index")
    (manifest,) = other.versions()
    assert other.verify(manifest.version, deep=True).whole


def test_a_backup_is_made_while_a_server_has_the_version_open(live: EdgeStore, tmp_path: Path) -> None:
    server = live.open(owner="server at localhost:50051")
    before = search(server, unit_rows(1)[0], 5)
    backup(live, None, tmp_path / "backup")
    assert search(server, unit_rows(1)[0], 5) == before
    server.close()
    assert zipfile.ZipFile(tmp_path / "backup").testzip() is None


def test_a_restored_version_need_not_go_live(shop: Path, settings: IndexerSettings, tmp_path: Path) -> None:
    store = EdgeStore(copy_folder(shop / "index", tmp_path / "index"))
    before = store.live_version()
    done = restore(shop / "shop.backup", store, settings, activate=False)
    assert store.live_version() == before
    assert done.manifest.version in {item.version for item in store.versions()}
    store.activate(done.manifest.version)


def test_a_version_that_is_not_the_live_one_is_backed_up_by_its_name(tmp_path: Path, settings: IndexerSettings) -> None:
    store = EdgeStore(tmp_path / "index")
    filled(store)
    first = store.live_version()
    filled(store)
    assert backup(store, first, tmp_path / "backup").manifest.version == first != store.live_version()
    with pytest.raises(StoreNotFound, match=r"version v1 at edge:.* is not there; next step: python -m indexer status"):
        backup(store, "v1", tmp_path / "none")
    assert not (tmp_path / "none").exists()


class TestABackupThatCannotBeMade:
    """Nothing is left of it, and nothing is overwritten."""

    @pytest.fixture(autouse=True)
    def nothing_left(self, tmp_path: Path) -> Iterator[None]:
        yield
        assert list(tmp_path.glob(".*")) == []

    def test_where_a_file_is_there(self, live: EdgeStore, tmp_path: Path) -> None:
        (tmp_path / "backup").write_text("of last week")
        with pytest.raises(TransferError, match=r"backup is there already; next step: choose another --out"):
            backup(live, None, tmp_path / "backup")
        assert (tmp_path / "backup").read_text() == "of last week"

    def test_of_a_damaged_version(self, live: EdgeStore, tmp_path: Path) -> None:
        path = next((tmp_path / "index").glob("versions/*/shard/**/page_0.dat"))
        with path.open("r+b") as file:
            file.write(b"\xff" * 64)
        with pytest.raises(TransferError, match=r"is damaged: shard/.*page_0.dat does not hold what was written"):
            backup(live, None, tmp_path / "backup")
        assert not (tmp_path / "backup").exists()

    def test_on_a_disk_that_is_too_small(
        self, live: EdgeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(space, "free_bytes", lambda folder: 1000)
        with pytest.raises(StoreUnavailable, match=r"no space left at .*needed to back up 60 products"):
            backup(live, None, tmp_path / "backup")

    def test_into_a_folder_that_cannot_be_made(self, live: EdgeStore, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(TransferError, match=r"cannot be written"):
            backup(live, None, tmp_path / "file" / "backup")

    def test_of_a_collection_that_an_update_changes_meanwhile(self, tmp_path: Path) -> None:
        store = filled(empty_store("qdrant", tmp_path))
        (manifest,) = store.versions()
        _, batch = full_batch(shelf(60))
        payloads = [{**payload, "title": "Another"} for payload in batch.payloads]
        store.revise(manifest, manifest.version).upsert(replace(batch, payloads=payloads).take([0]))
        with pytest.raises(TransferError, match=r"changed while it was read"):
            backup(store, None, tmp_path / "backup")
        store.close()


def test_what_a_killed_backup_left_is_replaced_and_what_another_one_writes_is_not(
    live: EdgeStore, tmp_path: Path
) -> None:
    left = tmp_path / ".backup.new"
    left.write_bytes(b"x" * 1_000_000)
    with left.open("r+b") as another:
        fcntl.flock(another, fcntl.LOCK_EX)
        with pytest.raises(TransferError, match=r"another process writes .*backup"):
            backup(live, None, tmp_path / "backup")
        assert left.stat().st_size == 1_000_000
    backup(live, None, tmp_path / "backup")
    assert not left.exists()
    assert zipfile.ZipFile(tmp_path / "backup").testzip() is None


class TestABadBackup:
    """It is refused by what is wrong with it, and the live version stays."""

    @pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
    def test_cut_short(
        self, share: float, shop: Path, live: EdgeStore, settings: IndexerSettings, tmp_path: Path
    ) -> None:
        whole = (shop / "shop.backup").read_bytes()
        bad = tmp_path / "bad"
        bad.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(TransferError, match=r"bad is no backup, or was cut short .*copy it again"):
            restore(bad, live, settings)

    @pytest.mark.parametrize(
        "leaf", ["backup.json", "manifest.json", "files.json", "page_0.dat", "chunk_0.mmap", "end"]
    )
    def test_garbled(self, leaf: str, shop: Path, live: EdgeStore, settings: IndexerSettings, tmp_path: Path) -> None:
        data = bytearray((shop / "shop.backup").read_bytes())
        start = place_of(shop / "shop.backup", leaf)
        data[start : start + 40] = bytes(byte ^ 0x55 for byte in data[start : start + 40])
        (tmp_path / "bad").write_bytes(bytes(data))
        with pytest.raises(TransferError, match=r"bad is (damaged|no backup)"):
            restore(tmp_path / "bad", live, settings)

    def test_tampered_with(self, shop: Path, live: EdgeStore, settings: IndexerSettings, tmp_path: Path) -> None:
        def other_payload(name: str, data: bytes) -> bytes:
            return b"\xff" + data[1:] if name.endswith("page_0.dat") else data

        bad = rewritten(shop / "shop.backup", tmp_path / "bad", other_payload)
        with pytest.raises(TransferError, match=r"damaged: shard/.*page_0.dat does not hold what was written"):
            restore(bad, live, settings)

    def test_tampered_with_and_listed_anew(
        self, shop: Path, live: EdgeStore, settings: IndexerSettings, tmp_path: Path
    ) -> None:
        """What was sealed says otherwise."""

        def other_payload(name: str, data: bytes) -> bytes:
            return b"\xff" + data[1:] if name.endswith("page_0.dat") else data

        bad = rewritten(shop / "shop.backup", tmp_path / "bad", other_payload, lists_anew=True)
        with pytest.raises(VersionIncomplete, match=r"damaged: shard/.*page_0.dat does not hold what was written"):
            restore(bad, live, settings)

    @pytest.mark.parametrize(
        ("name", "mode", "why"),
        [
            ("../../../evil", stat.S_IFREG, "leads out of it"),
            ("/evil", stat.S_IFREG, "leads out of it"),
            ("shard/../../evil", stat.S_IFREG, "leads out of it"),
            ("shard\\..\\evil", stat.S_IFREG, "leads out of it"),
            ("shard/evil", stat.S_IFLNK, "is a link"),
            ("shard/evil", stat.S_IFCHR, "is a link or no regular file"),
            ("shard/evil/", stat.S_IFDIR, "is no plain path"),
            ("manifest.json", stat.S_IFREG, "is in it twice"),
            ("shard/evil", stat.S_IFREG, "shard/evil is not in its list"),
        ],
    )
    def test_hostile(
        self, name: str, mode: int, why: str, shop: Path, live: EdgeStore, settings: IndexerSettings, tmp_path: Path
    ) -> None:
        bad = tmp_path / "bad"
        bad.write_bytes((shop / "shop.backup").read_bytes())
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (mode | 0o777) << 16
        with (
            zipfile.ZipFile(bad, "a") as archive,
            pytest.warns(UserWarning, match="Duplicate name") if why == "is in it twice" else nullcontext(),
        ):
            archive.writestr(entry, b"/etc/passwd")
        with pytest.raises(TransferError, match=why):
            restore(bad, live, settings)
        assert list(tmp_path.rglob("evil")) == []

    def test_one_that_would_unpack_to_more_than_it_says(
        self, shop: Path, live: EdgeStore, settings: IndexerSettings, tmp_path: Path
    ) -> None:
        bad = rewritten(shop / "shop.backup", tmp_path / "bad", lambda name, data: data, lists_anew=True, claims=0)
        with pytest.raises(TransferError, match=r"does not hold what was written"):
            restore(bad, live, settings)

    def test_a_file_that_was_not_sealed(
        self, shop: Path, live: EdgeStore, settings: IndexerSettings, tmp_path: Path
    ) -> None:
        bad = rewritten(
            shop / "shop.backup", tmp_path / "bad", lambda name, data: data, lists_anew=True, more={"shard/new": b"x"}
        )
        with pytest.raises(VersionIncomplete, match=r"has a file that was not sealed, shard/new"):
            restore(bad, live, settings)

    def test_of_a_later_release(self, shop: Path, live: EdgeStore, settings: IndexerSettings, tmp_path: Path) -> None:
        bad = rewritten(shop / "shop.backup", tmp_path / "bad", lambda name, data: data, lists_anew=True, format=2)
        with pytest.raises(TransferError, match=r"of format 2; permitted: 1; next step: restore it with the release"):
            restore(bad, live, settings)

    def test_a_version_name_that_leads_out_of_the_store(
        self, shop: Path, settings: IndexerSettings, tmp_path: Path
    ) -> None:
        def renamed(name: str, data: bytes) -> bytes:
            return json.dumps({**json.loads(data), "version": "../../evil"}).encode() if name == MANIFEST_FILE else data

        bad = rewritten(shop / "shop.backup", tmp_path / "bad", renamed, lists_anew=True)
        for kind in ("edge", "qdrant"):
            store = empty_store(kind, tmp_path / "other")
            restore(bad, store, settings)
            assert store.open().count() == 60
        assert list(tmp_path.rglob("evil")) == []

    def test_another_kind_of_file(self, live: EdgeStore, settings: IndexerSettings, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "bad", "w") as archive:
            archive.writestr("a.txt", "a")
        with pytest.raises(TransferError, match=r"is a zip file without backup.json"):
            restore(tmp_path / "bad", live, settings)

    def test_one_that_does_not_fit_onto_the_disk(
        self, shop: Path, live: EdgeStore, settings: IndexerSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(space, "free_bytes", lambda folder: 1000)
        with pytest.raises(StoreUnavailable, match=r"no space left at .*needed to take in 60 products"):
            restore(shop / "shop.backup", live, settings)


def test_the_commands(shop: Path, tmp_path: Path) -> None:
    index, out = f"edge:{shop / 'index'}", tmp_path / "backup"
    done = run_module("indexer", "backup", "--store", index, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "60 products of version" in done.stdout
    assert "made by model starter ffffffffffffffff, which is not in it" in done.stdout
    done = run_module("indexer", "restore", str(out), "--store", f"edge:{tmp_path / 'copy'}")
    assert done.returncode == 0, done.stderr
    assert "60 products restored as of " in done.stdout
    assert "made by model starter ffffffffffffffff; next step: start servers with that one" in done.stdout
    done = run_module("indexer", "restore", str(out), "--store", f"edge:{tmp_path / 'copy'}", "--no-activate")
    assert done.returncode == 0, done.stderr
    assert "next step: python -m indexer rollback --version v" in done.stdout
    out.write_bytes(out.read_bytes()[:-100])
    done = run_module("indexer", "restore", str(out), "--store", f"edge:{tmp_path / 'copy'}")
    assert (done.returncode, "was cut short" in done.stderr) == (2, True)


def place_of(path: Path, leaf: str) -> int:
    """Where in a backup the content of the first file of that name lies; "end": what is in it, as a zip lists it."""
    with zipfile.ZipFile(path) as archive:
        if leaf == "end":
            return archive.start_dir
        entry = next(item for item in archive.infolist() if item.filename.endswith(leaf))
    # 30 bytes and its name come first.
    return entry.header_offset + 30 + len(entry.filename) + 10


def rewritten(
    path: Path,
    to: Path,
    change: Callable[[str, bytes], bytes],
    *,
    lists_anew: bool = False,
    claims: int | None = None,
    more: dict[str, bytes] | None = None,
    **fields: object,
) -> Path:
    """A backup with other files in it.

    Args:
        path, to: the backup, and the new one.
        change: from a file's name and content to the new content.
        lists_anew: whether its list says what is in it now.
        claims: how many bytes of data the list says each has; None: as many as it has.
        more: further files.
        fields: of the list.
    """
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as new:
        listed = json.loads(old.read(INDEX_FILE))
        files = {name: change(name, old.read(name)) for name in old.namelist() if name != INDEX_FILE} | (more or {})
        for name, data in files.items():
            new.writestr(name, data)
            if lists_anew:
                blocks = [data[start : start + 65536] for start in range(0, len(data), 65536)]
                held = sum(len(block) for block in blocks if any(block)) if claims is None else claims
                listed["files"][name] = [len(data), held, hashlib.sha256(data).hexdigest()]
        listed |= fields
        del listed["sha256"]
        digest = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()
        new.writestr(INDEX_FILE, json.dumps({**listed, "sha256": digest}))
    return to
