"""Stages measure their own work, and the closing summary names the one that the others waited for."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexer.building.stage import Stage, StageTime, StageWatch, bottleneck, stage_times


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A clock that stands still until its one value, in nanoseconds, is changed."""
    now = [0]
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now[0])
    return now


def test_only_work_counts(clock: list[int]) -> None:
    stage = Stage("embed")
    for _ in range(3):
        with stage.working():
            clock[0] += 2_000_000_000
        clock[0] += 5_000_000_000
    assert stage.busy_s == 6.0


def test_work_that_fails_counts_too(clock: list[int]) -> None:
    stage = Stage("load")

    def fail() -> None:
        with stage.working():
            clock[0] += 1_000_000_000
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        fail()
    assert stage.busy_s == 1.0


def test_waiting_for_items_is_work_of_the_stage_that_gives_them(clock: list[int]) -> None:
    stage = Stage("read")

    def slow():
        for item in "ab":
            clock[0] += 3_000_000_000
            yield item

    seen = []
    for item in stage.counting(slow()):
        clock[0] += 10_000_000_000
        seen.append(item)
    assert seen == ["a", "b"]
    assert stage.busy_s == 6.0


def test_threads_add_up() -> None:
    stage, barrier = Stage("decode", threads=4), threading.Barrier(4)

    def work() -> None:
        with stage.working():
            barrier.wait(30)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()
    assert stage.busy_s > 0
    (only,) = stage_times([stage], elapsed_s=stage.busy_s / 4)
    assert only.share == pytest.approx(1.0)


def test_the_bottleneck_is_busiest_for_its_number_of_threads(clock: list[int]) -> None:
    decode, embed = Stage("decode", threads=2), Stage("embed")
    for stage, seconds in ((decode, 12), (embed, 9)):
        with stage.working():
            clock[0] += seconds * 1_000_000_000
    times = stage_times([decode, embed], elapsed_s=10.0)
    assert times == (StageTime("decode", 12.0, 0.6), StageTime("embed", 9.0, 0.9))
    assert bottleneck(times).name == "embed"


def test_a_build_of_no_time_has_no_shares() -> None:
    assert stage_times([Stage("read")], 0.0) == (StageTime("read", 0.0, 0.0),)


def test_a_watch_names_the_stage_that_is_the_busiest_of_late(clock: list[int]) -> None:
    decode, embed = Stage("decode", threads=2), Stage("embed")
    watch = StageWatch([decode, embed], lambda: clock[0] / 1e9)

    def run(stage: Stage, seconds: float) -> None:
        with stage.working():
            clock[0] += int(seconds * 1e9)

    assert watch.busiest().share == 0.0
    for _ in range(10):
        run(decode, 4)
        run(embed, 1)
        found = watch.busiest()
        assert (found.name, found.share) == ("decode", pytest.approx(0.4))
    for _ in range(40):
        run(embed, 1)
        found = watch.busiest()
    # What was before the last half minute does not count any more.
    assert (found.name, found.share) == ("embed", pytest.approx(1.0))
    assert found.busy_s == pytest.approx(30.0, abs=5.1)
