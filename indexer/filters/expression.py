"""A filter as a tree of typed conditions: what the parser makes, and what the stores translate."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from indexer.filters.schema import Field, FieldType

Ordering: TypeAlias = Literal["<", "<=", ">", ">="]
Value: TypeAlias = str | float | bool

_ORDERINGS: Mapping[Ordering, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Equals:
    """The field has this value, or it is among its values.

    Attributes:
        field: any field; for a CATEGORY the value is the whole path of just that category.
        value: str for KEYWORD and CATEGORY, finite float for NUMBER, bool for BOOL.
    """

    field: Field
    value: Value

    def __post_init__(self) -> None:
        """Check the value against the field's type.

        Raises:
            ValueError: if they do not agree.
        """
        if not _is_of_type(self.value, self.field.type):
            raise ValueError(f"{self.field.path} is of type {self.field.type.name} and cannot equal {self.value!r}")


@dataclass(frozen=True, slots=True)
class Within:
    """The product's category is this one or one below it.

    Attributes:
        field: a CATEGORY field.
        path: names joined by `/`, none empty.
    """

    field: Field
    path: str

    def __post_init__(self) -> None:
        """Check field and path.

        Raises:
            ValueError: if the field is not a category or the path is malformed.
        """
        if self.field.type is not FieldType.CATEGORY or not is_category_path(self.path):
            raise ValueError(f"{self.field.path} ({self.field.type.name}) cannot lie within {self.path!r}")


@dataclass(frozen=True, slots=True)
class Compare:
    """The field has a number on this side of the value.

    Attributes:
        field: a NUMBER field.
        op: `<`, `<=`, `>` or `>=`.
        value: finite.
    """

    field: Field
    op: Ordering
    value: float

    def __post_init__(self) -> None:
        """Check field, operator and value.

        Raises:
            ValueError: if one of them is outside what is permitted.
        """
        if self.op not in _ORDERINGS:
            raise ValueError(f"comparison {self.op!r}; permitted: {', '.join(_ORDERINGS)}")
        if self.field.type is not FieldType.NUMBER or not _is_of_type(self.value, FieldType.NUMBER):
            raise ValueError(f"{self.field.path} ({self.field.type.name}) {self.op} {self.value!r} compares no numbers")


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold; at least two of them."""

    operands: tuple[Expression, ...]

    def __post_init__(self) -> None:
        """Check the number of operands.

        Raises:
            ValueError: if there are fewer than two.
        """
        _check_operands("And", self.operands)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one operand holds; at least two of them."""

    operands: tuple[Expression, ...]

    def __post_init__(self) -> None:
        """Check the number of operands.

        Raises:
            ValueError: if there are fewer than two.
        """
        _check_operands("Or", self.operands)


@dataclass(frozen=True, slots=True)
class Not:
    """The operand does not hold, which includes products that lack the field."""

    operand: Expression


Expression: TypeAlias = Equals | Within | Compare | And | Or | Not


def conjunction(operands: Iterable[Expression]) -> Expression:
    """Join by And in its simplest form: an And among the operands is flattened, a single operand stays as it is.

    Raises:
        ValueError: if there are no operands.
    """
    flat: list[Expression] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, And) else (operand,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(operands: Iterable[Expression]) -> Expression:
    """Join by Or in its simplest form: an Or among the operands is flattened, a single operand stays as it is.

    Raises:
        ValueError: if there are no operands.
    """
    flat: list[Expression] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, Or) else (operand,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def is_category_path(path: str) -> bool:
    """Whether a text is a category: names joined by `/`, none of them empty."""
    return all(path.split("/"))


def matches(expression: Expression, product_fields: Mapping[str, object]) -> bool:
    """Evaluate a filter on one product: the slow reference that every store is compared with.

    Args:
        expression: the filter.
        product_fields: a stored payload,
            `{"product_id": str, "title": str, "category": "shoes/boots", "price": 9.5, "in_stock": True,
            "attributes": {"color": "red" | ["red", "blue"] | 3.0 | True}}`. Any key may be missing or None: then no
            condition on it holds, and its negation does. A list has several values, and a condition holds if it does
            for any of them. Values of another type than the field's match nothing: True is not 1, 3.0 is not "3.0".
    """
    match expression:
        case And(operands):
            return all(matches(operand, product_fields) for operand in operands)
        case Or(operands):
            return any(matches(operand, product_fields) for operand in operands)
        case Not(operand):
            return not matches(operand, product_fields)
        case Equals(field, value):
            return any(held == value for held in _values(field, product_fields))
        case Within(field, path):
            return any(f"{held}/".startswith(f"{path}/") for held in _values(field, product_fields))
        case Compare(field, op, value):
            numbers = (held for held in _values(field, product_fields) if not isinstance(held, str))
            return any(_ORDERINGS[op](held, value) for held in numbers)


def _values(field: Field, product_fields: Mapping[str, object]) -> Iterator[Value]:
    """Yield the product's values of a field, leaving out those that are not of the field's type."""
    if field.is_attribute:
        attributes = product_fields.get("attributes")
        held = attributes.get(field.name) if isinstance(attributes, Mapping) else None
    else:
        held = product_fields.get("product_id" if field.name == "id" else field.name)
    for value in held if isinstance(held, list | tuple) else (held,):
        if _is_of_type(value, field.type):
            yield value


def _is_of_type(value: object, field_type: FieldType) -> bool:
    if field_type is FieldType.BOOL:
        return isinstance(value, bool)
    if field_type is FieldType.NUMBER:
        # bool is a subclass of int, but not a number here.
        # The comparison is also false for NaN, and fails for no integer, however large.
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return isinstance(value, str)


def _check_operands(name: str, operands: tuple[Expression, ...]) -> None:
    if len(operands) < 2:
        raise ValueError(f"{name} has {len(operands)} operands; permitted: 2 or more")
