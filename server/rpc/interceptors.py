"""Around every call: its id and deadline, limits on the raw message, exceptions to statuses, one line of log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from server.errors import InvalidRequest, RequestTooLarge
from server.rpc.call import REQUEST_ID, Call
from server.rpc.status import RETRY_AFTER_S, to_status
from server.settings import ServerSettings

_log = logging.getLogger(__name__)

_OURS = "/merchlens."


class StatusInterceptor(grpc.ServerInterceptor):
    """Turns whatever a method of ours raises into a status with details."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._handlers: dict[str, Any] = {}

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """See grpc.ServerInterceptor."""
        # Made once for each method, not for each call.
        known = self._handlers.get(details.method)
        if known is not None:
            return known
        handler = continuation(details)
        # Health and reflection are grpc's own and answer for themselves.
        if handler is None or not details.method.startswith(_OURS):
            return handler
        made = self._handlers[details.method] = grpc.unary_unary_rpc_method_handler(
            self._answering(handler.unary_unary, details.method),
            request_deserializer=self._reading(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )
        return made

    def _reading(self, deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        most = self._settings.max_message_bytes

        def read(data: bytes) -> Any:
            # What is raised in here gRPC answers itself, without details; so it is handed on as a value.
            if len(data) > most:
                return RequestTooLarge(
                    f"message of {len(data):,} bytes; permitted: up to {most:,}; next step: send a smaller picture"
                )
            try:
                return deserialize(data)
            except DecodeError as error:
                return InvalidRequest("MESSAGE_MALFORMED", "", f"the message is not the method's request: {error}")

        return read

    def _answering(self, answer: Callable[[Any, Any], Any], method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        def run(request: Any, context: grpc.ServicerContext) -> Any:
            call = Call.begin(context, self._settings.default_timeout_s)
            try:
                if isinstance(request, Exception):
                    raise request
                return answer(request, context)
            # Nothing may leave as gRPC's own "Exception calling application", which shows internals.
            except Exception as error:  # noqa: BLE001
                _abort(error, call, context, method)

        return run


def _abort(error: Exception, call: Call, context: grpc.ServicerContext, method: str) -> None:
    code, status, row = to_status(error, call.request_id)
    if row.tells:
        # Messages may quote what a customer typed, which is never logged: the reason is enough.
        _log.info("%s %s: %s %s", method, call.request_id, code.name, getattr(error, "reason", row.reason))
    else:
        _log.error("%s %s: %s", method, call.request_id, code.name, exc_info=error)
    trailers = [(REQUEST_ID, call.request_id)]
    if row.retry:
        trailers.append(("grpc-retry-pushback-ms", str(int(RETRY_AFTER_S * 1000))))
    made = rpc_status.to_status(status)
    context.set_trailing_metadata((*made.trailing_metadata, *trailers))
    context.abort(made.code, made.details)
