"""Reading `google.rpc.Status` details with protobuf alone.

The few messages are described here, in a descriptor pool of their own: the package that usually brings them need not
be installed, and where it is, nothing clashes. Source: google/rpc/status.proto and error_details.proto, AIP-193.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, message_factory
from google.protobuf.message import DecodeError, Message

TRAILER = "grpc-status-details-bin"

_FIELD = descriptor_pb2.FieldDescriptorProto
_STRING, _INT32, _MESSAGE = _FIELD.TYPE_STRING, _FIELD.TYPE_INT32, _FIELD.TYPE_MESSAGE


def read_details(trailer: bytes) -> dict[str, Any]:
    """Messages by name ("ErrorInfo", "BadRequest", ...) out of the trailer; what is unknown or broken is left out."""
    status = _CLASSES["Status"]()
    try:
        status.ParseFromString(trailer)
    except DecodeError:
        return {}
    found: dict[str, Any] = {}
    for item in status.details:  # type: ignore[attr-defined]
        name = item.type_url.rpartition("/google.rpc.")[2]
        if name not in _CLASSES:
            continue
        message = _CLASSES[name]()
        try:
            message.ParseFromString(item.value)
        except DecodeError:
            continue
        found[name] = message
    return found


def _message(file: descriptor_pb2.FileDescriptorProto, name: str, *fields: tuple[str, int, Any, str, bool]) -> None:
    described = file.message_type.add(name=name)
    for field_name, number, kind, type_name, repeated in fields:
        label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
        field = described.field.add(name=field_name, number=number, type=kind, label=label)
        if type_name:
            field.type_name = type_name


def _build() -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(
        name="merchlens/rpc_status.proto",
        package="google.rpc",
        syntax="proto3",
        dependency=["google/protobuf/any.proto", "google/protobuf/duration.proto"],
    )
    _message(
        file,
        "Status",
        ("code", 1, _INT32, "", False),
        ("message", 2, _STRING, "", False),
        ("details", 3, _MESSAGE, ".google.protobuf.Any", True),
    )
    _message(
        file,
        "ErrorInfo",
        ("reason", 1, _STRING, "", False),
        ("domain", 2, _STRING, "", False),
        ("metadata", 3, _MESSAGE, ".google.rpc.ErrorInfo.MetadataEntry", True),
    )
    entry = file.message_type[-1].nested_type.add(name="MetadataEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_STRING, label=_FIELD.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=_STRING, label=_FIELD.LABEL_OPTIONAL)
    _message(file, "RetryInfo", ("retry_delay", 1, _MESSAGE, ".google.protobuf.Duration", False))
    _message(file, "FieldViolation", ("field", 1, _STRING, "", False), ("description", 2, _STRING, "", False))
    _message(file, "BadRequest", ("field_violations", 1, _MESSAGE, ".google.rpc.FieldViolation", True))
    _message(
        file,
        "ResourceInfo",
        ("resource_type", 1, _STRING, "", False),
        ("resource_name", 2, _STRING, "", False),
        ("owner", 3, _STRING, "", False),
        ("description", 4, _STRING, "", False),
    )
    _message(
        file,
        "PreconditionViolation",
        ("type", 1, _STRING, "", False),
        ("subject", 2, _STRING, "", False),
        ("description", 3, _STRING, "", False),
    )
    _message(file, "PreconditionFailure", ("violations", 1, _MESSAGE, ".google.rpc.PreconditionViolation", True))
    pool = descriptor_pool.DescriptorPool()
    for known in (any_pb2, duration_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {
        described.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"google.rpc.{described.name}"))
        for described in file.message_type
    }


_CLASSES = _build()
