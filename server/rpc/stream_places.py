"""How many of something may be open at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from server.errors import StreamsFull


class StreamPlaces:
    """Streams hold a thread each for as long as they are open; further ones would wait for one without a word."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = threading.Semaphore(most)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One of the places, for as long as this lasts.

        Raises:
            StreamsFull: there is none.
        """
        if not self._free.acquire(blocking=False):
            raise StreamsFull(
                f"{self._most} streams are open; permitted: up to {self._most} at once; next step: wait until one has "
                "ended, or ask with BatchSearch"
            )
        try:
            yield
        finally:
            self._free.release()
