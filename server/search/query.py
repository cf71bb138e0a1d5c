"""A search as the server understands it, free of protobuf's types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt


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
class SearchCommand:
    """One search.

    Attributes:
        catalog: "" for the default.
        query: what to look for.
        filter: in the filter language; "" for none.
        page_size: as asked; 0 for the default.
    """

    catalog: str
    query: Query
    filter: str
    page_size: int


@dataclass(frozen=True, slots=True)
class ServerWarning:
    """Something done differently from what was asked: stable code, the request's field, text for people."""

    code: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A product found.

    Attributes:
        product_id: the product's id in the catalog.
        score: -1..1: a text's semantic cosine, or the weighted mean of a picture's semantic and instance cosines.
        payload: as indexed.
        picture: name of the one of its pictures that matched; "" where that is not known.
    """

    product_id: str
    score: float
    payload: Mapping[str, Any]
    picture: str = ""


@dataclass(frozen=True, slots=True)
class PredictedCategory:
    """Categories with calibrated probabilities, most likely first; never empty."""

    candidates: tuple[tuple[str, float], ...]
    method: Literal["head", "neighbors"]


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """The answer to one search; a reply is made from it alone.

    Attributes:
        hits: nearest first.
        category: what the query itself shows; None where the catalog has no categories.
        model_fingerprint: of the model that encoded the query.
        index_version: the version that was searched.
        timings_us: stage to microseconds, in order.
        warnings: what was done differently from what was asked.
    """

    hits: tuple[Hit, ...]
    category: PredictedCategory | None
    model_fingerprint: str
    index_version: str
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]
