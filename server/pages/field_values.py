"""What a product has in one field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexer.filters.schema import ATTRIBUTES, Field, FieldType
from indexer.stores.condition import CATEGORY_PATH_KEY, payload_key
from indexer.stores.points import value_name


def words_of(payload: Mapping[str, Any], field: Field) -> tuple[str, ...]:
    """A product's values, each once, as text: of a category its path, of a bool "true" or "false"; none: it has none.

    Args:
        payload: of the product.
        field: any but a NUMBER.
    """
    return tuple(dict.fromkeys(value_name(value) for value in _listed(_value(payload, field))))


def levels_of(payload: Mapping[str, Any], field: Field) -> tuple[str, ...]:
    """As `words_of`, but of a category its path and those of all categories above it."""
    if field.type is FieldType.CATEGORY:
        return tuple(payload.get(CATEGORY_PATH_KEY) or ())
    return words_of(payload, field)


def numbers_of(payload: Mapping[str, Any], field: Field) -> tuple[float, ...]:
    """A product's values in a field of type NUMBER."""
    return tuple(float(value) for value in _listed(_value(payload, field)))


def _value(payload: Mapping[str, Any], field: Field) -> Any:
    if field.is_attribute:
        return (payload.get(ATTRIBUTES) or {}).get(field.name)
    return payload.get(payload_key(field))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
