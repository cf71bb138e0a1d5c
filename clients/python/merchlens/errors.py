"""What a call can end with.

MerchlensError
├── InvalidArgument      the request breaks the contract; `field_violations` say where
├── NotFound             a product or catalog that is not there; see `resource`
├── FailedPrecondition   the server's state does not permit it; see `preconditions`
├── OutOfRange, AlreadyExists, Aborted
├── Unauthenticated, PermissionDenied
├── ResourceExhausted    too large a message, or too many calls; see `retry_after_s`
├── Unavailable          nobody listens, or not now; retried already, see `Client`
├── DeadlineExceeded, Cancelled
└── Unimplemented, Internal, DataLoss, Unknown
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import grpc

from merchlens.status import TRAILER, read_details


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field that breaks the contract: its path in the request, and what is wrong and permitted."""

    field: str
    description: str


class MerchlensError(Exception):
    """Root of the client's errors.

    Attributes:
        code: the gRPC status.
        message: what failed, the value, what is permitted, the next step.
        reason: UPPER_SNAKE, stable, for programs; "" where the server gave none.
        field_violations: fields at fault.
        resource: (type, name) of what was not found; None where nothing was missed.
        preconditions: what would have to be true first.
        retry_after_s: when the same call may go through; None where that would not help.
        request_id: for finding the call in the server's log; "" where the call never reached it.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        field_violations: Iterable[FieldViolation] = (),
        resource: tuple[str, str] | None = None,
        preconditions: Iterable[str] = (),
        retry_after_s: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.field_violations = tuple(field_violations)
        self.resource = resource
        self.preconditions = tuple(preconditions)
        self.retry_after_s = retry_after_s
        self.request_id = request_id


class InvalidArgument(MerchlensError):
    """The request breaks the contract."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotFound(MerchlensError):
    """A product or catalog that is not there."""

    code = grpc.StatusCode.NOT_FOUND


class FailedPrecondition(MerchlensError):
    """The server's state does not permit it."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class OutOfRange(MerchlensError):
    """Past the end."""

    code = grpc.StatusCode.OUT_OF_RANGE


class AlreadyExists(MerchlensError):
    """There already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class Aborted(MerchlensError):
    """Given up by the server."""

    code = grpc.StatusCode.ABORTED


class Unauthenticated(MerchlensError):
    """No valid key."""

    code = grpc.StatusCode.UNAUTHENTICATED


class PermissionDenied(MerchlensError):
    """A key that does not permit this."""

    code = grpc.StatusCode.PERMISSION_DENIED


class ResourceExhausted(MerchlensError):
    """Too large a message, or too many calls."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class Unavailable(MerchlensError):
    """Nobody listens, or not now."""

    code = grpc.StatusCode.UNAVAILABLE


class DeadlineExceeded(MerchlensError):
    """No answer in time."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class Cancelled(MerchlensError):
    """Cancelled by the caller, or with the client's closing."""

    code = grpc.StatusCode.CANCELLED


class Unimplemented(MerchlensError):
    """The server does not know the method; it may be older than this client."""

    code = grpc.StatusCode.UNIMPLEMENTED


class Internal(MerchlensError):
    """The server failed; its log has the rest under `request_id`."""

    code = grpc.StatusCode.INTERNAL


class DataLoss(MerchlensError):
    """Data lost for good."""

    code = grpc.StatusCode.DATA_LOSS


class Unknown(MerchlensError):
    """A status that says nothing."""

    code = grpc.StatusCode.UNKNOWN


_CLASSES: dict[grpc.StatusCode, type[MerchlensError]] = {kind.code: kind for kind in MerchlensError.__subclasses__()}


def from_rpc_error(error: grpc.RpcError, target: str = "") -> MerchlensError:
    """The named exception for what gRPC raised; `target` is told where nobody answered there."""
    if not isinstance(error, grpc.Call):
        return Unknown(str(error))
    code, message = error.code(), error.details() or ""
    trailers = dict(error.trailing_metadata() or ())
    details = read_details(_bytes(trailers.get(TRAILER)))
    info, retry = details.get("ErrorInfo"), details.get("RetryInfo")
    resource = details.get("ResourceInfo")
    if code is grpc.StatusCode.UNAVAILABLE and info is None:
        message = f"no answer from {target} ({message}); next step: is the server up, and is this its address?"
    return _CLASSES.get(code, Unknown)(
        message,
        reason=info.reason if info is not None else "",
        field_violations=[
            FieldViolation(item.field, item.description) for item in _repeated(details.get("BadRequest"), "field_violations")
        ],
        resource=(resource.resource_type, resource.resource_name) if resource is not None else None,
        preconditions=[item.description for item in _repeated(details.get("PreconditionFailure"), "violations")],
        retry_after_s=retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9 if retry is not None else None,
        request_id=str(info.metadata.get("request_id", "")) if info is not None else "",
    )


def _repeated(message: Any, field: str) -> Iterable[Any]:
    return getattr(message, field) if message is not None else ()


def _bytes(value: str | bytes | None) -> bytes:
    return value if isinstance(value, bytes) else b""
