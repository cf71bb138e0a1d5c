"""Progress of a long command, on standard error: bars on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

INTERVAL_S = 10.0
"""Between two lines, where output is not a terminal."""


class Step:
    """One counted step of a command, such as the features of the training products.

    Attributes:
        label: what is being done.
        total: how many there are; None where that is not known yet.
        done: how many of them are done.
        note: a short remark beside the count.
    """

    def __init__(self, report: ProgressReport, label: str, total: int | None, started_at: float) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self.note = ""
        self.started_at = started_at
        self.closed = False
        self._report = report

    def advance(self, count: int = 1) -> None:
        """`count` more are done."""
        self.done += count
        self._report.changed(self)

    def update(self, *, total: int | None = None, note: str | None = None) -> None:
        """Another total, or another remark."""
        self.total = self.total if total is None else total
        self.note = self.note if note is None else note
        self._report.changed(self)

    @property
    def is_complete(self) -> bool:
        """Whether all are done."""
        return self.total is not None and self.done >= self.total


class ProgressReport:
    """A command's progress, as a context manager.

    On a terminal each step is a bar with count, rate and time left. Elsewhere a line with these is logged every ten
    seconds, also when nothing moves, and one when a step is complete: a nightly job's log shows that the command is
    alive.
    """

    def __init__(
        self,
        log: logging.Logger,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
        interval_s: float = INTERVAL_S,
    ) -> None:
        """Choose between bars and lines.

        Args:
            log: takes the lines, at INFO.
            console: draws the bars; None: standard error.
            clock: seconds.
            interval_s: between two lines.
        """
        console = console or Console(stderr=True)
        self._log = log
        self._clock = clock
        self._interval_s = interval_s
        self._steps: dict[Step, TaskID | None] = {}
        self._bars = _bars(console, clock) if console.is_terminal else None
        self._ended = threading.Event()
        self._reporter = threading.Thread(target=self._report_regularly, name="progress", daemon=True)

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        else:
            self._reporter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._bars is not None:
            self._bars.stop()
        else:
            self._reporter.join()

    def step(self, label: str, total: int | None) -> Step:
        """Begin a step.

        Args:
            label: what is being done, up to 21 characters.
            total: how many there are; None where that is not known yet.
        """
        step = Step(self, label, total, self._clock())
        self._steps[step] = None if self._bars is None else self._bars.add_task(label, total=total, note="")
        return step

    def changed(self, step: Step) -> None:
        """Show a step that has moved; `Step` calls this."""
        bar = self._steps[step]
        if self._bars is not None and bar is not None:
            self._bars.update(bar, completed=step.done, total=step.total, note=step.note)
        elif step.is_complete and not step.closed:
            step.closed = True
            self._log.info("%s", _line(step, self._clock() - step.started_at))

    def report(self) -> None:
        """Log a line for each step that is not complete."""
        for step in list(self._steps):
            if not step.is_complete:
                self._log.info("%s", _line(step, self._clock() - step.started_at))

    def _report_regularly(self) -> None:
        while not self._ended.wait(self._interval_s):
            self.report()


def _bars(console: Console, clock: Callable[[], float]) -> Progress:
    return Progress(
        TextColumn("{task.description:<21}"),
        # Narrow, so that everything fits into 80 columns.
        BarColumn(10),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        get_time=clock,
    )


class _RateColumn(ProgressColumn):
    """As in `102.4/s`; empty while nothing is done."""

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        return Text("" if not rate else f"{_rate(rate)}/s", style="progress.data.speed")


def _rate(a_second: float) -> str:
    return f"{a_second:,.1f}" if a_second >= 1 else f"{a_second:.2g}"


def _line(step: Step, elapsed_s: float) -> str:
    """As in `features (training): 1,024 of 60,000, 102.4 a second, 9 min 36 s left`."""
    rate = step.done / elapsed_s if elapsed_s > 0 else 0.0
    parts = [f"{step.done:,}" + ("" if step.total is None else f" of {step.total:,}")]
    if rate > 0:
        parts.append(f"{_rate(rate)} a second")
    if step.is_complete:
        parts.append(f"took {_duration(elapsed_s)}")
    elif step.total is not None and rate > 0:
        parts.append(f"{_duration((step.total - step.done) / rate)} left")
    if step.note:
        parts.append(step.note)
    return f"{step.label}: {', '.join(parts)}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
