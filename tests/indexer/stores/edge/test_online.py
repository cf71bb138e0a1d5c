"""An Edge version that is changed while it is searched: the journal first, then a working copy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.changes.change import Change, ChangedProduct, Noted, cannot_embed
from indexer.errors import StoreLocked, StoreUnavailable
from indexer.stores.edge.online import EdgeOnline
from indexer.stores.edge.store import EdgeStore
from indexer.stores.points import INDEX_TIME_KEY
from indexer.stores.protocol import QueryPart, VersionReader
from indexer.versions.holdings import Holdings
from indexer.versions.manifest import Manifest
from indexer.words.bm25 import Bm25Words
from indexer.words.text_index import Bm25Settings, TextIndex
from tests.conftest import copy_folder
from tests.indexer.changes.changing import deleting, upserting
from tests.indexer.conftest import Shelf, load, search, shelf, unit_rows

THINGS = shelf(60)


def counted(things: Shelf) -> dict[str, object]:
    """What a build would have counted of these."""
    holdings = Holdings()
    for payload in things.payloads:
        holdings.add(payload)
    return {
        "pictures": holdings.pictures,
        "categories": dict(holdings.categories),
        "catalog_hash": holdings.hexdigest(),
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("online") / "index"
    store = EdgeStore(root)
    store.activate(load(store, THINGS, **counted(THINGS)).version)
    return root


@pytest.fixture
def store(built: Path, tmp_path: Path) -> EdgeStore:
    return EdgeStore(copy_folder(built, tmp_path / "index"))


@contextmanager
def online(store: EdgeStore, version: str | None = None, reembed=cannot_embed) -> Iterator[EdgeOnline]:
    with closing(store.take_changes(store.open(version), reembed, "test")) as opened:
        yield opened


def written(opened: EdgeOnline, *changes: Change) -> list[Noted]:
    outcomes = opened.write(changes)
    assert all(isinstance(outcome, Noted) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Noted)]


def held(reader: VersionReader) -> dict[str, tuple[dict, np.ndarray]]:
    """All that a reader has, by id."""
    ids = [str(payload["product_id"]) for page in reader.scan(["product_id"]) for payload in page]
    return {item.product_id: (dict(item.payload), item.vectors) for item in reader.fetch_many(ids)}


def assert_same(one: VersionReader, other: VersionReader) -> None:
    ours, theirs = held(one), held(other)
    assert ours.keys() == theirs.keys()
    for product_id, (payload, vectors) in ours.items():
        assert payload == theirs[product_id][0]
        np.testing.assert_allclose(vectors, theirs[product_id][1], atol=1e-6)
    assert one.manifest == other.manifest


def test_a_change_is_seen_by_the_next_search(store: EdgeStore) -> None:
    with online(store) as opened:
        (new,) = written(opened, upserting("new", "r1", seed=5, price=7.0, category="shoes"))
        (hit,) = search(opened.reader, unit_rows(1, 5)[0], 1)
        assert (hit.product_id, hit.payload["price"], new.was_there) == ("new", 7.0, False)
        assert hit.payload[INDEX_TIME_KEY] == new.time.isoformat()
        (changed,) = written(opened, upserting("new", "r2", seed=5, price=8.0))
        (hit,) = search(opened.reader, unit_rows(1, 5)[0], 1)
        assert (hit.payload["price"], changed.was_there, "category" in hit.payload) == (8.0, True, False)
        (gone,) = written(opened, deleting("new", "r3"))
        assert search(opened.reader, unit_rows(1, 5)[0], 1)[0].product_id != "new"
        assert (gone.was_there, opened.reader.fetch("new"), opened.reader.count()) == (True, None, 60)
        (absent,) = written(opened, deleting("new", "r4"))
        assert absent.was_there is False


def test_the_version_itself_is_never_written(store: EdgeStore) -> None:
    live = str(store.live_version())
    with online(store) as opened:
        written(opened, upserting("new", "r1"), deleting(THINGS.ids[0], "r2"))
    assert store.verify(live, deep=True).differences == ()
    with closing(store.open()) as sealed:
        assert (sealed.count(), sealed.manifest.products) == (60, 60)


def test_what_was_changed_is_there_after_a_restart_and_the_same(store: EdgeStore) -> None:
    with online(store) as opened:
        for number in range(30):
            written(opened, upserting(THINGS.ids[number % 7], f"u{number}", seed=number, price=float(number)))
            if number % 4 == 0:
                written(opened, deleting(THINGS.ids[number % 5], f"d{number}"))
        written(opened, *(upserting(f"n{number}", "many", number, seed=number) for number in range(20)))
        with online(EdgeStore(copy_folder(Path(store.url[5:]), Path(store.url[5:]).parent / "killed"))) as again:
            assert_same(opened.reader, again.reader)
        before, manifest = held(opened.reader), opened.reader.manifest
    with online(store) as again:
        after = held(again.reader)
        assert {name: payload for name, (payload, _) in after.items()} == {
            name: payload for name, (payload, _) in before.items()
        }
        assert again.reader.manifest == manifest
        assert manifest.products == again.reader.count() == len(after)
    assert list((Path(store.url[5:]) / "copies").iterdir()) == []


def test_products_categories_and_their_digest_are_counted_along(store: EdgeStore) -> None:
    with online(store) as opened:
        written(
            opened,
            upserting("new", "r1", category="shoes/boots"),
            upserting("new", "r2", seed=1, category="bags"),
            deleting(THINGS.ids[3], "r3"),
            deleting(THINGS.ids[4], "r4"),
            upserting(THINGS.ids[4], "r5", category="bags"),
        )
        counts = Holdings()
        for payload, _ in held(opened.reader).values():
            counts.add(payload)
        assert opened.reader.manifest == counts.noted(opened.reader.manifest)


def test_a_request_that_comes_again_after_a_restart_is_applied_once(store: EdgeStore) -> None:
    with online(store) as opened:
        written(opened, upserting("a", "r1", seed=1))
        written(opened, upserting("a", "r2", seed=2))
    with online(store) as opened:
        (again,) = written(opened, upserting("a", "r1", seed=1))
        assert (again.is_new, again.was_there) == (False, None)
        (hit,) = search(opened.reader, unit_rows(1, 2)[0], 1)
        assert hit.product_id == "a"


def test_titles_and_words_find_what_was_changed(tmp_path: Path) -> None:
    things = shelf(20)
    store = EdgeStore(tmp_path / "index")
    store.activate(load(store, things, texts=TextIndex(0, Bm25Settings()), **counted(things)).version)
    with online(store) as opened:
        written(
            opened, upserting("a", "r1", title="crimson teapot"), upserting("b", "r2", description="a teapot stand")
        )
        asked = Bm25Words(Bm25Settings()).query("teapots")
        assert asked is not None
        found = opened.reader.query([QueryPart(asked, "words")], [1.0], 5)
        assert {hit.product_id for hit in found} == {"a", "b"}


def test_searches_go_on_while_the_copy_takes_over_and_is_made_again(store: EdgeStore) -> None:
    with online(store) as opened, ThreadPoolExecutor(3) as pool:
        ended = threading.Event()
        ids = THINGS.ids[10:]

        def ask() -> int:
            asked = 0
            while not ended.is_set():
                place = 10 + asked % 50
                assert search(opened.reader, THINGS.vectors[place], 1)[0].product_id == THINGS.ids[place]
                assert [item.product_id for item in opened.reader.fetch_many(ids)] == ids
                asked += 1
            return asked

        asking = [pool.submit(ask) for _ in range(2)]
        for number in range(12):
            written(opened, upserting("new", f"r{number}", seed=number))
            # As after an error between journal and copy.
            opened._in_doubt = number % 4 == 3
        ended.set()
        assert all(each.result() > 0 for each in asking)


def test_writers_that_come_together_all_succeed(store: EdgeStore) -> None:
    with online(store) as opened, ThreadPoolExecutor(16) as pool:
        asked = [
            pool.submit(opened.write, [upserting(f"n{number}", f"r{number}", seed=number)]) for number in range(64)
        ]
        sequences = sorted(each.result()[0].sequence for each in asked)
        assert sequences == list(range(1, 65))
        assert opened.reader.count() == 60 + 64


def test_a_change_that_was_written_down_and_not_applied_is_there_when_it_is_sent_again(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with online(store) as opened:
        written(opened, upserting("a", "r1"))
        copy = opened._copy
        assert copy is not None
        monkeypatch.setattr(
            copy.shard, "upsert", lambda batch: (_ for _ in ()).throw(StoreUnavailable("no space left"))
        )
        with pytest.raises(StoreUnavailable, match="no space left"):
            opened.write([upserting("b", "r2", seed=2)])
        assert opened.reader.fetch("a") is not None
        (again,) = written(opened, upserting("b", "r2", seed=2))
        assert again.is_new is False
        assert opened.reader.fetch("b") is not None


def test_a_version_that_was_being_built_meanwhile_holds_the_changes_too(store: EdgeStore) -> None:
    with online(store) as opened:
        written(opened, upserting("before", "r1"))
        begun = replace(_begun(store), version="v9")
        # What was changed before it began is its catalog's business.
        writer = store.create(begun)
        written(opened, upserting("meanwhile", "r2", seed=3), deleting(THINGS.ids[0], "r3"))
        for batch in THINGS.batches():
            writer.upsert(batch)
        writer.finish(replace(begun, state="ready", products=60, **counted(THINGS)))
        store.activate("v9")
        written(opened, upserting("after", "r4", seed=4))
    with online(store) as opened:
        assert opened.reader.manifest.version == "v9"
        found = [opened.reader.fetch(name) is not None for name in ("before", "meanwhile", "after", THINGS.ids[0])]
        assert found == [False, True, True, False]


def test_another_model_makes_vectors_again_or_the_product_stays_as_it_was(store: EdgeStore, caplog) -> None:
    other = load(store, THINGS, "v9", model_fingerprint="e" * 64, **counted(THINGS))

    def again(product: ChangedProduct) -> ChangedProduct | None:
        if not product.pictures():
            return None
        return ChangedProduct(product.product, unit_rows(1, 77), "e" * 64, product.content)

    with online(store) as opened:
        written(opened, upserting("a", "r1", picture=b"bytes"), upserting(THINGS.ids[0], "r2"), upserting("c", "r3"))
    with online(store, other.version, again) as opened:
        (hit,) = search(opened.reader, unit_rows(1, 77)[0], 1)
        assert (hit.product_id, opened.reader.fetch("c")) == ("a", None)
        kept = opened.reader.fetch(THINGS.ids[0])
        assert kept is not None
        assert kept.payload == THINGS.payloads[0]
        assert "its pictures are not known: the product stays as the version has it" in caplog.text


def test_one_process_at_a_time_takes_changes(store: EdgeStore) -> None:
    load(store, THINGS, "v9", **counted(THINGS))
    with online(store) as first:
        written(first, upserting("a", "r1"))
        with online(store, "v9") as second:
            with pytest.raises(StoreLocked, match=r"owned by pid .* test"):
                second.write([upserting("b", "r2")])
            written(first, upserting("c", "r3", seed=3))
            first.close()
            written(second, upserting("b", "r2", seed=2))
            assert second.reader.fetch("c") is None or second.reader.fetch("c").product_id == "c"
            assert second.reader.fetch("b") is not None


def test_what_is_made_of_its_files_holds_the_changes_and_later_ones_are_applied_to_that(store: EdgeStore) -> None:
    base = str(store.live_version())
    with online(store) as opened:
        written(opened, upserting("a", "r1"), deleting(THINGS.ids[0], "r2"), upserting(THINGS.ids[1], "r3", seed=9))
        manifest = opened.reader.manifest
        before = held(opened.reader)
    writer = store.revise(replace(manifest, version="v9", state="building"), base)
    (row,) = [batch.take([2]) for batch in THINGS.batches()[:1]]
    writer.upsert(replace(row, payloads=[{**row.payloads[0], "title": "of the update"}]))
    writer.finish(replace(manifest, version="v9"))
    with online(store, "v9") as opened:
        assert opened._copy is None
        after = held(opened.reader)
        assert after.pop(THINGS.ids[2])[0]["title"] == "of the update"
        del before[THINGS.ids[2]]
        assert {name: payload for name, (payload, _) in after.items()} == {name: p for name, (p, _) in before.items()}
        written(opened, upserting("b", "r4", seed=4))
        assert opened.reader.count() == 61
    assert list((Path(store.url[5:]) / "copies").iterdir()) == []


def test_a_backup_says_that_it_lacks_the_changes(store: EdgeStore, caplog) -> None:
    live = str(store.live_version())
    store.files(live)
    assert caplog.text == ""
    with online(store) as opened:
        written(opened, upserting("a", "r1"))
        store.files(live)
    assert "was changed 1 times while it was served: its files, which are looked at here, lack that" in caplog.text


def test_a_disk_without_room_refuses_before_anything_is_written_down(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with online(store) as opened:
        written(opened, upserting("a", "r1"))
        monkeypatch.setattr("indexer.stores.edge.space.free_bytes", lambda folder: 1 << 20)
        with pytest.raises(StoreUnavailable, match="no space left"):
            opened.write([upserting("b", "r2")])
        monkeypatch.undo()
        (later,) = written(opened, upserting("b", "r2"))
        assert (later.sequence, later.is_new) == (2, True)


def _begun(store: EdgeStore) -> Manifest:
    (live,) = [item for item in store.versions() if item.version == store.live_version()]
    return replace(live, state="building")
