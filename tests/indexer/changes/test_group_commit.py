"""Writers that come at the same time wait for one sync, and each gets its own answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest

from indexer.changes.change import Change, Noted, Outcome
from indexer.changes.group_commit import GroupCommit
from indexer.errors import StoreUnavailable
from tests.indexer.changes.changing import deleting

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Disk:
    """Writes down one group at a time, as slowly as a test wants."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def commit(self, changes: Sequence[Change]) -> list[Outcome]:
        self.groups.append([change.product_id for change in changes])
        self.begun.release()
        self.may_end.acquire()
        if "bad" in self.groups[-1]:
            raise StoreUnavailable("no space left")
        return [Noted(int(change.product_id), NOW, is_new=True) for change in changes]


def test_who_comes_while_a_group_is_written_is_in_the_next_one() -> None:
    disk = Disk()
    with closing(GroupCommit(disk.commit)) as group, ThreadPoolExecutor(8) as pool:
        first = pool.submit(group.write, [deleting("0", "r0")])
        disk.begun.acquire()
        others = [
            pool.submit(group.write, [deleting(str(n), f"r{n}"), deleting(str(n + 10), f"r{n}")]) for n in range(1, 7)
        ]
        while len(group._waiting) < 6:
            threading.Event().wait(0.01)
        disk.may_end.release(2)
        assert [outcome.sequence for outcome in first.result()] == [0]
        for number, other in enumerate(others, start=1):
            assert [outcome.sequence for outcome in other.result()] == [number, number + 10]
    assert [len(members) for members in disk.groups] == [1, 12]


def test_a_group_has_its_limit_and_a_larger_writer_is_one_of_its_own() -> None:
    disk = Disk()
    disk.may_end.release(10)
    with closing(GroupCommit(disk.commit, most_together=2)) as group:
        assert len(group.write([deleting(str(n), "r", n) for n in range(5)])) == 5
    assert [len(members) for members in disk.groups] == [5]


def test_writers_that_go_on_writing_stay_together() -> None:
    disk = Disk()
    disk.may_end.release(1000)

    def slowly(changes: Sequence[Change]) -> list[Outcome]:
        threading.Event().wait(0.2)
        return disk.commit(changes)

    with closing(GroupCommit(slowly)) as group, ThreadPoolExecutor(8) as pool:

        def write(writer: int) -> None:
            for number in range(6):
                group.write([deleting(str(number), f"{writer} {number}")])

        list(pool.map(write, range(8)))
    # Without waiting, those that came meanwhile and those that were answered would take turns: 12 groups.
    assert len(disk.groups) < 12


def test_a_failure_reaches_all_of_its_group_and_no_other() -> None:
    disk = Disk()
    disk.may_end.release(10)
    with closing(GroupCommit(disk.commit)) as group:
        with pytest.raises(StoreUnavailable, match="no space left"):
            group.write([deleting("bad", "r1")])
        assert len(group.write([deleting("1", "r2")])) == 1


def test_what_was_asked_for_is_finished_before_it_closes() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(group.write, [deleting("1", "r1")])
        disk.begun.acquire()
        disk.may_end.release()
        group.close()
        assert len(asked.result()) == 1
    with pytest.raises(StoreUnavailable, match="being closed"):
        group.write([deleting("2", "r2")])
