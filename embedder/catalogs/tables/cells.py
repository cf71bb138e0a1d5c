"""Columns of Arrow tables to what a catalog's rows are made of: texts, numbers, lists, pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pyarrow as pa
from pyarrow import types

from embedder.catalogs.product import AttributeKind
from embedder.catalogs.rows.cell import shown
from embedder.catalogs.rows.places import EmbeddedPicture
from embedder.catalogs.rows.row import ATTRIBUTES

Values = Callable[[Any], list[object]]
"""From an Arrow array to its values."""

# What pyarrow raises where a value is not what its column's type says, or has no like in Python.
_UNREADABLE = (ValueError, OverflowError, TypeError, KeyError, pa.ArrowException)


class Role(Enum):
    """What a column is for."""

    FIELD = "field"
    PICTURE = "picture"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that makes its row unreadable, and why."""

    detail: str


def reads_as_attribute(name: str, kind: Any) -> bool:
    """Whether a column of this type may become an attribute: one text, number, date, yes or no, or a list of texts.

    A column called `attributes` may hold an object or a map, which is taken apart.
    """
    kind = _storage(kind)
    if name == ATTRIBUTES and (types.is_struct(kind) or types.is_map(kind)):
        return True
    if _is_list(kind):
        return _is_text(_storage(kind.value_type)) or types.is_null(kind.value_type)
    return _is_single(kind)


def reads_kind(kind: Any) -> AttributeKind:
    """What attributes of this type are."""
    kind = _storage(kind)
    if types.is_boolean(kind):
        return AttributeKind.BOOL
    return AttributeKind.NUMBER if _is_number(kind) else AttributeKind.TEXT


def column_values(array: Any, role: Role, labels: Sequence[str] | None = None) -> list[object]:
    """The values of a column, as rows hold them; None where there is none.

    Args:
        array: of any type.
        role: of a picture column bytes are pictures; of a field they are UTF-8.
        labels: names of whole numbers from 0 on (a data set's class labels); -1 stands for none.
    """
    if labels is not None and types.is_integer(array.type):
        return [_labelled(value, labels) for value in array.to_pylist()]
    values = _values(array)
    if role is Role.PICTURE:
        return [_pictures(value) for value in values]
    if role is Role.FIELD:
        return [_text(value) if isinstance(value, bytes) else value for value in values]
    return values


def _values(array: Any) -> list[object]:
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _uuids(array) if kind.extension_name == "arrow.uuid" else _values(array.storage)
    if types.is_dictionary(kind):
        return _values(array.dictionary_decode())
    if types.is_float32(kind) or types.is_float16(kind):
        # 12.9 is 12.899999618530273 as the nearest float of 32 bits; its shortest spelling is what was meant.
        return [None if value is None else float(str(value)) for value in _floats(array)]
    if types.is_temporal(kind):
        return _times(array)
    return [_plain(value) for value in _python_values(array)]


def _python_values(array: Any) -> list[object]:
    try:
        return list(array.to_pylist())
    except _UNREADABLE:
        return [_python_value(value) for value in array]


def _python_value(value: Any) -> object:
    try:
        found: object = value.as_py()
    except UnicodeDecodeError as error:
        return Unreadable(f"not UTF-8: byte 0x{error.object[error.start]:02x} at byte {error.start + 1} of the value")
    except _UNREADABLE as error:
        return Unreadable(f"a value that cannot be read: {str(error)[:200]}")
    return found


def _floats(array: Any) -> list[Any]:
    numbers = array.to_numpy(zero_copy_only=False)
    return [value if is_given else None for value, is_given in zip(numbers, array.is_valid().to_pylist(), strict=True)]


def _uuids(array: Any) -> list[object]:
    return [None if value is None else str(UUID(bytes=value)) for value in array.storage.to_pylist()]


def _times(array: Any) -> list[object]:
    """Dates and times as texts; of a time zone, the instant in UTC."""
    try:
        if types.is_timestamp(array.type) and array.type.tz is not None:
            instants = array.cast(pa.timestamp(array.type.unit)).cast(pa.string()).to_pylist()
            return [None if text is None else f"{_shortest(text)}Z" for text in instants]
        return [None if text is None else _shortest(text) for text in array.cast(pa.string()).to_pylist()]
    except _UNREADABLE:
        return [None if value is None else _plain(value) for value in _python_values(array)]


def _shortest(text: str) -> str:
    """A time without a fraction of zeros, which only says in which unit a file keeps it."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain(value: object) -> object:
    """A value of Python's as JSON knows it; bytes stay."""
    if value is None or isinstance(value, str | bool | int | float | bytes | Unreadable):
        return value
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return _from_list(value)
    return str(value)


def _from_list(value: list[Any]) -> object:
    if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
        # A map: what it is to JSON is an object.
        keys = [str(key) for key, _ in value]
        if len(set(keys)) < len(keys):
            repeated = next(key for key in keys if keys.count(key) > 1)
            return Unreadable(f"the key {shown(repeated)} is given twice")
        return {key: _plain(item) for key, (_, item) in zip(keys, value, strict=True)}
    return [_plain(item) for item in value]


def _pictures(value: object) -> object:
    """What a picture column's value is to `NamedPictures`."""
    if isinstance(value, bytes):
        return EmbeddedPicture(value)
    if isinstance(value, list):
        return [_pictures(item) for item in value]
    if isinstance(value, dict) and value and value.keys() <= {"bytes", "path"}:
        data, path = value.get("bytes"), value.get("path")
        if isinstance(data, bytes):
            return EmbeddedPicture(data, path if isinstance(path, str) else "")
        return path
    return value


def _text(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        return Unreadable(f"not UTF-8: byte 0x{value[error.start]:02x} at byte {error.start + 1} of the value")


def _labelled(value: object, labels: Sequence[str]) -> object:
    if value is None or value == -1:
        return None
    if isinstance(value, int) and 0 <= value < len(labels):
        return labels[value]
    return Unreadable(f"class label {value}; permitted: 0 to {len(labels) - 1}, or -1 for none")


def _storage(kind: Any) -> Any:
    while True:
        if isinstance(kind, pa.BaseExtensionType) and kind.extension_name != "arrow.uuid":
            kind = kind.storage_type
        elif types.is_dictionary(kind):
            kind = kind.value_type
        else:
            return kind


def _is_text(kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_list(kind: Any) -> bool:
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


def _is_number(kind: Any) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _is_single(kind: Any) -> bool:
    return (
        _is_text(kind)
        or _is_number(kind)
        or bool(types.is_boolean(kind) or types.is_temporal(kind) or types.is_null(kind))
        or isinstance(kind, pa.BaseExtensionType)
    )
