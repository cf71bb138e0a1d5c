"""What a call can fail with: one class for each gRPC status.

MerchlensError
├── Aborted             the server gave up because of a concurrent change
├── AlreadyExists       what was to be created exists already
├── Cancelled           the call was cancelled, as by closing the client
├── DataLoss            stored data is damaged
├── DeadlineExceeded    no answer within `timeout_s`
├── FailedPrecondition  the server's state has to change first; `preconditions` says how
├── Internal            a fault in the server
├── InvalidArgument     a request that breaks the contract; `field_violations` says where
├── NotFound            something named in the request is not there; `resource` says what
├── OutOfRange          a position past the end
├── PermissionDenied    the API key does not allow it
├── ResourceExhausted   too much at once, or too large a message
├── Unauthenticated     the API key is missing or not known
├── Unavailable         no server answers, or it cannot at the moment; a retry may succeed
├── Unimplemented       the server does not know the call
└── Unknown             a failure without a status of its own

`InvalidArgument` is raised as well before anything is sent, for what the client itself can detect. A wrong type is a
TypeError, a picture's path that cannot be read an OSError, a call on a closed client a RuntimeError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import grpc

from merchlens.status import FieldViolation, Precondition, Resource, StatusDetails, decode_status, read_details

REQUEST_ID_METADATA = "x-request-id"


class MerchlensError(Exception):
    """Root of the errors of a call; `str()` of one is its message.

    Attributes:
        code: the gRPC status.
        message: what failed, the value, what is permitted, the next step.
        reason: UPPER_SNAKE, stable, as in "TEXT_TOO_LONG"; "" where neither server nor client gave one.
        field_violations: request fields outside their ranges.
        resource: what the call is about, as in a product that is not there; None where not said.
        preconditions: what has to change first.
        retry_after_s: seconds to wait before the next attempt, 0 or more; None where the server gave none.
        request_id: under which the server logged the call; "" where the call was never made.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        field_violations: tuple[FieldViolation, ...] = (),
        resource: Resource | None = None,
        preconditions: tuple[Precondition, ...] = (),
        retry_after_s: float | None = None,
        request_id: str = "",
    ) -> None:
        # Only the message goes to `args`: copying and pickling make the exception from those, then add the rest.
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.field_violations = field_violations
        self.resource = resource
        self.preconditions = preconditions
        self.retry_after_s = retry_after_s
        self.request_id = request_id


class Aborted(MerchlensError):
    """The server gave up because of a concurrent change."""

    code = grpc.StatusCode.ABORTED


class AlreadyExists(MerchlensError):
    """What was to be created exists already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class Cancelled(MerchlensError):
    """The call was cancelled, as by closing the client."""

    code = grpc.StatusCode.CANCELLED


class DataLoss(MerchlensError):
    """Stored data is damaged."""

    code = grpc.StatusCode.DATA_LOSS


class DeadlineExceeded(MerchlensError):
    """No answer within `timeout_s`."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class FailedPrecondition(MerchlensError):
    """The server's state has to change first; `preconditions` says how."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class Internal(MerchlensError):
    """A fault in the server; its log has more under `request_id`."""

    code = grpc.StatusCode.INTERNAL


class InvalidArgument(MerchlensError):
    """A request that breaks the contract; `field_violations` says where."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotFound(MerchlensError):
    """Something named in the request is not there; `resource` says what."""

    code = grpc.StatusCode.NOT_FOUND


class OutOfRange(MerchlensError):
    """A position past the end."""

    code = grpc.StatusCode.OUT_OF_RANGE


class PermissionDenied(MerchlensError):
    """The API key does not allow it."""

    code = grpc.StatusCode.PERMISSION_DENIED


class ResourceExhausted(MerchlensError):
    """Too much at once (then `retry_after_s` is set), or too large a message."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class Unauthenticated(MerchlensError):
    """The API key is missing or not known."""

    code = grpc.StatusCode.UNAUTHENTICATED


class Unavailable(MerchlensError):
    """No server answers, or it cannot at the moment; a retry may succeed."""

    code = grpc.StatusCode.UNAVAILABLE


class Unimplemented(MerchlensError):
    """The server does not know the call: it has another version, or is not a Merchlens server."""

    code = grpc.StatusCode.UNIMPLEMENTED


class Unknown(MerchlensError):
    """A failure without a status of its own."""

    code = grpc.StatusCode.UNKNOWN


_BY_CODE: Mapping[grpc.StatusCode, type[MerchlensError]] = {kind.code: kind for kind in MerchlensError.__subclasses__()}


def from_rpc_error(
    error: grpc.RpcError, *, request_id: str = "", unexplained: Mapping[grpc.StatusCode, str] | None = None
) -> MerchlensError:
    """Make the named exception of a failed call; `error` becomes its cause.

    Args:
        error: as gRPC raised it.
        request_id: what the call was sent with, for where the server does not say.
        unexplained: by status, what to say where the failure came without a Merchlens server's explanation, so from
            the transport; gRPC's own words follow in brackets.
    """
    code = _said(error, "code")
    trailers: Iterable[tuple[str, str | bytes]] = tuple(_said(error, "trailing_metadata") or ())
    details = read_details(trailers)
    message = str(_said(error, "details") or details.message)
    if not details.reason and unexplained and code in unexplained:
        message = f"{unexplained[code]} ({message})"
    echoed = next((value for key, value in trailers if key == REQUEST_ID_METADATA and isinstance(value, str)), "")
    named = _named(code, message, details, echoed or request_id)
    named.__cause__ = error
    return named


def from_status(status: bytes, *, request_id: str = "") -> MerchlensError:
    """Make the named exception of a failure that came within an answer.

    Args:
        status: a serialized `google.rpc.Status`.
        request_id: of the call, for where the status does not say.
    """
    details = decode_status(status)
    code = next((kind for kind in grpc.StatusCode if kind.value[0] == details.code), None)
    return _named(code, details.message, details, request_id)


def _named(code: Any, message: str, details: StatusDetails, request_id: str) -> MerchlensError:
    return _BY_CODE.get(code, Unknown)(
        message or f"the call failed with {getattr(code, 'name', 'no status')}",
        reason=details.reason,
        field_violations=details.field_violations,
        resource=details.resource,
        preconditions=details.preconditions,
        retry_after_s=details.retry_after_s,
        request_id=details.request_id or request_id,
    )


def _said(error: grpc.RpcError, what: str) -> Any:
    # A bare RpcError, as an interceptor may raise one, has none of a call's methods.
    method = getattr(error, what, None)
    return method() if callable(method) else None
