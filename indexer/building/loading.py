"""The stage that hands products to the store."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from indexer.building.stage import Stage
from indexer.stores.protocol import Batch, VersionWriter

AHEAD = 4
"""Batches that may be embedded and waiting for the store."""


class Loading(Stage):
    """Hands batches over in a separate thread, so that a slow store does not hold up the encoder.

    Used as a context manager: leaving it waits for the thread, whatever happened.
    """

    def __init__(self, writer: VersionWriter) -> None:
        super().__init__("load")
        self._writer = writer
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._sent: deque[Future[None]] = deque()

    def send(self, batch: Batch) -> None:
        """Hand one batch over; waits while `AHEAD` are under way, and raises what the store raised for one of them."""
        self._sent.append(self._pool.submit(self._write, batch))
        while len(self._sent) > AHEAD:
            self._sent.popleft().result()

    def wait(self) -> None:
        """Wait until the store has taken all batches; raises what it raised."""
        while self._sent:
            self._sent.popleft().result()

    def _write(self, batch: Batch) -> None:
        with self.working():
            self._writer.upsert(batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
