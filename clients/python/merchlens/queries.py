"""What can be asked for, as plain Python types."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["FacetQuery", "QueryPart", "SearchQuery"]

ImageSource = str | os.PathLike[str] | bytes | bytearray | memoryview
"""A picture: the path of its file, or the file's bytes."""


Accuracy = Literal["balanced", "fast", "exact"] | int
"""How thoroughly is searched; a number: of so many candidates of the index's graph the best are given."""

Strategy = Literal["average", "best_score"]
"""How products are compared with several that are liked: near to the mean of all, or near to any one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPart:
    """One part of a query of several.

    Attributes:
        text, image, product_id, vector: exactly one of them; see `Client.search`.
        weight: how much it counts beside the others, -10 to 10; negative: away from it.
    """

    text: str | None = None
    image: ImageSource | None = None
    product_id: str | None = None
    vector: Sequence[float] | None = None
    weight: float = 1.0


Ranking = Literal["hybrid", "pictures", "words"]
"""By what a text's hits are ranked: pictures, titles and their words; pictures alone; or words alone."""

Scope = Literal["candidates", "filter"]
"""Which products a facet counts: the query's best 1,000, or all that its filter lets through, whatever the query."""


@dataclass(frozen=True, slots=True)
class FacetQuery:
    """A field whose values are counted.

    Attributes:
        field: its name, as in a filter.
        max_values: how many values are given at most, 1 to 1,000: those that most products have.
        scope: which products are counted.
    """

    field: str
    max_values: int = 20
    scope: Scope = "candidates"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """One search of several; see `Client.search`, whose arguments these are.

    Attributes:
        text, image, product_id, vector, parts: exactly one of them.
        top_k: how many hits at most, from 1.
        filter: which products to consider; "" is all.
        catalog: "" is the default one.
        fields: which fields of the hits' payloads are given; empty is all.
        accuracy: how thoroughly is searched.
        ranking: by what a text's hits are ranked.
        parts_of_hits: whether a text's hits say what they are ranked by.
        page_token, group_by, hits_per_group, facets, diversity, min_match_probability, count_total, keep_duplicates:
            which page, and what is said of all of them.
    """

    text: str | None = None
    image: ImageSource | None = None
    product_id: str | None = None
    vector: Sequence[float] | None = None
    parts: Sequence[QueryPart] | None = None
    top_k: int = 10
    filter: str = ""
    catalog: str = ""
    fields: Sequence[str] = ()
    accuracy: Accuracy = "balanced"
    ranking: Ranking = "hybrid"
    parts_of_hits: bool = False
    page_token: str = ""
    group_by: str = ""
    hits_per_group: int = 3
    facets: Sequence[str | FacetQuery] = ()
    diversity: float = 0.0
    min_match_probability: float = 0.0
    count_total: bool = False
    keep_duplicates: bool = False
