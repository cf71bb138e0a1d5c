"""Answers, as plain Python types.

Each `from_message` takes a message as the server sent it. Ranges are the contract's and not checked again: a client
must be able to read what a newer server answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from merchlens.errors import MerchlensError, from_status
from merchlens.hits import Facet, Hit, HitGroup, TotalSize
from merchlens.predictions import AttributePrediction, CategoryPrediction
from merchlens.v1 import meta_pb2, search_service_pb2

__all__ = [
    "BatchSearchResult",
    "Coverage",
    "CoverageReason",
    "Recommendation",
    "ReplyMeta",
    "SearchResult",
    "ServerWarning",
]


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
class CoverageReason:
    """Why an answer is not all there is.

    Attributes:
        code: UPPER_SNAKE, stable, as in "DEPTH_REACHED".
        text: for people.
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether an answer is all there is.

    Attributes:
        complete: no product was left out that could have been in it.
        searched_fraction: how much of the index was searched, 0..1.
        reasons: why it is not complete; empty where it is.
    """

    complete: bool
    searched_fraction: float
    reasons: tuple[CoverageReason, ...] = ()

    @classmethod
    def from_message(cls, message: meta_pb2.Coverage) -> Coverage:
        """Read how complete an answer is."""
        reasons = tuple(CoverageReason(item.code, item.text) for item in message.reasons)
        return cls(message.complete, message.searched_fraction, reasons)


@dataclass(frozen=True, slots=True)
class ReplyMeta:
    """What every answer says of itself.

    Attributes:
        model_fingerprint: SHA-256 (hex) of the model that made the embeddings.
        index_version: the index version that was asked.
        request_id: under which the server logged the call.
        timings_us: microseconds by stage, in order.
        warnings: what the server did differently from what was asked.
        coverage: whether this is everything; None where an older server does not say.
    """

    model_fingerprint: str
    index_version: str
    request_id: str
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]
    coverage: Coverage | None = None

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
            Coverage.from_message(message.coverage) if message.HasField("coverage") else None,
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
        groups: of hits, where they were asked for; then `hits` is empty.
        facets: by the field as it was asked for; of a field that was asked for twice the last one.
        total_size: how many products there are, duplicates once; None where they were not counted.
        next_page_token: for the next page; "" where this is the last one.
        coverage: whether this is everything; None where an older server does not say.
    """

    hits: tuple[Hit, ...]
    category: CategoryPrediction | None
    model_fingerprint: str
    index_version: str
    request_id: str
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]
    attributes: Mapping[str, AttributePrediction] = field(default_factory=dict)
    groups: tuple[HitGroup, ...] = ()
    facets: Mapping[str, Facet] = field(default_factory=dict)
    total_size: TotalSize | None = None
    next_page_token: str = ""
    coverage: Coverage | None = None

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
            groups=tuple(HitGroup.from_message(group) for group in message.groups),
            facets={facet.field: Facet.from_message(facet) for facet in message.facets},
            total_size=TotalSize.from_message(message.total_size) if message.HasField("total_size") else None,
            next_page_token=message.next_page_token,
            coverage=meta.coverage,
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
