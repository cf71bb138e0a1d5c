"""What a failure becomes: a status for the caller, and a line of log for us."""

from __future__ import annotations

import logging

import grpc
from google.rpc import status_pb2

from server.rpc.call import Call
from server.rpc.status import Row, to_status

_log = logging.getLogger(__name__)


def explain(error: BaseException, call: Call) -> tuple[grpc.StatusCode, status_pb2.Status, Row]:
    """What to tell the caller of an exception (see `to_status`); what is logged depends on whose fault it is."""
    try:
        code, status, row = to_status(error, call.request_id)
    # An exception whose own __str__ fails.
    except Exception:  # noqa: BLE001
        code, status, row = to_status(RuntimeError(), call.request_id)
    if row.for_caller:
        # Messages may quote what a customer typed, which is never logged: the reason is enough.
        _log.info("%s %s: %s %s", call.method, call.request_id, code.name, getattr(error, "reason", row.reason))
    elif not call.is_active() and isinstance(error, grpc.RpcError):
        # This is how a stream's requests end when the caller has left.
        _log.info("%s %s: the caller has left", call.method, call.request_id)
    else:
        _log.error("%s %s: %s", call.method, call.request_id, code.name, exc_info=error)
    return code, status, row
