"""Which fields of products are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.filters.schema import ATTRIBUTES, Schema
from indexer.stores.points import DUPLICATE_SET_KEY
from server.errors import InvalidRequest

FIELDS = ("title", "category", "price", "in_stock", "description", "pictures", DUPLICATE_SET_KEY, ATTRIBUTES)
"""Of a payload, at its top level."""

_EVERYTHING = "*"
_MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class ReadMask:
    """What is given of a payload.

    Attributes:
        fields: at its top level; None: everything.
        attributes: by name.
    """

    fields: frozenset[str] | None = None
    attributes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, paths: Sequence[str], schema: Schema) -> ReadMask:
        """Read a mask; no paths, or "*" among them: everything.

        Raises:
            InvalidRequest: READ_MASK_UNKNOWN_FIELD.
        """
        fields, attributes = set(), set()
        for path in paths:
            name = path.removeprefix(f"{ATTRIBUTES}.")
            if path in FIELDS:
                fields.add(path)
            elif name in schema.attributes:
                attributes.add(name)
            elif path != _EVERYTHING:
                raise InvalidRequest("READ_MASK_UNKNOWN_FIELD", "read_mask", _unknown(path, schema))
        return cls() if not paths or _EVERYTHING in paths else cls(frozenset(fields), frozenset(attributes))

    def apply(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What of a payload is given."""
        if self.fields is None:
            return payload
        kept = {key: value for key, value in payload.items() if key in self.fields}
        held = payload.get(ATTRIBUTES)
        if self.attributes and held and ATTRIBUTES not in self.fields:
            kept[ATTRIBUTES] = {name: value for name, value in held.items() if name in self.attributes}
        return kept


def _unknown(path: str, schema: Schema) -> str:
    known = [*FIELDS, *schema.attributes]
    listed = ", ".join(known[:_MOST_LISTED])
    if len(known) > _MOST_LISTED:
        listed += f" and {len(known) - _MOST_LISTED} more"
    nearest = schema.nearest(path)
    advice = f"did you mean {nearest}? " if nearest else ""
    return f"no field {path[:80]!r}; {advice}permitted: {listed}, or * for all"
