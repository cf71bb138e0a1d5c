"""A bound on the memory that pictures of concurrent queries take while they are decoded.

A file of some kilobytes can hold a picture of 50 megapixels. One is affordable; one for each concurrent call
is not.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from embedder.errors import PictureTooManyPixels
from server.errors import DecodeMemoryFull

CheckAlive = Callable[[], None]
"""Raises `DeadlineExpired` where the caller no longer waits for the answer."""

_POLL_S = 0.05
"""How often a waiting call checks that its caller is still there."""


class DecodeMemory:
    """Bytes that may be in use for decoding at one time; a call that finds too few free waits in line.

    Attributes:
        max_bytes: how many there are.
        wait_s: how long a call waits at most.
    """

    def __init__(self, max_bytes: int, wait_s: float) -> None:
        if max_bytes < 1 or wait_s < 0:
            raise ValueError(f"max_bytes {max_bytes}, wait_s {wait_s}; permitted: 1 or more, 0 or more")
        self.max_bytes = max_bytes
        self.wait_s = wait_s
        self._used = 0
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def used_bytes(self) -> int:
        """How many are in use."""
        with self._changed:
            return self._used

    @property
    def waiting(self) -> int:
        """How many wait."""
        with self._changed:
            return len(self._line)

    @contextmanager
    def reservation(self, check_alive: CheckAlive) -> Iterator[Callable[[int], None]]:
        """Return a function that takes bytes; what it took is released at the end.

        The function blocks until the bytes are free. It raises DecodeMemoryFull where they are not within `wait_s`,
        PictureTooManyPixels where they are more than there are at all, and what `check_alive` raises while it waits.
        """
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            self._take(count, check_alive)
            taken += count

        try:
            yield take
        finally:
            with self._changed:
                self._used -= taken
                self._changed.notify_all()

    def _take(self, count: int, check_alive: CheckAlive) -> None:
        if count > self.max_bytes:
            raise PictureTooManyPixels(
                f"decoding the picture takes {count:,} bytes; permitted: up to {self.max_bytes:,}; next step: send it "
                "smaller, or as a plain PNG or baseline JPEG"
            )
        place = object()
        until = time.monotonic() + self.wait_s
        with self._changed:
            self._line.append(place)
            try:
                while self._line[0] is not place or self._used + count > self.max_bytes:
                    check_alive()
                    left = until - time.monotonic()
                    if left <= 0:
                        raise DecodeMemoryFull(
                            f"other pictures being decoded leave fewer than the {count:,} bytes that this one takes "
                            f"(of {self.max_bytes:,}); next step: try again, or send it smaller"
                        )
                    self._changed.wait(min(left, _POLL_S))
                self._used += count
            finally:
                self._line.remove(place)
                self._changed.notify_all()
