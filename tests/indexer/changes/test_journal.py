"""The journal of changes: what was acknowledged is in it, however the process or the machine ended."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from indexer.changes.change import Noted
from indexer.changes.journal import ACKNOWLEDGED, FILE, Journal, Position
from indexer.errors import JournalDamaged, RequestIdReused, StoreUnavailable
from tests.indexer.changes.changing import deleting, upserting


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "changes"


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    with closing(Journal(folder, to_append=True)) as opened:
        yield opened


def left_by_a_kill(folder: Path, target: Path) -> Path:
    """What a process leaves that is killed now: a copy of the files, while the journal is open."""
    return Path(shutil.copytree(folder, target))


def test_what_was_written_is_read_again(journal: Journal) -> None:
    fields = {
        "title": "Stiefel",
        "description": "aus Gummi",
        "category": "shoes/boots",
        "price": 49.9,
        "in_stock": False,
        "attributes": {"color": "red", "size": 42.0, "waterproof": True, "materials": ("rubber", "felt")},
    }
    change = upserting("靴/1", "r1", picture=b"\x89PNG", seed=3, **fields)
    (outcome,) = journal.append([change])
    assert isinstance(outcome, Noted)
    assert (outcome.sequence, outcome.is_new) == (1, True)
    (record,) = journal.latest(0)
    assert (record.sequence, record.time) == (1, outcome.time)
    assert (record.change.request_id, record.change.place, record.change.asked) == ("r1", 0, change.asked)
    assert record.change.becomes is not None
    assert change.becomes is not None
    assert record.change.becomes.product == change.becomes.product
    assert record.change.becomes.content == change.becomes.content
    np.testing.assert_array_equal(record.change.becomes.vectors, change.becomes.vectors)


def test_the_last_record_of_each_product_counts(journal: Journal) -> None:
    journal.append([upserting("a", "r1"), upserting("b", "r2"), deleting("a", "r3"), upserting("b", "r4", seed=1)])
    records = list(journal.latest(0))
    assert [(record.sequence, record.change.product_id) for record in records] == [(3, "a"), (4, "b")]
    assert records[0].change.becomes is None
    assert [record.sequence for record in journal.latest(3)] == [4]
    assert (journal.count(0), journal.count(3), journal.end.sequence) == (4, 1, 4)


def test_a_request_that_comes_again_is_applied_once(journal: Journal) -> None:
    (first,) = journal.append([upserting("a", "r1")])
    journal.append([upserting("a", "r2", seed=1)])
    (again,) = journal.append([upserting("a", "r1")])
    assert isinstance(first, Noted)
    assert again == Noted(first.sequence, first.time, is_new=False)
    (record,) = journal.latest(0)
    assert record.change.request_id == "r2"


def test_a_request_that_comes_again_within_one_group_is_applied_once(journal: Journal) -> None:
    first, again = journal.append([upserting("a", "r1"), upserting("a", "r1")])
    assert isinstance(first, Noted)
    assert isinstance(again, Noted)
    assert (first.sequence, first.is_new, again.sequence, again.is_new) == (1, True, 1, False)


@pytest.mark.parametrize("other", [upserting("a", "r1", seed=1), deleting("a", "r1"), upserting("b", "r1")])
def test_another_request_under_its_id_is_refused_and_others_are_not(journal: Journal, other) -> None:
    journal.append([upserting("a", "r1")])
    refused, taken = journal.append([other, upserting("c", "r2")])
    assert isinstance(refused, RequestIdReused)
    assert "'r1'" in str(refused)
    assert isinstance(taken, Noted)
    assert [record.change.product_id for record in journal.latest(0)] == ["a", "c"]


def test_places_of_one_request_are_changes_of_their_own(journal: Journal) -> None:
    journal.append([upserting("a", "r1", 0), upserting("b", "r1", 1)])
    again = journal.append([upserting("a", "r1", 0), upserting("b", "r1", 1), upserting("c", "r1", 2)])
    assert [outcome.is_new for outcome in again if isinstance(outcome, Noted)] == [False, False, True]


def test_others_read_while_it_is_written(journal: Journal, folder: Path) -> None:
    journal.append([upserting("a", "r1")])
    with closing(Journal(folder)) as beside:
        assert beside.end == journal.end
        journal.append([upserting("b", "r2")])
        assert [record.change.product_id for record in beside.latest(0)] == ["a", "b"]
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            beside.append([upserting("c", "r3")])


def test_a_killed_process_loses_nothing(journal: Journal, folder: Path, tmp_path: Path) -> None:
    journal.append([upserting("a", "r1", picture=b"picture")])
    journal.append([deleting("b", "r2")])
    with closing(Journal(left_by_a_kill(folder, tmp_path / "left"), to_append=True)) as opened:
        assert [record.change.product_id for record in opened.latest(0)] == ["a", "b"]
        (outcome,) = opened.append([upserting("c", "r3")])
        assert isinstance(outcome, Noted)
        assert outcome.sequence == 3


def test_what_was_cut_or_garbled_behind_the_last_sync_is_dropped(
    journal: Journal, folder: Path, tmp_path: Path
) -> None:
    journal.append([upserting("a", "r1")])
    synced = (folder / f"{FILE}-wal").stat().st_size
    kept = (folder / ACKNOWLEDGED).read_bytes()
    journal.append([upserting("b", "r2"), upserting("c", "r3")])
    whole = (folder / f"{FILE}-wal").read_bytes()
    for name, torn in {
        "cut": whole[: synced + 100],
        "gone": whole[:synced],
        "garbled": whole[:synced] + bytes(byte ^ 0x5A for byte in whole[synced:]),
        "last page garbled": whole[:-50] + bytes(50),
    }.items():
        left = left_by_a_kill(folder, tmp_path / name)
        (left / f"{FILE}-wal").write_bytes(torn)
        (left / ACKNOWLEDGED).write_bytes(kept)
        with closing(Journal(left, to_append=True)) as opened:
            assert [record.change.product_id for record in opened.latest(0)] == ["a"], name
            opened.append([upserting("d", "r4")])
            assert [record.sequence for record in opened.latest(0)] == [1, 2], name


def test_the_acknowledged_end_missing_is_an_error_that_leaves_the_files(
    journal: Journal, folder: Path, tmp_path: Path
) -> None:
    for name in "abc":
        journal.append([upserting(name, name)])
    whole = bytearray((folder / f"{FILE}-wal").read_bytes())
    whole[len(whole) // 2] ^= 1
    left = left_by_a_kill(folder, tmp_path / "left")
    (left / f"{FILE}-wal").write_bytes(whole)
    for _ in range(2):
        with pytest.raises(JournalDamaged, match=r"ends with record .*, and record 3 was acknowledged; next step"):
            Journal(left, to_append=True)
        assert (left / f"{FILE}-wal").read_bytes() == bytes(whole)
    (left / FILE).unlink()
    (left / f"{FILE}-wal").unlink()
    with pytest.raises(JournalDamaged, match="ends with record 0"):
        Journal(left)


def test_an_end_that_cannot_be_read_is_not_held_against_the_journal(folder: Path, caplog) -> None:
    with closing(Journal(folder, to_append=True)) as opened:
        opened.append([upserting("a", "r1")])
    (folder / ACKNOWLEDGED).write_bytes(b"\xff\x00garbled")
    with closing(Journal(folder, to_append=True)) as opened:
        assert opened.count(0) == 1
    assert "whether the journal's end is missing is not known" in caplog.text
    with closing(Journal(folder)) as opened:
        assert opened.count(0) == 1


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            "UPDATE records SET facts = replace(facts, 'title 1', 'title 9') WHERE sequence = 2",
            "record 2 .* is not what",
        ),
        ("UPDATE records SET product_id = 'x' WHERE sequence = 3", "record 3 .* is not what"),
        ("UPDATE records SET vectors = zeroblob(64) WHERE sequence = 1", "record 1 .* is not what"),
        ("DELETE FROM records WHERE sequence = 2", "record 2 .* is missing"),
        ("DELETE FROM records WHERE sequence = 1", "record 1 .* is missing"),
        ("DELETE FROM records WHERE sequence = 4", "record 4 .* is missing"),
        ("DELETE FROM pictures", "record 1 .* has lost its picture"),
        ("UPDATE pictures SET data = x'00'", "record 1 .* has lost its picture"),
    ],
)
def test_damage_before_the_end_is_named(folder: Path, damage: str, says: str) -> None:
    with closing(Journal(folder, to_append=True)) as opened:
        opened.append([upserting(name, name, seed=seed, picture=b"p") for seed, name in enumerate("abcd")])
    with closing(sqlite3.connect(folder / FILE)) as database, database:
        database.execute(damage)
    with closing(Journal(folder)) as opened, pytest.raises(JournalDamaged, match=f"{says}.*next step"):
        list(opened.latest(0))


def test_a_file_that_is_no_journal_is_named(folder: Path) -> None:
    folder.mkdir()
    (folder / FILE).write_bytes(b"something else" * 500)
    with pytest.raises(JournalDamaged, match=r"journal\.sqlite cannot be opened: it is damaged"):
        Journal(folder, to_append=True)


def test_a_position_is_another_journals_beginning(journal: Journal, folder: Path, tmp_path: Path) -> None:
    journal.append([upserting("a", "r1"), upserting("b", "r2")])
    end = journal.end
    assert Position.from_text(end.to_text()) == end
    assert Position.from_text(Position().to_text()) == Position()
    assert journal.after(end) == 2
    with closing(Journal(tmp_path / "other", to_append=True)) as other:
        other.append([upserting("c", "r3")])
        assert other.after(end) == 0
        assert other.after(Position()) == 0


def test_records_that_nobody_needs_go_from_the_beginning_on(journal: Journal) -> None:
    journal.append([upserting("a", "r1", picture=b"one"), upserting("b", "r2", picture=b"two")])
    journal.append([upserting("c", "r3", picture=b"two")])
    now = datetime.now(UTC)
    assert journal.trim(2, now - timedelta(days=1)) == 0
    assert journal.trim(1, now + timedelta(days=1)) == 1
    assert [record.change.product_id for record in journal.latest(1)] == ["b", "c"]
    assert journal.trim(3, now + timedelta(days=1)) == 2
    assert list(journal.latest(3)) == []
    (outcome,) = journal.append([upserting("d", "r4")])
    assert isinstance(outcome, Noted)
    assert outcome.sequence == 4
    assert [record.change.product_id for record in journal.latest(3)] == ["d"]


def test_a_grown_log_is_taken_over_and_nothing_is_lost(
    journal: Journal, folder: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("indexer.changes.journal._LOG_BYTES", 1000)
    for name in "abc":
        journal.append([upserting(name, name)])
        journal.take_over_log()
    assert (folder / f"{FILE}-wal").stat().st_size == 0
    with closing(Journal(left_by_a_kill(folder, tmp_path / "left"), to_append=True)) as opened:
        assert [record.change.product_id for record in opened.latest(0)] == ["a", "b", "c"]
