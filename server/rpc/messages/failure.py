"""Why one of several failed, as a message."""

from __future__ import annotations

from merchlens.v1 import status_pb2

from server.rpc.call import Call
from server.rpc.failure import explain


def to_error(error: BaseException, call: Call) -> status_pb2.Status:
    """Write what a call of its own would have failed with, and log it as that would."""
    _, status, _ = explain(error, call)
    return status_pb2.Status(code=status.code, message=status.message, details=status.details)
