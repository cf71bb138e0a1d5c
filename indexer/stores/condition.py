"""A filter in the shape of Qdrant's filter model, free of both engines' types.

The two stores that use Qdrant (in-process and over gRPC) translate these four dataclasses one to one. Source of
the model: Qdrant's documentation, "Filtering" (clauses must, should, must_not; conditions match and range; nested key).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from indexer.filters.expression import And, Compare, Equals, Expression, Not, Or, Within
from indexer.filters.schema import ATTRIBUTES, Field, FieldType

CATEGORY_PATH_KEY = "category_path"
"""Payload key with the category and all above it: `["shoes", "shoes/boots"]`."""

_BUILT_IN_KEYS = {
    "id": "product_id",
    "title": "title",
    "category": "category",
    "price": "price",
    "in_stock": "in_stock",
}
_UNQUOTED_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class MatchNode:
    """The payload's value at the key, or one of its values, is this one; exact, also in letter case."""

    key: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class RangeNode:
    """The payload's number at the key, or one of its numbers, lies within all bounds that are not None."""

    key: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """Every `must` holds, no `must_not` holds, and at least one `should` if there are any."""

    must: tuple[Node, ...] = ()
    should: tuple[Node, ...] = ()
    must_not: tuple[Node, ...] = ()


Node: TypeAlias = Clause | MatchNode | RangeNode


def to_condition(expression: Expression) -> Clause:
    """Lower a filter to one clause, which stands for Qdrant's `Filter`.

    A top-level And spreads over `must` and `must_not`, an Or fills `should`; what is nested becomes a clause within.
    """
    match expression:
        case And(operands):
            return Clause(
                must=tuple(_node(operand) for operand in operands if not isinstance(operand, Not)),
                must_not=tuple(_node(operand.operand) for operand in operands if isinstance(operand, Not)),
            )
        case Or(operands):
            return Clause(should=tuple(_node(operand) for operand in operands))
        case Not(operand):
            return Clause(must_not=(_node(operand),))
        case _:
            return Clause(must=(_node(expression),))


def payload_key(field: Field) -> str:
    """The payload key of a field, as a JSON path of Qdrant.

    Attribute names other than `[A-Za-z0-9_-]+` are quoted. Such a path has no escape; names that would need one
    (double quote, backslash) are refused by `Schema.resolve`.

    Raises:
        ValueError: for an attribute name that the path cannot hold.
    """
    if not field.is_attribute:
        return _BUILT_IN_KEYS[field.name]
    if _UNQUOTED_KEY.fullmatch(field.name):
        return f"{ATTRIBUTES}.{field.name}"
    if field.name == "" or '"' in field.name or "\\" in field.name:
        raise ValueError(f"attribute name {field.name!r} has no payload key: it is empty or holds a quote or backslash")
    return f'{ATTRIBUTES}."{field.name}"'


def _node(expression: Expression) -> Node:
    match expression:
        case Equals(field, value):
            if field.type is FieldType.NUMBER:
                # Qdrant matches integers, strings and bools, but no floats.
                return RangeNode(payload_key(field), gte=float(value), lte=float(value))
            return MatchNode(payload_key(field), value if isinstance(value, bool) else str(value))
        case Within(_, path):
            return MatchNode(CATEGORY_PATH_KEY, path)
        case Compare(field, op, value):
            key = payload_key(field)
            return {
                "<": RangeNode(key, lt=value),
                "<=": RangeNode(key, lte=value),
                ">": RangeNode(key, gt=value),
                ">=": RangeNode(key, gte=value),
            }[op]
        case _:
            return to_condition(expression)
