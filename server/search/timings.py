"""How long the stages of one piece of work took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class StageTimings:
    """Microseconds by stage, in order; a stage entered twice adds up."""

    def __init__(self) -> None:
        self.measured_us: dict[str, int] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what runs within, also where it raises."""
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            self.add({name: (time.perf_counter_ns() - started) // 1000})

    def add(self, measured_us: Mapping[str, int]) -> None:
        """Add what was measured elsewhere."""
        for name, duration in measured_us.items():
            self.measured_us[name] = self.measured_us.get(name, 0) + duration

    def share(self, count: int) -> dict[str, int]:
        """What each of `count`, 1 or more, that were worked on together has of it."""
        return {name: duration // count for name, duration in self.measured_us.items()}
