"""Products found, as plain Python types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from merchlens.payload import AttributeValue, read_payload
from merchlens.v1 import search_service_pb2

__all__ = ["Facet", "Hit", "HitGroup", "HitParts", "TotalSize"]


@dataclass(frozen=True, slots=True)
class HitParts:
    """What each thing that a text's hits are ranked by says of one of them.

    Attributes:
        picture: cosine of the text and the nearest picture, -1..1: the hit's score.
        title: cosine of the text and what the title means, -1..1; None where there is none.
        words: what the words of title and description score (BM25), 0 or more; None where the index holds none.
    """

    picture: float
    title: float | None = None
    words: float | None = None

    @classmethod
    def from_message(cls, message: search_service_pb2.HitParts) -> HitParts:
        """Read the parts of a hit."""
        return cls(
            message.picture,
            message.title if message.HasField("title") else None,
            message.words if message.HasField("words") else None,
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """One product found.

    Attributes:
        product_id: the product's id in the catalog.
        score: of the query and the product's nearest picture, -1..1: a text's cosine, or the weighted mean of both
            parts' cosines of a picture; for comparing hits of one query, not a probability.
        title: what the shop calls it; "" where the catalog gives none.
        category: path with levels separated by "/"; None where the catalog gives none.
        price: in the catalog's currency, 0 or more; None where not given.
        in_stock: None where not given.
        attributes: further fields by name.
        payload: the product as indexed, with all of the above but id and score. Numbers are floats.
        picture: which of its pictures is nearest to the query: its name, one of `payload["pictures"]`; "" where the
            server does not say.
        match_probability: that it is of the kind asked for, 0..1, calibrated; None where the server does not say.
        same_product_probability: that it is the very product shown, 0..1, calibrated; None where it does not say.
        duplicate_product_ids: products that show the same, and that this one stands for; best first.
        parts: what it is ranked by; None where that was not asked for, or the query is no text.
    """

    product_id: str
    score: float
    title: str
    category: str | None
    price: float | None
    in_stock: bool | None
    attributes: Mapping[str, AttributeValue]
    payload: Mapping[str, object]
    picture: str = ""
    match_probability: float | None = None
    same_product_probability: float | None = None
    duplicate_product_ids: tuple[str, ...] = ()
    parts: HitParts | None = None

    @classmethod
    def from_message(cls, message: search_service_pb2.Hit) -> Hit:
        """Read one hit; a payload value of an unexpected type stays in `payload` and counts as not given."""
        return cls(
            product_id=message.product_id,
            score=message.score,
            **read_payload(message.payload),
            picture=message.picture,
            match_probability=message.match_probability if message.HasField("match_probability") else None,
            same_product_probability=message.same_product_probability
            if message.HasField("same_product_probability")
            else None,
            duplicate_product_ids=tuple(message.duplicate_product_ids),
            parts=HitParts.from_message(message.parts) if message.HasField("parts") else None,
        )


@dataclass(frozen=True, slots=True)
class HitGroup:
    """Hits with a value in common; iterating goes over them, `len()` counts them.

    Attributes:
        value: what they are grouped by; None: a product without a value, which is a group of its own.
        hits: the best, best first.
        candidate_count: how many products are in the group, those that are not given among them.
    """

    value: str | None
    hits: tuple[Hit, ...]
    candidate_count: int

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    @classmethod
    def from_message(cls, message: search_service_pb2.HitGroup) -> HitGroup:
        """Read one group."""
        return cls(
            message.value if message.HasField("value") else None,
            tuple(Hit.from_message(hit) for hit in message.hits),
            message.candidate_count,
        )


@dataclass(frozen=True, slots=True)
class Facet:
    """How many products have which value of a field.

    Attributes:
        field: as it was asked for.
        values: value to the number of products that have it, the most first; empty for numbers.
        has_more_values: whether there are values beside these.
        product_count: how many products were counted, with and without a value.
        without_value_count: how many of them have no value; None where the server does not say.
        min, max: the smallest and the largest number; None for other fields, and where no product has one.
    """

    field: str
    values: Mapping[str, int]
    has_more_values: bool
    product_count: int
    without_value_count: int | None
    min: float | None
    max: float | None

    @classmethod
    def from_message(cls, message: search_service_pb2.Facet) -> Facet:
        """Read one facet."""
        numbers = message.numbers if message.HasField("numbers") else None
        return cls(
            message.field,
            {item.value: item.count for item in message.values},
            message.has_more_values,
            message.product_count,
            message.without_value_count if message.HasField("without_value_count") else None,
            None if numbers is None else numbers.min,
            None if numbers is None else numbers.max,
        )


@dataclass(frozen=True, slots=True)
class TotalSize:
    """How many products there are, duplicates once; not `is_exact`: at least so many."""

    value: int
    is_exact: bool

    @classmethod
    def from_message(cls, message: search_service_pb2.TotalSize) -> TotalSize:
        """Read a number."""
        return cls(message.value, message.is_exact)
