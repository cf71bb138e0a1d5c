"""A caller's stream of changes: the first message names the call, each one has something to change."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from merchlens.v1 import catalog_service_pb2

from server.errors import InvalidRequest
from server.rpc.call import Call
from server.writes.product_writer import WriteRequest

Message = TypeVar("Message", catalog_service_pb2.UpsertProductsRequest, catalog_service_pb2.DeleteProductsRequest)

_LOOK_S = 0.25
"""So often a stream that waits looks whether its caller still does."""


class WriteStream(Generic[Message]):
    """Messages of one call, in order. Whoever waits for one does so no longer than the call's deadline.

    Attributes:
        request: what names the call.
    """

    def __init__(self, messages: Iterator[Message], call: Call) -> None:
        """Begin to read, and wait for the first message.

        Raises:
            DeadlineExpired, ServerStopping: it did not come.
            Exception: what reading it raised.
        """
        self._call = call
        # One at a time: gRPC's flow control makes the caller wait.
        self._read: queue.Queue[Message | BaseException | None] = queue.Queue(1)
        self._is_over = threading.Event()
        # It ends with the call, since reading does; a daemon, so that a process that must end does not wait for it.
        threading.Thread(target=self._read_all, args=(messages,), name="writes", daemon=True).start()
        try:
            self._first: Message | None = self._next()
        except BaseException:
            self._is_over.set()
            raise
        first = self._first
        self.request = WriteRequest("", "") if first is None else WriteRequest(first.catalog, first.request_id)

    def __iter__(self) -> Iterator[Message]:
        """The messages, once.

        Raises:
            InvalidRequest: REQUEST_CHANGED, where one names another call than the first.
            DeadlineExpired, ServerStopping: none came for too long.
            Exception: what reading one raised.
        """
        message = self._first
        try:
            while message is not None:
                self._check(message)
                yield message
                message = self._next()
        finally:
            self._is_over.set()

    def _check(self, message: Message) -> None:
        for field in ("catalog", "request_id"):
            named, before = getattr(message, field), getattr(self.request, field)
            if named not in ("", before):
                raise InvalidRequest(
                    "REQUEST_CHANGED",
                    field,
                    f"{field} {named[:80]!r} in a call that began with {before[:80]!r}; permitted: the same, or "
                    "nothing; next step: another call. What was sent before is written",
                )

    def _next(self) -> Message | None:
        while True:
            try:
                item = self._read.get(timeout=_LOOK_S)
            except queue.Empty:
                self._call.check_goes_on()
                continue
            if isinstance(item, BaseException):
                raise item
            return item

    def _read_all(self, messages: Iterator[Message]) -> None:
        last: BaseException | None = None
        try:
            for message in messages:
                if not self._put(message):
                    return
        # Whatever it is, the caller is to be told.
        except BaseException as error:  # noqa: BLE001
            last = error
        self._put(last)

    def _put(self, item: Message | BaseException | None) -> bool:
        while not self._is_over.is_set():
            try:
                self._read.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False
