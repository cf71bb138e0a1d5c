"""Answers, as plain Python types.

Each `from_message` takes a message as the server sent it. Ranges are the contract's and not checked again: a client
must be able to read what a newer server answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from merchlens.errors import MerchlensError, from_status
from merchlens.payload import AttributeValue, read_payload
from merchlens.v1 import attribute_pb2, category_pb2, meta_pb2, search_service_pb2

__all__ = [
    "AttributePrediction",
    "AttributeValueProbability",
    "BatchSearchResult",
    "CategoryNode",
    "CategoryPrediction",
    "CategoryProbability",
    "Hit",
    "Recommendation",
    "ReplyMeta",
    "SearchResult",
    "ServerWarning",
]

Method = Literal["head", "neighbors", "fusion", "unknown"]
"""How a category was predicted: by the model's classifier, from the nearest products, by both and more, or in a newer
way."""

Abstention = Literal["", "not_in_catalog", "unsure", "unknown"]
"""Why a category is no answer: "" where it is one; "unknown": for a newer reason."""

AttributeMethod = Literal["head", "names", "pixels", "words", "unknown"]
"""How an attribute was predicted: by the model's classifier, by what the values are called, by the picture's colours,
by the words of a text, or in a newer way."""

_ATTRIBUTE_METHODS: Mapping[int, AttributeMethod] = {
    attribute_pb2.AttributePrediction.METHOD_HEAD: "head",
    attribute_pb2.AttributePrediction.METHOD_NAMES: "names",
    attribute_pb2.AttributePrediction.METHOD_PIXELS: "pixels",
    attribute_pb2.AttributePrediction.METHOD_WORDS: "words",
}

_METHODS: Mapping[int, Method] = {
    category_pb2.CategoryPrediction.METHOD_HEAD: "head",
    category_pb2.CategoryPrediction.METHOD_NEIGHBORS: "neighbors",
    category_pb2.CategoryPrediction.METHOD_FUSION: "fusion",
}

_ABSTENTIONS: Mapping[int, Abstention] = {
    category_pb2.CategoryPrediction.ABSTENTION_UNSPECIFIED: "",
    category_pb2.CategoryPrediction.ABSTENTION_NOT_IN_CATALOG: "not_in_catalog",
    category_pb2.CategoryPrediction.ABSTENTION_UNSURE: "unsure",
}


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
        )


@dataclass(frozen=True, slots=True)
class CategoryProbability:
    """A category and how likely it is.

    Attributes:
        category: path, levels separated by "/".
        probability: 0..1, calibrated.
        head_probability: by the model's own classifier alone, 0..1; None where it does not know the category.
        neighbor_share: of the nearest products' votes, 0..1; None where they were not asked.
        name_cosine: of the query and the category's name, -1..1; None where names count nothing.
    """

    category: str
    probability: float
    head_probability: float | None = None
    neighbor_share: float | None = None
    name_cosine: float | None = None

    @classmethod
    def from_message(cls, message: category_pb2.CategoryProbability) -> CategoryProbability:
        """Read one candidate."""
        return cls(
            message.category,
            message.probability,
            message.head_probability if message.HasField("head_probability") else None,
            message.neighbor_share if message.HasField("neighbor_share") else None,
            message.name_cosine if message.HasField("name_cosine") else None,
        )


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """A category on some level of the tree.

    Attributes:
        category: path, levels separated by "/".
        probability: that the query belongs to it or to a category below it, 0..1.
    """

    category: str
    probability: float


@dataclass(frozen=True, slots=True)
class CategoryPrediction:
    """What category the query shows.

    Attributes:
        category: path of the most likely, levels separated by "/".
        probability: that it is right, 0..1, calibrated on held-out products.
        candidates: the most likely, most likely first, at most 5, `category` among them.
        method: how it was predicted.
        in_catalog_probability: that the query shows one of the catalog's categories at all, 0..1; None where the server
            does not say.
        abstention: why `category` is only a guess; "" where it is an answer.
        branch: `category` with all above it, from the top; may be empty.
        sure_category: the lowest of the branch that is an answer; "" where none is.
    """

    category: str
    probability: float
    candidates: tuple[CategoryProbability, ...]
    method: Method
    in_catalog_probability: float | None = None
    abstention: Abstention = ""
    branch: tuple[CategoryNode, ...] = ()
    sure_category: str = ""

    @classmethod
    def from_message(cls, message: category_pb2.CategoryPrediction) -> CategoryPrediction:
        """Read a prediction."""
        return cls(
            category=message.category,
            probability=message.probability,
            candidates=tuple(CategoryProbability.from_message(item) for item in message.candidates),
            method=_METHODS.get(message.method, "unknown"),
            in_catalog_probability=message.in_catalog_probability
            if message.HasField("in_catalog_probability")
            else None,
            abstention=_ABSTENTIONS.get(message.abstention, "unknown"),
            branch=tuple(CategoryNode(node.category, node.probability) for node in message.branch),
            sure_category=message.sure_category,
        )


@dataclass(frozen=True, slots=True)
class AttributeValueProbability:
    """A value of an attribute, and how likely it is, 0..1."""

    value: str
    probability: float


@dataclass(frozen=True, slots=True)
class AttributePrediction:
    """One attribute of what the query shows or names.

    Attributes:
        name: as the catalog calls it.
        value: the most likely one; an answer where `is_sure`, else a guess.
        probability: that it is right, 0..1.
        is_sure: whether it is likely enough to be an answer.
        candidates: the most likely values, most likely first, at most 5, `value` among them.
        method: how it was predicted.
        is_calibrated: whether probabilities were fitted on the catalog's own labels.
    """

    name: str
    value: str
    probability: float
    is_sure: bool
    candidates: tuple[AttributeValueProbability, ...]
    method: AttributeMethod
    is_calibrated: bool

    @classmethod
    def from_message(cls, message: attribute_pb2.AttributePrediction) -> AttributePrediction:
        """Read a prediction."""
        return cls(
            name=message.name,
            value=message.value,
            probability=message.probability,
            is_sure=message.is_sure,
            candidates=tuple(AttributeValueProbability(item.value, item.probability) for item in message.candidates),
            method=_ATTRIBUTE_METHODS.get(message.method, "unknown"),
            is_calibrated=message.is_calibrated,
        )


@dataclass(frozen=True, slots=True)
class ServerWarning:
    """One thing that the server did differently from what was asked.

    Attributes:
        code: UPPER_SNAKE, stable, as in "PAGE_SIZE_CAPPED".
        field: path in the request message, as in "parts[0].text".
        text: for people.
    """

    code: str
    field: str
    text: str

    @classmethod
    def from_message(cls, message: meta_pb2.Warning) -> ServerWarning:
        """Read one warning."""
        return cls(message.code, message.field, message.text)


@dataclass(frozen=True, slots=True)
class ReplyMeta:
    """What every answer says of itself.

    Attributes:
        model_fingerprint: SHA-256 (hex) of the model that made the embeddings.
        index_version: the index version that was asked.
        request_id: under which the server logged the call.
        timings_us: microseconds by stage, in order.
        warnings: what the server did differently from what was asked.
    """

    model_fingerprint: str
    index_version: str
    request_id: str
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]

    @classmethod
    def from_message(cls, message: meta_pb2.ResponseMeta) -> ReplyMeta:
        """Read a reply's metadata."""
        # To mypy, the stub's own `Warning` is the built-in one.
        warnings = cast(Iterable[meta_pb2.Warning], message.warnings)
        timings_us: dict[str, int] = {}
        for timing in message.timings:
            timings_us[timing.stage] = timings_us.get(timing.stage, 0) + timing.duration_us
        return cls(
            message.model_fingerprint,
            message.index_version,
            message.request_id,
            timings_us,
            tuple(ServerWarning.from_message(item) for item in warnings),
        )


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one search; iterating goes over the hits, `len()` counts them, none of them is falsy.

    Attributes:
        hits: nearest first; fewer than asked where fewer products match the filter.
        category: what the query itself shows, whatever the filter; None where the catalog has no categories.
        model_fingerprint: SHA-256 (hex) of the model that made the embeddings.
        index_version: the index version that was searched.
        request_id: under which the server logged the call.
        timings_us: microseconds by stage, in order.
        warnings: what the server did differently from what was asked.
        attributes: of the query itself, such as its colour, by name; empty where the server knows of none.
    """

    hits: tuple[Hit, ...]
    category: CategoryPrediction | None
    model_fingerprint: str
    index_version: str
    request_id: str
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]
    attributes: Mapping[str, AttributePrediction] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    @classmethod
    def from_message(cls, message: search_service_pb2.SearchResponse) -> SearchResult:
        """Read an answer."""
        meta = ReplyMeta.from_message(message.meta)
        return cls(
            hits=tuple(Hit.from_message(hit) for hit in message.hits),
            category=CategoryPrediction.from_message(message.category) if message.HasField("category") else None,
            model_fingerprint=meta.model_fingerprint,
            index_version=meta.index_version,
            request_id=meta.request_id,
            timings_us=meta.timings_us,
            warnings=meta.warnings,
            attributes={item.name: AttributePrediction.from_message(item) for item in message.attributes},
        )


@dataclass(frozen=True, slots=True)
class BatchSearchResult:
    """The answers to several searches; iterating goes over them, `len()` counts them.

    Attributes:
        answers: one for each query, in order: its result, or what a call of its own would have failed with.
        meta: of the reply as a whole.
    """

    answers: tuple[SearchResult | MerchlensError, ...]
    meta: ReplyMeta

    def __iter__(self) -> Iterator[SearchResult | MerchlensError]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    @classmethod
    def from_message(cls, message: search_service_pb2.BatchSearchResponse) -> BatchSearchResult:
        """Read an answer."""
        meta = ReplyMeta.from_message(message.meta)
        answers = tuple(
            SearchResult.from_message(item.response)
            if item.WhichOneof("result") == "response"
            else from_status(item.error.SerializeToString(), request_id=meta.request_id)
            for item in message.results
        )
        return cls(answers, meta)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is recommended; iterating goes over the hits, `len()` counts them.

    Attributes:
        hits: best first; their probabilities are None.
        meta: of the reply.
    """

    hits: tuple[Hit, ...]
    meta: ReplyMeta

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    @classmethod
    def from_message(cls, message: search_service_pb2.RecommendResponse) -> Recommendation:
        """Read an answer."""
        return cls(tuple(Hit.from_message(hit) for hit in message.hits), ReplyMeta.from_message(message.meta))
