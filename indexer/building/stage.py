"""One stage of a build: a name, how many threads it has, and how long it was at work."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

_WATCHED_S = 30.0
_LOOKS = 30


class Stage:
    """Measures its own work; the stages of a build run at the same time, so the slowest of them sets its pace.

    Attributes:
        name: for people.
        threads: how many of them work at once.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self.name = name
        self.threads = threads
        self._busy_ns = 0
        self._lock = threading.Lock()

    @property
    def busy_s(self) -> float:
        """Seconds at work, added up over the threads."""
        return self._busy_ns / 1e9

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count what happens within as work of this stage."""
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            with self._lock:
                self._busy_ns += time.perf_counter_ns() - started

    def counting(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same items; waiting for each of them counts as work of this stage."""
        source = iter(items)
        while True:
            with self.working():
                try:
                    item = next(source)
                except StopIteration:
                    return
            yield item


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage was at work.

    Attributes:
        name: the stage's.
        busy_s: seconds, added up over its threads.
        share: of the time that the stages ran side by side, 0..1 (a little over, where a thread was still finishing).
    """

    name: str
    busy_s: float
    share: float


def stage_times(stages: Sequence[Stage], elapsed_s: float) -> tuple[StageTime, ...]:
    """How busy each stage was, in the order of the flow.

    Args:
        stages: that ran side by side.
        elapsed_s: for how long they did, seconds.
    """
    return tuple(_time_of(stage, stage.busy_s, elapsed_s) for stage in stages)


def _time_of(stage: Stage, busy_s: float, elapsed_s: float) -> StageTime:
    return StageTime(stage.name, busy_s, busy_s / stage.threads / elapsed_s if elapsed_s > 0 else 0.0)


class StageWatch:
    """Tells, while the stages of a build run, which of them the others wait for: by what the last half minute was like.

    Used by one thread.
    """

    def __init__(self, stages: Sequence[Stage], clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to watch; `clock` gives seconds."""
        self._stages = stages
        self._clock = clock
        self._seen = deque([self._look()])

    def busiest(self) -> StageTime:
        """The stage that was at work for the largest share of the time, with its seconds and share in that time."""
        now = self._look()
        while len(self._seen) > 1 and self._seen[1].at <= now.at - _WATCHED_S:
            self._seen.popleft()
        first = self._seen[0]
        if now.at >= self._seen[-1].at + _WATCHED_S / _LOOKS:
            self._seen.append(now)
        elapsed_s = now.at - first.at
        return bottleneck(
            [
                _time_of(stage, after - before, elapsed_s)
                for stage, before, after in zip(self._stages, first.busy_s, now.busy_s, strict=True)
            ]
        )

    def _look(self) -> _Look:
        return _Look(self._clock(), tuple(stage.busy_s for stage in self._stages))


@dataclass(frozen=True, slots=True)
class _Look:
    """When the stages were looked at, and how long each had been at work by then."""

    at: float
    busy_s: tuple[float, ...]


def bottleneck(times: Sequence[StageTime]) -> StageTime:
    """The stage that the others waited for: the one that was at work for the largest share of the time."""
    return max(times, key=lambda time: time.share)
