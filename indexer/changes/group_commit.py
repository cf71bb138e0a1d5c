"""One thread that writes down what many ask for, so that those who ask at the same time wait for one sync."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from indexer.changes.change import Change, Outcome
from indexer.errors import StoreUnavailable

MOST_TOGETHER = 256
"""Changes that are written down as one, unless one writer alone has more."""

_PATIENCE = 0.25
"""Of a group's time: for so long the next one waits for the writers that were just answered."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    changes: Sequence[Change]
    answer: Future[list[Outcome]] = field(default_factory=Future)


class GroupCommit:
    """Whoever comes while a group is being written down is part of the next one.

    Writers that were just answered often have more to write. The next group waits for them a little: else those that
    came meanwhile would be one group, and those that were answered the next, in turns, at twice the syncs. A writer
    that is alone never waits.

    Calls from several threads are allowed.
    """

    def __init__(self, commit: Callable[[Sequence[Change]], list[Outcome]], most_together: int = MOST_TOGETHER) -> None:
        """Start the thread.

        Args:
            commit: makes changes durable, in order, and says what became of each; only ever called by that thread.
            most_together: changes in one call of it.
        """
        self._commit = commit
        self._most = most_together
        self._waiting: deque[_Asked] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="changes", daemon=True)
        self._thread.start()

    def write(self, changes: Sequence[Change]) -> list[Outcome]:
        """Have changes written down, and wait for that.

        Raises:
            StoreUnavailable: no more are taken.
            Exception: what `commit` raised for the group.
        """
        asked = _Asked(changes)
        with self._changed:
            if self._closed:
                raise StoreUnavailable(
                    "changes are not taken any more, the index is being closed; next step: try again"
                )
            self._waiting.append(asked)
            self._changed.notify()
        return asked.answer.result()

    def close(self) -> None:
        """Finish what was asked for, and take no more; a second time does nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        expected, patience_s = 0, 0.0
        while group := self._next(expected, patience_s):
            started = time.monotonic()
            self._write(group)
            patience_s = _PATIENCE * (time.monotonic() - started)
            expected = len(group) + len(self._waiting)

    def _write(self, group: Sequence[_Asked]) -> None:
        changes = [change for asked in group for change in asked.changes]
        try:
            outcomes = self._commit(changes)
        # Whatever it is, those who wait must learn of it, and the next group has its own chance.
        except BaseException as error:  # noqa: BLE001
            for asked in group:
                asked.answer.set_exception(error)
            return
        start = 0
        for asked in group:
            asked.answer.set_result(outcomes[start : start + len(asked.changes)])
            start += len(asked.changes)

    def _next(self, expected: int, patience_s: float) -> list[_Asked]:
        """What is written down next, once as many writers wait as expected, or after a while; empty at the end."""
        with self._changed:
            if expected > 1:
                self._changed.wait_for(lambda: self._closed or len(self._waiting) >= expected, patience_s)
            while not self._waiting and not self._closed:
                self._changed.wait()
            group: list[_Asked] = []
            count = 0
            while self._waiting and (not group or count + len(self._waiting[0].changes) <= self._most):
                group.append(self._waiting.popleft())
                count += len(group[-1].changes)
            return group
