"""A search as the server understands it, free of protobuf's types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from embedder.recognition.attribute_model import AttributeMethod
from embedder.recognition.category_tree import CategoryNode
from indexer.stores.protocol import Effort
from indexer.words.text_ranking import RankingMode
from server.pages.facets import Facet
from server.pages.page import Total
from server.pages.plan import FIRST_PAGE, PageCommand


@dataclass(frozen=True, slots=True)
class TextQuery:
    """Words, not yet checked."""

    text: str


@dataclass(frozen=True, slots=True)
class PictureQuery:
    """An encoded picture, not yet decoded."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """An indexed product to find similar ones to."""

    product_id: str


@dataclass(frozen=True, slots=True, eq=False)
class VectorQuery:
    """An embedding, not yet checked; float32 (any length,)."""

    values: npt.NDArray[np.float32]


Query = TextQuery | PictureQuery | ProductQuery | VectorQuery


@dataclass(frozen=True, slots=True)
class WeightedPart:
    """A part of a query, and how much it counts beside the others: -10..10, not 0; negative: away from it."""

    query: Query
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class SearchCommand:
    """One search.

    Attributes:
        catalog: "" for the default.
        parts: what to look for; 1 or more, one at least with a weight above 0.
        filter: in the filter language; "" for none.
        page_size: as asked; 0 for the default.
        read_mask: paths of the payload's fields that hits have; empty: all.
        effort: how thoroughly is searched.
        page: which page of the hits, and what is said of all of them.
        mode: by what a text's hits are ranked.
        with_parts: whether hits of a text say what they are ranked by.
    """

    catalog: str
    parts: tuple[WeightedPart, ...]
    filter: str = ""
    page_size: int = 0
    read_mask: tuple[str, ...] = ()
    effort: Effort | int = "balanced"
    page: PageCommand = FIRST_PAGE
    mode: RankingMode = "hybrid"
    with_parts: bool = False

    @classmethod
    def of(cls, query: Query, filter: str = "", page_size: int = 0) -> SearchCommand:
        """A search for one thing in the default catalog."""
        return cls("", (WeightedPart(query),), filter, page_size)

    def identity(self) -> tuple[bytes, ...]:
        """Whatever says which products its pages hold, and in which order; not how thoroughly is searched."""
        parts = (item for part in self.parts for item in (repr(part.weight).encode(), *_said(part.query)))
        said = (self.catalog, self.filter, self.mode)
        return (b"search", *(item.encode() for item in said), *self.page.identity(), *parts)


def _said(query: Query) -> tuple[bytes, bytes]:
    """The kind of a query, and all of it."""
    match query:
        case TextQuery(text):
            return b"text", text.encode()
        case PictureQuery(data):
            return b"image", data
        case ProductQuery(product_id):
            return b"product", product_id.encode()
        case VectorQuery(values):
            return b"vector", values.tobytes()


@dataclass(frozen=True, slots=True)
class ServerWarning:
    """Something done differently from what was asked: stable code, the request's field, text for people."""

    code: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why an answer is not all there is: stable code, text for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer comes from: the fingerprint of the model that encodes queries, and the index version."""

    model_fingerprint: str
    index_version: str


@dataclass(frozen=True, slots=True)
class Match:
    """What a hit is worth.

    Attributes:
        relevant: probability that it is of the kind asked for, 0..1; None where that was not fitted.
        same: probability that it is the very product, 0..1; None where that was not fitted.
    """

    relevant: float | None = None
    same: float | None = None


UNJUDGED = Match()


@dataclass(frozen=True, slots=True)
class HitParts:
    """What each thing that a text's hits are ranked by says of one of them.

    Attributes:
        picture: cosine of the text and the product's nearest picture, -1..1.
        title: of the text and what the title means, -1..1; None where there is none.
        words: what the title's words score (BM25), 0 or more; None where the index holds no words.
    """

    picture: float
    title: float | None = None
    words: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A product found.

    Attributes:
        product_id: the product's id in the catalog.
        score: -1..1: a text's semantic cosine, or the weighted mean of a picture's semantic and instance cosines.
        payload: as indexed.
        picture: name of the one of its pictures that matched; "" where that is not known.
        match: what it is worth.
        duplicates: ids of products that show the same, and that it stands for; best first.
        parts: what it is ranked by; None: not asked for, or not a text's.
    """

    product_id: str
    score: float
    payload: Mapping[str, Any]
    picture: str = ""
    match: Match = UNJUDGED
    duplicates: tuple[str, ...] = ()
    parts: HitParts | None = None


@dataclass(frozen=True, slots=True)
class HitGroup:
    """Hits with one value in the field that they are grouped by.

    Attributes:
        value: theirs; None: a product without one, which is a group of its own.
        hits: the best, best first.
        candidates: how many there are, those that are not given among them.
    """

    value: str | None
    hits: tuple[Hit, ...]
    candidates: int


Abstention = Literal["not_in_catalog", "unsure"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A category that the query may show.

    Attributes:
        category: its path.
        probability: calibrated, 0..1, given that the query shows one of the catalog's categories.
        head: probability by the trained head alone, 0..1; None where it does not know the category, or was not asked.
        neighbors: share of the nearest products' votes, 0..1; None where they were not asked.
        names: cosine of the query and the category's name, -1..1; None where names were not asked.
    """

    category: str
    probability: float
    head: float | None = None
    neighbors: float | None = None
    names: float | None = None


@dataclass(frozen=True, slots=True)
class PredictedCategory:
    """What category a query shows.

    Attributes:
        candidates: most likely first; never empty.
        method: "fusion" of all witnesses; in indexes of earlier releases one of them.
        known: probability that the query shows one of the catalog's categories at all, 0..1; None: it was not fitted.
        abstention: why the first candidate is no answer; None: it is one.
        branch: the first candidate with all categories above it, from the top.
        sure: the lowest category of the branch that is sure enough to be an answer; "" where none is.
        probabilities: of every category, by path; empty where that was not fitted.
    """

    candidates: tuple[Candidate, ...]
    method: Literal["head", "neighbors", "fusion"]
    known: float | None = None
    abstention: Abstention | None = None
    branch: tuple[CategoryNode, ...] = ()
    sure: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """A value that an attribute may have, and its probability, 0..1."""

    value: str
    probability: float


@dataclass(frozen=True, slots=True)
class PredictedAttribute:
    """One attribute of what a query shows or names.

    Attributes:
        name: as the catalog calls it.
        candidates: most likely first; never empty.
        is_sure: whether the first one is an answer.
        method: "head": a trained classifier; "names": what the values are called; "pixels": the picture's colours;
            "words": those of a text.
        is_calibrated: whether the probabilities were fitted on the catalog's own labels.
    """

    name: str
    candidates: tuple[AttributeValue, ...]
    is_sure: bool
    method: AttributeMethod | Literal["words"]
    is_calibrated: bool


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """The answer to one search; a reply is made from it alone.

    Attributes:
        hits: nearest first.
        category: what the query itself shows; None where the catalog has no categories.
        origin: the model that encoded the query, and the version that was searched.
        timings_us: stage to microseconds, in order.
        warnings: what was done differently from what was asked.
        anything: probability that there is anything in the catalog of what was asked for, 0..1; None: not fitted.
        attributes: of the query itself; empty where nothing is known of any.
        groups: best first; empty where hits are not grouped. Where they are, `hits` is empty.
        facets: one for each that was asked for.
        total: how many candidates there are; None: not counted.
        next_page_token: "" where this is the last page.
        shortfalls: why this is not all there is; empty where it is.
    """

    hits: tuple[Hit, ...]
    category: PredictedCategory | None
    origin: Origin
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]
    anything: float | None = None
    attributes: tuple[PredictedAttribute, ...] = ()
    groups: tuple[HitGroup, ...] = ()
    facets: tuple[Facet, ...] = ()
    total: Total | None = None
    next_page_token: str = ""
    shortfalls: tuple[Shortfall, ...] = ()
