"""How many products have which value of a field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from indexer.filters.expression import Expression
from indexer.filters.schema import Field, FieldType
from indexer.stores.protocol import VersionReader
from server.pages.field_values import levels_of, numbers_of

DEFAULT_VALUES = 20
MOST_VALUES = 1_000

Scope = Literal["candidates", "filter"]
"""Which products are counted: a query's candidates, or all that its filter lets through, however far from the query."""


@dataclass(frozen=True, slots=True)
class FacetAsked:
    """What is to be counted.

    Attributes:
        name: of the field, as it was asked for.
        field: of which the values are counted.
        most_values: how many values are given at most.
        scope: see there.
    """

    name: str
    field: Field
    most_values: int = DEFAULT_VALUES
    scope: Scope = "candidates"


@dataclass(frozen=True, slots=True)
class Facet:
    """What was counted.

    Attributes:
        asked: what was to be counted.
        products: how many there are, with and without a value.
        values: value to the number of products that have it, the most first, ties by value; empty for numbers.
        has_more: whether there are values beside these.
        without: how many products have no value; None: not counted.
        numbers: the smallest and the largest number; None where there is none.
    """

    asked: FacetAsked
    products: int
    values: Mapping[str, int]
    has_more: bool = False
    without: int | None = None
    numbers: tuple[float, float] | None = None


def count_candidates(payloads: Sequence[Mapping[str, Any]], asked: FacetAsked) -> Facet:
    """Count products by their payloads; one with several values counts for each."""
    if asked.field.type is FieldType.NUMBER:
        found = [numbers_of(payload, asked.field) for payload in payloads]
        numbers = [number for each in found for number in each]
        spread = (min(numbers), max(numbers)) if numbers else None
        return Facet(asked, len(payloads), {}, without=sum(not each for each in found), numbers=spread)
    counts: Counter[str] = Counter()
    without = 0
    for payload in payloads:
        values = levels_of(payload, asked.field)
        counts.update(values)
        without += not values
    return _facet(asked, len(payloads), counts, without)


def count_filtered(reader: VersionReader, where: Expression | None, asked: FacetAsked) -> Facet:
    """Count all products that a filter lets through, in the engine.

    Args:
        reader: of the version.
        where: the filter; None: all products.
        asked: of a field that `VersionReader.counts_values_of`.
    """
    counts = reader.count_values(asked.field, asked.most_values + 1, where)
    return _facet(asked, reader.count(where), counts, None)


def _facet(asked: FacetAsked, products: int, counts: Mapping[str, int], without: int | None) -> Facet:
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return Facet(asked, products, dict(ranked[: asked.most_values]), len(ranked) > asked.most_values, without)
