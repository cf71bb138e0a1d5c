"""Which payload keys a store indexes: the built-in fields, and at most `MOST_ATTRIBUTES` of the catalog's attributes.

Measured with Edge 0.9 (384 dims): an indexed attribute costs 10 files, 7 MB of holes, 50 kB on disk, 13 ms each time
the version is opened, and 25 ms of the build for each 1,000 products. A filter on an attribute without index is
answered all the same, by looking at every product: 6 ms for each 1,000 products, against 0.1 to 0.3 ms with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from indexer.filters.schema import Field, FieldType, Schema
from indexer.stores.condition import CATEGORY_PATH_KEY, payload_key

MOST_ATTRIBUTES = 64


@dataclass(frozen=True, slots=True)
class PayloadIndexes:
    """What a store indexes and what it leaves out.

    Attributes:
        keys: payload key to the type of its values; `FieldType.CATEGORY` does not occur, its keys hold keywords.
        left_out: plain names of the attributes that filters can reach and that are not indexed, in order.
    """

    keys: Mapping[str, FieldType]
    left_out: tuple[str, ...]

    def describe(self) -> str:
        """What is left out, for people; "" where nothing is."""
        if not self.left_out:
            return ""
        named = ", ".join(self.left_out[:20]) + (", …" if len(self.left_out) > 20 else "")
        return (
            f"{len(self.left_out):,} of {len(self.left_out) + MOST_ATTRIBUTES:,} attributes are not indexed ({named}): "
            "a filter on one looks at every product, about 6 ms for each 1,000"
        )


def counted_key(field: Field, schema: Schema, ids: bool = False) -> str | None:
    """The payload key by which a field's values are counted; None where no index does that.

    Args:
        field: of a catalog.
        schema: of the same catalog.
        ids: see `choose_payload_indexes`.
    """
    if field.type is FieldType.CATEGORY:
        return CATEGORY_PATH_KEY
    # Numbers are indexed for ranges, which counts none of them.
    if field.type is FieldType.NUMBER or (field.is_attribute and field.name not in schema.attributes):
        return None
    key = payload_key(field)
    return key if key in choose_payload_indexes(schema, ids=ids).keys else None


def choose_payload_indexes(
    schema: Schema, filled: Mapping[str, int] | None = None, ids: bool = False
) -> PayloadIndexes:
    """Choose for one catalog.

    Args:
        schema: its fields.
        filled: how many products have the attribute, by plain name: the ones that most have come first. None, or
            among equals: by name.
        ids: whether the product id is indexed too, for engines that find points by a payload key.
    """
    keys = {"category": FieldType.KEYWORD, CATEGORY_PATH_KEY: FieldType.KEYWORD}
    attributes = []
    for field in schema.fields():
        if field.is_attribute:
            attributes.append(field)
        elif field.type is not FieldType.CATEGORY and field.name != "title" and (ids or field.name != "id"):
            keys[payload_key(field)] = field.type
    counts = filled or {}
    attributes.sort(key=lambda field: (-counts.get(field.name, 0), field.name))
    keys |= {payload_key(field): field.type for field in attributes[:MOST_ATTRIBUTES]}
    return PayloadIndexes(keys, tuple(sorted(field.name for field in attributes[MOST_ATTRIBUTES:])))
