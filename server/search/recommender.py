"""Products that are like some and unlike others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from embedder.index_space import IndexQuery
from indexer.stores.protocol import QueryPart, Scored, Stored, VersionReader
from server.errors import InvalidRequest
from server.pages.candidates import collect
from server.search.checks import RequestChecks
from server.search.finder import Finder, Scope
from server.search.indexed_product import check_product_id, product_missing
from server.search.mix import mix
from server.search.query import Hit, ServerWarning
from server.search.searcher import to_hit
from server.search.timings import StageTimings

Strategy = Literal["average", "best_score"]
"""How products are compared with several others: with all at once, or with each."""

_LIKED, _DISLIKED = "liked_product_ids", "disliked_product_ids"


@dataclass(frozen=True, slots=True)
class RecommendCommand:
    """What somebody likes and dislikes.

    Attributes:
        catalog: "" for the default.
        liked, disliked: product ids.
        strategy: how products are compared with them.
        filter, page_size, read_mask: see `SearchCommand`.
        keep_duplicates: whether products that show the same are hits of their own.
    """

    catalog: str
    liked: Sequence[str]
    disliked: Sequence[str]
    strategy: Strategy
    filter: str = ""
    page_size: int = 0
    read_mask: Sequence[str] = ()
    keep_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class Recommended:
    """What is recommended: hits, best first; stage to microseconds; what was done differently from what was asked."""

    hits: tuple[Hit, ...]
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...]


class Recommender:
    """Recommends from one index version. Calls from several threads are allowed."""

    def __init__(
        self,
        checks: RequestChecks,
        reader: VersionReader,
        finder: Finder,
        to_query: Callable[[Stored], IndexQuery],
    ) -> None:
        """Put together; `to_query`: what to search with for products like one."""
        self._checks = checks
        self._reader = reader
        self._finder = finder
        self._to_query = to_query

    def recommend(self, command: RecommendCommand, check_alive: Callable[[], None] = lambda: None) -> Recommended:
        """Recommend products, without those that are given.

        Raises:
            InvalidRequest: a field outside its range.
            ResourceMissing: a catalog or product that is not there.
            DeadlineExpired: from `check_alive`.
        """
        self._checks.catalog(command.catalog)
        self._checks.recommend_size(len(command.liked), len(command.disliked))
        limit, warnings = self._checks.page_size(command.page_size)
        mask = self._checks.read_mask(command.read_mask)
        where = self._checks.filter(command.filter)
        given = frozenset((*command.liked, *command.disliked))
        _check_apart(command)
        timings = StageTimings()
        with timings.stage("decode"):
            held = {item.product_id: self._to_query(item) for item in self._reader.fetch_many(sorted(given))}
            liked = _queries(command.liked, held, _LIKED)
            disliked = _queries(command.disliked, held, _DISLIKED)
        check_alive()
        with timings.stage("search"):
            search = self._search(command.strategy, liked, disliked, Scope(where, given))
            found = collect(search(limit), limit, limit, command.keep_duplicates, search)
        with timings.stage("rank"):
            hits = tuple(to_hit(item.hit, mask, duplicates=item.duplicates) for item in found.items)
        return Recommended(hits, timings.measured_us, warnings)

    def _search(
        self, strategy: Strategy, liked: Sequence[IndexQuery], disliked: Sequence[IndexQuery], scope: Scope
    ) -> Callable[[int], Sequence[Scored]]:
        """What finds the best products, so many of them."""
        if strategy == "average":
            average = _average(liked, disliked)
            return lambda limit: self._finder.nearest(average, limit, scope)
        wanted, unwanted = _parts(liked), _parts(disliked)

        def by_best_score(limit: int) -> Sequence[Scored]:
            found = self._reader.recommend(wanted, unwanted, limit + len(scope.without), scope.where)
            return [item for item in found if item.product_id not in scope.without][:limit]

        return by_best_score


def _check_apart(command: RecommendCommand) -> None:
    liked = set(command.liked)
    for place, product_id in enumerate(command.disliked):
        if product_id in liked:
            raise InvalidRequest(
                "LIKED_AND_DISLIKED",
                f"{_DISLIKED}[{place}]",
                f"product {product_id[:80]!r} is liked, too; permitted: one of both",
            )


def _queries(product_ids: Sequence[str], held: Mapping[str, IndexQuery], field: str) -> list[IndexQuery]:
    for place, product_id in enumerate(product_ids):
        check_product_id(product_id, f"{field}[{place}]")
        if product_id not in held:
            raise product_missing(product_id, f"{field}[{place}]")
    return [held[product_id] for product_id in product_ids]


def _average(liked: Sequence[IndexQuery], disliked: Sequence[IndexQuery]) -> IndexQuery:
    """As Qdrant's average vector: the mean of what is liked, and as far again from the mean of what is disliked."""
    weights = [(2.0 if disliked else 1.0) / len(liked)] * len(liked)
    weights += [-1.0 / len(disliked) for _ in disliked]
    return mix([*liked, *disliked], weights, _LIKED)


def _parts(queries: Sequence[IndexQuery]) -> list[QueryPart]:
    return [QueryPart(query.vector, scale=query.scale) for query in queries]
