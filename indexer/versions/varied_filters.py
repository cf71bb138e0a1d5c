"""Filters that a catalog's own products suggest, from ones that most products pass to ones that few do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import log
from typing import Any

import numpy as np

from indexer.filters.expression import Compare, Equals, Expression, Within, is_category_path
from indexer.filters.schema import ATTRIBUTES, Field, FieldType, Schema
from indexer.stores.condition import CATEGORY_PATH_KEY, payload_key
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.stores.protocol import Payload

FIELDS = (CATEGORY_PATH_KEY, "price", "in_stock", ATTRIBUTES)
"""Of payloads, which are looked at."""

SHARES = (0.5, 0.2, 0.05, 0.01)
"""Of the products, that a filter should pass."""

_BELOW = (0.1, 0.5)
"""Shares of the products that have a number, below which the number of a filter lies."""

_MOST = 0.95
_FEWEST = 3
"""Products of the sample that pass: with fewer, the share is a guess."""


def varied_filters(schema: Schema, payloads: Sequence[Payload]) -> list[Expression]:
    """One filter for each of `SHARES`, where the catalog has such.

    Args:
        schema: of the catalog; attributes that are not indexed are left out, as filters on them look at every product.
        payloads: of a sample of the products.
    """
    if not payloads:
        return []
    passed = _counted(schema, payloads)
    usual = [name for name, count in passed.items() if _FEWEST <= count <= _MOST * len(payloads)]
    chosen: list[Expression] = []
    for share in SHARES:
        left = [name for name in usual if name not in chosen]
        # No further off than the next share.
        near = [name for name in left if abs(log(passed[name] / len(payloads) / share)) < log(2.5)]
        if near:
            chosen.append(min(near, key=lambda name: abs(log(passed[name] / len(payloads) / share))))
    return chosen


def _counted(schema: Schema, payloads: Sequence[Payload]) -> Counter[Expression]:
    """Filters on one field each, with how many of the payloads pass."""
    counted: Counter[Expression] = Counter()
    indexed = choose_payload_indexes(schema).keys
    for field in schema.fields():
        if field.type is FieldType.CATEGORY:
            counted.update(
                Within(field, path)
                for payload in payloads
                for path in set(payload.get(CATEGORY_PATH_KEY) or ())
                if is_category_path(path)
            )
        elif payload_key(field) not in indexed:
            continue
        elif field.type is FieldType.NUMBER:
            counted.update(_numbers(field, payloads))
        else:
            counted.update(
                Equals(field, value)
                for payload in payloads
                for value in set(_values(field, payload))
                if isinstance(value, bool) == (field.type is FieldType.BOOL)
            )
    return counted


def _numbers(field: Field, payloads: Sequence[Payload]) -> Iterator[Expression]:
    held = [[float(value) for value in _values(field, payload)] for payload in payloads]
    present = [min(values) for values in held if values]
    if not present:
        return
    for share in _BELOW:
        bound = float(np.quantile(present, share))
        yield from (Compare(field, "<=", bound) for lowest in present if lowest <= bound)


def _values(field: Field, payload: Payload) -> list[Any]:
    held = payload.get(ATTRIBUTES) or {} if field.is_attribute else payload
    value = held.get(field.name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
