"""The queries of one stream: those that wait are taken together."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from math import isinf

from merchlens.v1 import search_service_pb2

from server.errors import StreamIdle
from server.rpc.call import Call
from server.search.encode import ENCODED_TOGETHER

_LOOK_S = 0.25
"""So often an idle stream looks whether its caller is still there."""


class QueryStream:
    """Reads ahead, as many queries as are answered together: then gRPC's flow control makes the caller wait."""

    def __init__(self, requests: Iterator[search_service_pb2.StreamSearchRequest], call: Call, idle_s: float) -> None:
        """Begin to read.

        Args:
            requests: as they come; what it raises is raised by `batches`.
            call: the stream's. Where it has no deadline, the stream ends by itself when it is idle.
            idle_s: for how long it may be.
        """
        self._requests = requests
        self._call = call
        self._idle_s = idle_s if isinf(call.deadline) else None
        self._read: queue.Queue[search_service_pb2.StreamSearchRequest | BaseException | None] = queue.Queue(
            ENCODED_TOGETHER
        )
        self._is_over = threading.Event()
        # It ends with the call, since reading does; a daemon, so that a process that must end does not wait for it.
        threading.Thread(target=self._read_all, name="stream", daemon=True).start()

    def batches(self) -> Iterator[list[search_service_pb2.StreamSearchRequest]]:
        """What has come, 1 to `ENCODED_TOGETHER` queries each time, until the caller has sent all.

        Raises:
            StreamIdle: no query came for too long.
            DeadlineExpired: the caller no longer waits.
            ServerStopping: the server is about to stop.
        """
        try:
            while True:
                self._call.check_goes_on()
                batch: list[search_service_pb2.StreamSearchRequest] = []
                item = self._next()
                while isinstance(item, search_service_pb2.StreamSearchRequest):
                    batch.append(item)
                    if len(batch) == ENCODED_TOGETHER or self._read.empty():
                        break
                    item = self._read.get()
                if batch:
                    yield batch
                if isinstance(item, BaseException):
                    raise item
                if item is None:
                    return
        finally:
            self._is_over.set()

    def _next(self) -> search_service_pb2.StreamSearchRequest | BaseException | None:
        until = None if self._idle_s is None else time.monotonic() + self._idle_s
        while True:
            try:
                return self._read.get(timeout=_LOOK_S)
            except queue.Empty:
                self._call.check_goes_on()
                if until is not None and time.monotonic() >= until:
                    raise StreamIdle(
                        f"no query came for {self._idle_s:g} s; permitted: a stream without a deadline may be idle "
                        "for so long; next step: close the stream when all is asked, or give it a deadline"
                    ) from None

    def _read_all(self) -> None:
        last: BaseException | None = None
        try:
            for request in self._requests:
                if not self._put(request):
                    return
        # Whatever it is, the caller is to be told.
        except BaseException as error:  # noqa: BLE001
            last = error
        self._put(last)

    def _put(self, item: search_service_pb2.StreamSearchRequest | BaseException | None) -> bool:
        while not self._is_over.is_set():
            try:
                self._read.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False
