"""Details of a failed call, out of the `grpc-status-details-bin` trailer.

The trailer holds a `google.rpc.Status` (https://google.aip.dev/193). Its few messages are described here, in a
descriptor pool of their own: the package googleapis-common-protos is not needed, and where it is installed as well,
neither sees the other's descriptors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, message_factory
from google.protobuf.message import DecodeError

DETAILS_TRAILER = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One request field outside its range.

    Attributes:
        field: path in the request message, as in "parts[0].text".
        description: the value, what is permitted, for people.
    """

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that the call is about, usually something that is not there.

    Attributes:
        type: "product" or "catalog".
        name: as the caller gave it.
    """

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Precondition:
    """One thing about the server's state that has to change before the call can succeed.

    Attributes:
        type: UPPER_SNAKE, as in "INDEX_MISSING".
        subject: what is in the wrong state, as in "index".
        description: for people.
    """

    type: str
    subject: str
    description: str


@dataclass(frozen=True, slots=True)
class StatusDetails:
    """What a status says beyond its code.

    Attributes:
        message: of the status, for people; "" where there is none.
        reason: UPPER_SNAKE, stable; "" where there is none.
        request_id: under which the server logged the call; "" where it did not say.
        field_violations: in the server's order.
        resource: what the call is about; None where the server did not say.
        preconditions: in the server's order.
        retry_after_s: seconds to wait before the next attempt, 0 or more; None where the server gave none.
        code: the gRPC status, as a number.
    """

    message: str = ""
    reason: str = ""
    request_id: str = ""
    field_violations: tuple[FieldViolation, ...] = ()
    resource: Resource | None = None
    preconditions: tuple[Precondition, ...] = ()
    retry_after_s: float | None = None
    code: int = 0


def read_details(trailers: Iterable[tuple[str, str | bytes]]) -> StatusDetails:
    """The details among a call's trailing metadata; empty ones where the trailer is missing or not readable."""
    for key, value in trailers:
        if key == DETAILS_TRAILER and isinstance(value, bytes):
            return decode_status(value)
    return StatusDetails()


def decode_status(data: bytes) -> StatusDetails:
    """Read a serialized `google.rpc.Status`.

    Never raises: an unreadable status gives empty details, an unreadable or unknown detail is skipped, because
    a fault in the explanation of an error must not hide the error.
    """
    status = _parsed("google.rpc.Status", data)
    if status is None:
        return StatusDetails()
    found: dict[str, list[Any]] = {name: [] for name in _DETAIL_NAMES}
    for packed in status.details:
        name = packed.type_url.rpartition("/")[2]
        if name in found and (detail := _parsed(name, packed.value)) is not None:
            found[name].append(detail)
    info, bad, retry, resource, precondition = (found[name] for name in _DETAIL_NAMES)
    return StatusDetails(
        message=status.message,
        reason=info[0].reason if info else "",
        request_id=info[0].metadata.get("request_id", "") if info else "",
        field_violations=tuple(
            FieldViolation(item.field, item.description) for detail in bad for item in detail.field_violations
        ),
        resource=Resource(resource[0].resource_type, resource[0].resource_name) if resource else None,
        preconditions=tuple(
            Precondition(item.type, item.subject, item.description)
            for detail in precondition
            for item in detail.violations
        ),
        retry_after_s=_seconds(retry[0].retry_delay) if retry else None,
        code=status.code,
    )


def _seconds(duration: Any) -> float:
    return max(0.0, float(duration.seconds + duration.nanos / 1e9))


def _parsed(name: str, data: bytes) -> Any | None:
    message = _CLASSES[name]()
    try:
        message.ParseFromString(data)
    except (DecodeError, ValueError):
        # protobuf's pure-Python implementation gives a UnicodeDecodeError for a string that is not UTF-8.
        return None
    return message


_Field = descriptor_pb2.FieldDescriptorProto
_INT32 = _Field.TYPE_INT32
_STRING = _Field.TYPE_STRING


def _one(name: str, number: int, kind: str | _Field.Type.ValueType = _STRING) -> _Field:
    """A field; `kind` is a scalar type, or the full name of a message type."""
    field = _Field(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if isinstance(kind, str):
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{kind}"
    else:
        field.type = kind
    return field


def _many(name: str, number: int, kind: str) -> _Field:
    field = _one(name, number, kind)
    field.label = _Field.LABEL_REPEATED
    return field


def _message(name: str, *fields: _Field, nested: descriptor_pb2.DescriptorProto | None = None) -> Any:
    return descriptor_pb2.DescriptorProto(name=name, field=fields, nested_type=[nested] if nested else [])


def _describe() -> descriptor_pool.DescriptorPool:
    """The messages of google/rpc/status.proto and google/rpc/error_details.proto that Merchlens sends."""
    entry = _message("MetadataEntry", _one("key", 1), _one("value", 2))
    entry.options.map_entry = True
    field_violation = _message("FieldViolation", _one("field", 1), _one("description", 2))
    violation = _message("Violation", _one("type", 1), _one("subject", 2), _one("description", 3))
    file = descriptor_pb2.FileDescriptorProto(
        name="merchlens/status_details.proto",
        package="google.rpc",
        syntax="proto3",
        dependency=[any_pb2.DESCRIPTOR.name, duration_pb2.DESCRIPTOR.name],
        message_type=[
            _message("Status", _one("code", 1, _INT32), _one("message", 2), _many("details", 3, "google.protobuf.Any")),
            _message(
                "ErrorInfo",
                _one("reason", 1),
                _one("domain", 2),
                _many("metadata", 3, "google.rpc.ErrorInfo.MetadataEntry"),
                nested=entry,
            ),
            _message(
                "BadRequest",
                _many("field_violations", 1, "google.rpc.BadRequest.FieldViolation"),
                nested=field_violation,
            ),
            _message("RetryInfo", _one("retry_delay", 1, "google.protobuf.Duration")),
            _message("ResourceInfo", _one("resource_type", 1), _one("resource_name", 2)),
            _message(
                "PreconditionFailure",
                _many("violations", 1, "google.rpc.PreconditionFailure.Violation"),
                nested=violation,
            ),
        ],
    )
    pool = descriptor_pool.DescriptorPool()
    for serialized in (any_pb2.DESCRIPTOR.serialized_pb, duration_pb2.DESCRIPTOR.serialized_pb):
        pool.AddSerializedFile(serialized)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_DETAIL_NAMES = (
    "google.rpc.ErrorInfo",
    "google.rpc.BadRequest",
    "google.rpc.RetryInfo",
    "google.rpc.ResourceInfo",
    "google.rpc.PreconditionFailure",
)
_POOL = _describe()
_CLASSES: dict[str, Any] = {
    name: message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))
    for name in ("google.rpc.Status", *_DETAIL_NAMES)
}
