"""Products' payloads as plain Python values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from google.protobuf import struct_pb2

AttributeValue = str | float | bool | tuple[str, ...]
"""One attribute: a word, a number, yes or no, or several words."""


class ProductFields(TypedDict):
    """What every product has a place for; see `Hit`."""

    title: str
    category: str | None
    price: float | None
    in_stock: bool | None
    attributes: Mapping[str, AttributeValue]
    payload: Mapping[str, object]


def read_payload(struct: struct_pb2.Struct) -> ProductFields:
    """Read a payload; a value of an unexpected type stays in `payload` and counts as not given."""
    payload = to_dict(struct)
    title, category = payload.get("title"), payload.get("category")
    price, in_stock = payload.get("price"), payload.get("in_stock")
    return {
        "title": title if isinstance(title, str) else "",
        "category": category if isinstance(category, str) else None,
        "price": price if isinstance(price, float) else None,
        "in_stock": in_stock if isinstance(in_stock, bool) else None,
        "attributes": _to_attributes(payload.get("attributes")),
        "payload": payload,
    }


def to_dict(struct: struct_pb2.Struct) -> dict[str, object]:
    """A struct as plain values; numbers are floats."""
    return {key: _to_object(value) for key, value in struct.fields.items()}


def _to_object(value: struct_pb2.Value) -> object:
    # Not json_format: that one fails on NaN and infinity.
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return to_dict(value.struct_value)
    if kind == "list_value":
        return [_to_object(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def _to_attributes(value: object) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {}
    for name, item in value.items() if isinstance(value, dict) else ():
        if isinstance(item, list):
            attributes[name] = tuple(word for word in item if isinstance(word, str))
        elif isinstance(item, str | float | bool):
            attributes[name] = item
    return attributes
