"""A caller's stream of messages, read by a thread of its own, so that waiting for one can end otherwise."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Message = TypeVar("Message")

_LOOK_S = 0.25
"""So often whoever waits looks whether to go on waiting."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stream: what reading it raised, or None where the caller has sent all."""

    error: BaseException | None


class ReadAhead(Generic[Message]):
    """The next few messages of a stream; that there are no more of them, gRPC's flow control makes the caller wait."""

    def __init__(self, messages: Iterator[Message], most: int) -> None:
        """Begin to read, at most so many ahead."""
        self._read: queue.Queue[Message | End] = queue.Queue(most)
        self._is_over = threading.Event()
        # It ends with the call, since reading does; a daemon, so that a process that must end does not wait for it.
        threading.Thread(target=self._read_all, args=(messages,), name="read-ahead", daemon=True).start()

    @property
    def is_empty(self) -> bool:
        """Whether the next message, or the end, is yet to come."""
        return self._read.empty()

    def next(self, check: Callable[[], None]) -> Message | End:
        """The next message, or the end; while it is yet to come, `check` is called now and then, and may raise."""
        while True:
            try:
                return self._read.get(timeout=_LOOK_S)
            except queue.Empty:
                check()

    def close(self) -> None:
        """Read no more."""
        self._is_over.set()

    def _read_all(self, messages: Iterator[Message]) -> None:
        end = End(None)
        try:
            for message in messages:
                if not self._put(message):
                    return
        # Whatever it is, the caller is to be told.
        except BaseException as error:  # noqa: BLE001
            end = End(error)
        self._put(end)

    def _put(self, item: Message | End) -> bool:
        while not self._is_over.is_set():
            try:
                self._read.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False
