"""Products' payloads, as callers see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

from indexer.stores.condition import CATEGORY_PATH_KEY
from indexer.stores.points import CONTENT_KEY

_HIDDEN = frozenset({"product_id", CATEGORY_PATH_KEY, CONTENT_KEY})
"""Payload keys that are internal to the index."""


def to_struct(payload: Mapping[str, Any]) -> struct_pb2.Struct:
    """Write a payload, without what is internal to the index."""
    struct = struct_pb2.Struct()
    struct.update({key: value for key, value in payload.items() if key not in _HIDDEN})
    return struct
