"""The queries of one stream: those that wait are taken together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import isinf

from merchlens.v1 import search_service_pb2

from server.errors import StreamIdle
from server.rpc.call import Call
from server.rpc.read_ahead import End, ReadAhead
from server.search.encode import ENCODED_TOGETHER


class QueryStream:
    """Reads ahead as many queries as are answered together."""

    def __init__(self, requests: Iterator[search_service_pb2.StreamSearchRequest], call: Call, idle_s: float) -> None:
        """Begin to read.

        Args:
            requests: as they come; what it raises is raised by `batches`.
            call: the stream's. Where it has no deadline, the stream ends by itself when it is idle.
            idle_s: for how long it may be.
        """
        self._ahead = ReadAhead(requests, ENCODED_TOGETHER)
        self._call = call
        self._idle_s = idle_s if isinf(call.deadline) else None

    def batches(self) -> Iterator[list[search_service_pb2.StreamSearchRequest]]:
        """What has come, 1 to `ENCODED_TOGETHER` queries each time, until the caller has sent all.

        Raises:
            StreamIdle: no query came for too long.
            DeadlineExpired: the caller no longer waits.
            ServerStopping: the server is about to stop.
            Exception: what reading raised.
        """
        try:
            while True:
                self._call.check_goes_on()
                batch: list[search_service_pb2.StreamSearchRequest] = []
                item = self._next()
                while not isinstance(item, End):
                    batch.append(item)
                    if len(batch) == ENCODED_TOGETHER or self._ahead.is_empty:
                        break
                    item = self._next()
                if batch:
                    yield batch
                if isinstance(item, End):
                    if item.error is not None:
                        raise item.error
                    return
        finally:
            self._ahead.close()

    def _next(self) -> search_service_pb2.StreamSearchRequest | End:
        until = None if self._idle_s is None else time.monotonic() + self._idle_s

        def check() -> None:
            self._call.check_goes_on()
            if until is not None and time.monotonic() >= until:
                raise StreamIdle(
                    f"no query came for {self._idle_s:g} s; permitted: a stream without a deadline may be idle for so "
                    "long; next step: close the stream when all is asked, or give it a deadline"
                )

        return self._ahead.next(check)
