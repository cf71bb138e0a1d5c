"""Products as the stores keep them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from embedder.catalogs.product import AttributeKind, AttributeValue, Product, kind_of_value
from indexer.filters.schema import FieldType, Schema
from indexer.stores.condition import CATEGORY_PATH_KEY

Payload = dict[str, Any]

FIELD_TYPES = {
    AttributeKind.TEXT: FieldType.KEYWORD,
    AttributeKind.NUMBER: FieldType.NUMBER,
    AttributeKind.BOOL: FieldType.BOOL,
}


def to_payload(product: Product, schema: Schema) -> Payload:
    """A product without its pictures, JSON-able; what the catalog did not give is absent.

    Args:
        product: the product.
        schema: of the whole catalog: values of keyword attributes become words, whatever this product has. What it does
            not know stays as it is.
    """
    payload: Payload = {
        "product_id": product.id,
        "title": product.title,
        "pictures": [item.name for item in product.pictures],
    }
    if product.description:
        payload["description"] = product.description
    if product.category is not None:
        payload["category"] = product.category
        # So that one keyword match finds a category with all below it.
        levels = product.category.split("/")
        payload[CATEGORY_PATH_KEY] = ["/".join(levels[: depth + 1]) for depth in range(len(levels))]
    if product.price is not None:
        payload["price"] = _kept(product.price)
    if product.in_stock is not None:
        payload["in_stock"] = product.in_stock
    if product.attributes:
        payload["attributes"] = {
            name: _coerced(value, schema.attributes.get(name, FIELD_TYPES[kind_of_value(value)]))
            for name, value in product.attributes.items()
        }
    return payload


def _coerced(value: AttributeValue, kind: FieldType) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if kind is not FieldType.KEYWORD or isinstance(value, str):
        return _kept(value) if isinstance(value, float) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if value.is_integer() else str(value)


def _kept(number: float) -> float:
    """A number as the engines give it back, to 15 digits.

    They keep it as decimal text, and read the last digit of a longer one wrongly: 1.3599999999999999 came back as 1.36,
    and the product was another one than had been counted.
    """
    rounded = float(f"{number:.15g}")
    # The very largest would be rounded to more than there is.
    return rounded if isfinite(rounded) else number


class SchemaBuilder:
    """Collects the attributes' types, product by product.

    An attribute whose values differ in kind becomes a keyword field, so that filters see one kind only.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, set[FieldType]] = {}

    def add(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Add one product's attributes."""
        for name, value in attributes.items():
            self.add_kinds(name, {kind_of_value(value)})

    def add_kinds(self, name: str, kinds: Iterable[AttributeKind]) -> None:
        """Add the kinds of an attribute's values."""
        self._kinds.setdefault(name, set()).update(FIELD_TYPES[kind] for kind in kinds)

    def schema(self) -> Schema:
        """The attributes added so far, each with its type."""
        return Schema(
            {
                name: next(iter(kinds)) if len(kinds) == 1 else FieldType.KEYWORD
                for name, kinds in sorted(self._kinds.items())
            }
        )
