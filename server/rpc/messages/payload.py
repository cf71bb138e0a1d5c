"""Products' payloads, as callers see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

from indexer.stores.condition import CATEGORY_PATH_KEY
from indexer.stores.points import CONTENT_KEY, INDEX_TIME_KEY

_HIDDEN = frozenset({"product_id", CATEGORY_PATH_KEY, CONTENT_KEY, INDEX_TIME_KEY})
"""Payload keys that are internal to the index."""


def to_struct(payload: Mapping[str, Any]) -> struct_pb2.Struct:
    """Write a payload, without what is internal to the index."""
    struct = struct_pb2.Struct()
    struct.update({key: value for key, value in payload.items() if key not in _HIDDEN})
    return struct


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Read a struct as plain values; numbers are floats."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)
