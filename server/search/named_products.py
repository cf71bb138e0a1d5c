"""Products that a text names by what only they have: an id, or a number that the shop or the trade gave them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from indexer.filters.expression import Equals, Expression, Or, matches
from indexer.filters.schema import Field, FieldType
from indexer.stores.condition import payload_key
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.stores.points import IMAGE, TITLE, to_scored
from indexer.stores.protocol import QueryPart, Scored, Stored, VersionReader
from server.search.encoded_part import EncodedPart

IDENTIFIERS = frozenset(
    {
        "articleno", "articlenumber", "articlenr", "artnr", "asin", "barcode", "ean", "ean8", "ean13", "gtin", "gtin8",
        "gtin12", "gtin13", "gtin14", "isbn", "isbn10", "isbn13", "itemno", "itemnumber", "jan", "modelnumber", "mpn",
        "partnumber", "productcode", "productnumber", "sku", "stockcode", "upc",
    }
)  # fmt: skip
"""What attributes are called whose values name products; letter case and all but letters and digits aside."""

MOST_NAMED = 10
"""Products that a text may name: variants often share a number."""

_MOST_CHARS = 128
_LEAST_CHARS = 4
"""Of a number: shorter ones are sizes and years."""


class NamedProducts:
    """Looks names up in one version. Calls from several threads are allowed."""

    def __init__(self, reader: VersionReader) -> None:
        self._reader = reader
        schema = reader.manifest.schema
        indexed = choose_payload_indexes(schema).keys
        self._fields = [
            field
            for field in schema.fields()
            if field.is_attribute
            and re.sub(r"[^a-z0-9]", "", field.name.lower()) in IDENTIFIERS
            and payload_key(field) in indexed
        ]

    def find(self, part: EncodedPart, where: Expression | None) -> list[Scored]:
        """The products that a text names and a filter lets through, with their scores; none for other queries."""
        text = (part.text or "").strip()
        if not self._may_name(text):
            return []
        return [self._scored(part, item) for item in self._held(text) if where is None or matches(where, item.payload)]

    @staticmethod
    def _may_name(text: str) -> bool:
        """Whether it is worth a look: most texts are words, and are to cost nothing."""
        return 0 < len(text) <= _MOST_CHARS and (any(map(str.isdigit, text)) or not any(map(str.isspace, text)))

    def _held(self, text: str) -> Sequence[Stored]:
        spellings = list(dict.fromkeys([text, text.upper(), text.lower()]))
        held = self._reader.fetch_many(spellings)
        conditions = [
            condition for field in self._fields for condition in _equals(field, spellings) if len(text) >= _LEAST_CHARS
        ]
        if not conditions or not any(map(str.isdigit, text)):
            return held
        either = conditions[0] if len(conditions) == 1 else Or(tuple(conditions))
        ids = [str(payload["product_id"]) for payload in self._reader.page(MOST_NAMED, "", either).payloads]
        known = {item.product_id for item in held}
        return [*held, *self._reader.fetch_many([each for each in ids if each not in known])]

    @staticmethod
    def _scored(part: EncodedPart, item: Stored) -> Scored:
        parts = [QueryPart(part.query.vector, scale=part.query.scale), QueryPart(part.semantic, TITLE)]
        held: dict[str, Any] = {IMAGE: item.vectors}
        if item.title is not None:
            held[TITLE] = item.title
        return to_scored(item.payload, 0.0, parts, held)


def first(named: Sequence[Scored], found: Sequence[Scored]) -> Sequence[Scored]:
    """Products found, those that are named before all others."""
    if not named:
        return found
    names = {item.product_id for item in named}
    return [*named, *(item for item in found if item.product_id not in names)]


def _equals(field: Field, spellings: Sequence[str]) -> list[Expression]:
    if field.type is not FieldType.NUMBER:
        return [Equals(field, each) for each in spellings] if field.type is FieldType.KEYWORD else []
    try:
        return [Equals(field, float(spellings[0]))]
    except ValueError:
        return []
