"""A long command says how far it is: with bars on a terminal, with a line every ten seconds elsewhere."""

from __future__ import annotations

import io
import logging
import re
import threading

import pytest
from rich.console import Console

from embedder.progress import INTERVAL_S, ProgressReport

LOG = logging.getLogger("tests.progress")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def report(clock: Clock, caplog: pytest.LogCaptureFixture) -> ProgressReport:
    """Writing to a file, as in a nightly job."""
    caplog.set_level(logging.INFO, LOG.name)
    return ProgressReport(LOG, Console(file=io.StringIO()), clock)


def test_a_line_has_count_rate_and_time_left(
    report: ProgressReport, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    step = report.step("features (training)", 60_000)
    step.advance(1024)
    clock.now += 10
    report.report()
    clock.now += 10
    step.update(note="loss 1.25")
    report.report()
    assert caplog.messages == [
        "features (training): 1,024 of 60,000, 102.4 a second, 9 min 36 s left",
        "features (training): 1,024 of 60,000, 51.2 a second, 19 min 12 s left, loss 1.25",
    ]


def test_what_is_not_known_yet_is_left_out(
    report: ProgressReport, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    step = report.step("indexing", None)
    report.report()
    clock.now += 4000
    step.advance(2)
    step.update(total=4)
    report.report()
    assert caplog.messages == ["indexing: 0", "indexing: 2 of 4, 0.0005 a second, 1 h 6 min left"]


def test_a_step_that_is_complete_says_so_once_and_is_not_mentioned_again(
    report: ProgressReport, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = report.step("first", 3), report.step("second", 10)
    clock.now += 3
    first.advance(3)
    first.update(note="done")
    second.advance()
    report.report()
    assert caplog.messages == ["first: 3 of 3, 1.0 a second, took 3 s", "second: 1 of 10, 0.33 a second, 27 s left"]


def test_lines_come_also_while_nothing_moves(caplog: pytest.LogCaptureFixture) -> None:
    assert INTERVAL_S == 10
    caplog.set_level(logging.INFO, LOG.name)
    written = threading.Semaphore(0)

    class Counter(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.release()

    handler = Counter()
    LOG.addHandler(handler)
    try:
        with ProgressReport(LOG, Console(file=io.StringIO()), interval_s=0.01) as report:
            report.step("a hanging one", 5)
            assert written.acquire(timeout=60)
            assert written.acquire(timeout=60)
    finally:
        LOG.removeHandler(handler)
    assert set(caplog.messages) == {"a hanging one: 0 of 5"}


def test_a_terminal_gets_bars_and_no_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOG.name)
    screen = io.StringIO()
    with ProgressReport(LOG, Console(file=screen, force_terminal=True, width=80)) as report:
        step = report.step("embedding", 4)
        step.advance(3)
        step.update(note="nearly")
        step.advance()
    assert caplog.messages == []
    assert "embedding" in screen.getvalue()
    assert "4/4" in screen.getvalue()
    assert "nearly" in screen.getvalue()


def test_a_bar_has_count_rate_time_left_and_note_in_80_columns(clock: Clock) -> None:
    screen = io.StringIO()
    with ProgressReport(LOG, Console(file=screen, force_terminal=True, width=80), clock) as report:
        step = report.step("indexing", 20_000)
        for _ in range(3):
            clock.now += 10
            step.advance(4000)
        step.update(note="limit: decode 97%")
    shown = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", screen.getvalue())
    assert re.search(r"12000/20000 400.0/s 0:00:20 limit: decode 97%", shown), shown
