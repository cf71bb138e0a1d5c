"""Answers as typed, frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from google.protobuf.json_format import MessageToDict

from merchlens.v1 import category_pb2, search_service_pb2

Method = Literal["head", "neighbors", "unspecified"]

_METHODS: dict[int, Method] = {
    category_pb2.CategoryPrediction.METHOD_HEAD: "head",
    category_pb2.CategoryPrediction.METHOD_NEIGHBORS: "neighbors",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A product found.

    Attributes:
        product_id: in the catalog.
        score: cosine of query and product, -1..1; for comparing hits of one query.
        title: "" where the catalog gives none.
        category: path with levels parted by "/".
        price: in the catalog's currency.
        in_stock: None where the catalog does not say.
        attributes: further fields by name.
        payload: all of it, as indexed.
    """

    product_id: str
    score: float
    title: str
    category: str | None
    price: float | None
    in_stock: bool | None
    attributes: Mapping[str, Any]
    payload: Mapping[str, Any]

    @classmethod
    def from_message(cls, message: search_service_pb2.Hit) -> Hit:
        """Read a message."""
        payload: dict[str, Any] = MessageToDict(message.payload)
        return cls(
            product_id=message.product_id,
            score=message.score,
            title=payload.get("title", ""),
            category=payload.get("category"),
            price=payload.get("price"),
            in_stock=payload.get("in_stock"),
            attributes=payload.get("attributes", {}),
            payload=payload,
        )


@dataclass(frozen=True, slots=True)
class CategoryProbability:
    """A category and its calibrated probability, 0..1."""

    category: str
    probability: float


@dataclass(frozen=True, slots=True)
class CategoryPrediction:
    """What category the query shows.

    Attributes:
        category: the likeliest one's path.
        probability: that it is right, 0..1, calibrated.
        candidates: the likeliest ones, at most 5, most likely first.
        method: "head" (the model's classifier) or "neighbors" (the nearest products' categories).
    """

    category: str
    probability: float
    candidates: tuple[CategoryProbability, ...]
    method: Method

    @classmethod
    def from_message(cls, message: category_pb2.CategoryPrediction) -> CategoryPrediction:
        """Read a message."""
        candidates = tuple(CategoryProbability(item.category, item.probability) for item in message.candidates)
        return cls(message.category, message.probability, candidates, _METHODS.get(message.method, "unspecified"))


@dataclass(frozen=True, slots=True)
class ServerWarning:
    """Something that the server did differently from what was asked: stable code, request field, words."""

    code: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one search; iterates over its hits.

    Attributes:
        hits: nearest first.
        category: None where the catalog has no categories.
        model_fingerprint: of the model that encoded.
        index_version: that was searched.
        request_id: for finding the call in the server's log.
        timings_us: stage to microseconds in the server.
        warnings: empty where everything was done as asked.
    """

    hits: tuple[Hit, ...]
    category: CategoryPrediction | None
    model_fingerprint: str
    index_version: str
    request_id: str
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]

    def __iter__(self) -> Iterator[Hit]:
        """The hits."""
        return iter(self.hits)

    def __len__(self) -> int:
        """How many hits."""
        return len(self.hits)

    @classmethod
    def from_message(cls, message: search_service_pb2.SearchResponse) -> SearchResult:
        """Read a message."""
        meta = message.meta
        return cls(
            hits=tuple(Hit.from_message(hit) for hit in message.hits),
            category=CategoryPrediction.from_message(message.category) if message.HasField("category") else None,
            model_fingerprint=meta.model_fingerprint,
            index_version=meta.index_version,
            request_id=meta.request_id,
            timings_us={timing.stage: timing.duration_us for timing in meta.timings},
            warnings=tuple(ServerWarning(item.code, item.field, item.text) for item in meta.warnings),
        )
