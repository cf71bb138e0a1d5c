"""A caller's stream of changes: the first message names the call, each one has something to change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from merchlens.v1 import catalog_service_pb2

from server.errors import InvalidRequest
from server.rpc.call import Call
from server.rpc.read_ahead import End, ReadAhead
from server.writes.product_writer import WriteRequest

Message = TypeVar("Message", catalog_service_pb2.UpsertProductsRequest, catalog_service_pb2.DeleteProductsRequest)


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
        # One at a time: they may be large.
        self._ahead: ReadAhead[Message] = ReadAhead(messages, 1)
        try:
            self._first: Message | None = self._next()
        except BaseException:
            self._ahead.close()
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
            self._ahead.close()

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
        item = self._ahead.next(self._call.check_goes_on)
        if not isinstance(item, End):
            return item
        if item.error is not None:
            raise item.error
        return None
