"""Around every call: its id and deadline, limits on the raw message, exceptions to statuses, one line of log."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from server.errors import InvalidRequest, ReplyTooLarge, RequestTooLarge, ServerStopping
from server.rpc.call import REQUEST_ID, Call, logged_request_id
from server.rpc.failure import explain
from server.rpc.status import RETRY_AFTER_S
from server.settings import ServerSettings

_OURS = "/merchlens."

Answer = Callable[[Any, Call], Any]
"""A servicer's method: takes a request, or an iterator of them, and gives a reply, or an iterator of them."""


class StatusInterceptor(grpc.ServerInterceptor):
    """Hands each method of ours its `Call`, and turns whatever it raises into a status with details.

    All four kinds of method are covered. Requests are parsed and replies serialized in here, since what fails in
    gRPC's own parsing ends in a status without details, or in none at all.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._handlers: dict[str, Any] = {}
        # A stream holds a thread for as long as it is open: those of other calls would soon be gone.
        self._streams = ThreadPoolExecutor(settings.max_streams + settings.workers, thread_name_prefix="stream")
        self._stopping = False

    def refuse_new_calls(self) -> None:
        """Answer calls that come from now on with ServerStopping; those in progress go on."""
        self._stopping = True

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """See grpc.ServerInterceptor."""
        # Made once for each method, not for each call.
        known = self._handlers.get(details.method)
        if known is not None:
            return known
        handler = continuation(details)
        # Health and reflection are gRPC's own and handle their errors themselves.
        if handler is None or not details.method.startswith(_OURS):
            return handler
        made = self._handlers[details.method] = self._wrapped(handler, details.method)
        return made

    def _wrapped(self, handler: Any, method: str) -> Any:
        read = self._reading(handler.request_deserializer)
        write = self._writing(handler.response_serializer)
        answer, make = {
            (False, False): (handler.unary_unary, grpc.unary_unary_rpc_method_handler),
            (False, True): (handler.unary_stream, grpc.unary_stream_rpc_method_handler),
            (True, False): (handler.stream_unary, grpc.stream_unary_rpc_method_handler),
            (True, True): (handler.stream_stream, grpc.stream_stream_rpc_method_handler),
        }[bool(handler.request_streaming), bool(handler.response_streaming)]
        given = _each_given if handler.request_streaming else _given
        # A conversation lasts as long as its caller likes, and ends by itself when it is idle.
        timeout_s = (
            math.inf if handler.request_streaming and handler.response_streaming else self._settings.default_timeout_s
        )

        def run(request: Any, context: grpc.ServicerContext) -> Any:
            with self._answering(context, method, timeout_s) as call:
                return write(answer(given(request), call))

        def run_stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._answering(context, method, timeout_s) as call:
                for reply in answer(given(request), call):
                    yield write(reply)

        behavior: Any = run_stream if handler.response_streaming else run
        if handler.request_streaming:
            behavior.experimental_thread_pool = self._streams
        return make(behavior, request_deserializer=read)

    def _reading(self, deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
        most = self._settings.max_message_bytes

        def read(data: bytes) -> Any:
            # gRPC answers what is raised in here by itself or not at all, so it is passed on as a value.
            if len(data) > most:
                return RequestTooLarge(
                    f"message of {len(data):,} bytes; permitted: up to {most:,}; next step: send a smaller picture"
                )
            try:
                return (deserialize or _as_it_is)(data)
            except DecodeError as error:
                return InvalidRequest("MESSAGE_MALFORMED", "", f"the message is not the method's request: {error}")
            except BaseException as error:  # noqa: BLE001
                return error

        return read

    def _writing(self, serialize: Callable[[Any], bytes] | None) -> Callable[[Any], bytes]:
        most = self._settings.max_message_bytes

        def write(reply: Any) -> bytes:
            data = (serialize or _as_it_is)(reply)
            # Clients take no more than servers do; what they are sent beyond that, they drop without a word of ours.
            if len(data) > most:
                raise ReplyTooLarge(
                    f"the reply has {len(data):,} bytes; permitted: up to {most:,}; next step: ask for fewer at once"
                )
            return data

        return write

    @contextmanager
    def _answering(self, context: grpc.ServicerContext, method: str, timeout_s: float) -> Iterator[Call]:
        call = Call.begin(context, timeout_s, method, lambda: self._stopping)
        logged_request_id.set(call.request_id)
        try:
            if self._stopping:
                raise ServerStopping("the server is stopping; next step: try again, another one may take its place")
            yield call
        # This is how gRPC closes a stream's iterator when the caller has left.
        except GeneratorExit:
            raise
        # A panic in native code is not an Exception, nor is SystemExit, which ends this thread only: the caller would
        # be left without an answer. And nothing may leave as gRPC's own "Exception calling application", which shows
        # internals.
        except BaseException as error:  # noqa: BLE001
            _abort(error, call, context)


def _as_it_is(value: Any) -> Any:
    return value


def _given(request: Any) -> Any:
    """A request; raises what reading it raised."""
    if isinstance(request, BaseException):
        raise request
    return request


def _each_given(requests: Iterator[Any]) -> Iterator[Any]:
    return map(_given, requests)


def _abort(error: BaseException, call: Call, context: grpc.ServicerContext) -> None:
    _, status, row = explain(error, call)
    trailers = [(REQUEST_ID, call.request_id)]
    if row.retry:
        trailers.append(("grpc-retry-pushback-ms", str(int(RETRY_AFTER_S * 1000))))
    made = rpc_status.to_status(status)
    context.set_trailing_metadata((*made.trailing_metadata, *trailers))
    context.abort(made.code, made.details)
