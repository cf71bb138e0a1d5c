"""Searches and their answers."""

from __future__ import annotations

from collections.abc import Mapping

from merchlens.v1 import search_service_pb2

from indexer.stores.protocol import Effort
from indexer.words.text_ranking import RankingMode
from server.errors import InvalidRequest
from server.rpc.messages.meta import to_meta
from server.rpc.messages.page import to_facet, to_page_command, to_total
from server.rpc.messages.payload import to_struct
from server.rpc.messages.query import to_query
from server.rpc.messages.recognition import to_attribute, to_category
from server.search.query import Hit, HitGroup, HitParts, SearchCommand, SearchOutcome, WeightedPart
from server.search.recommender import RecommendCommand, Strategy

_MOST_WEIGHT = 10.0

_EFFORTS: Mapping[int, Effort] = {
    search_service_pb2.Accuracy.LEVEL_UNSPECIFIED: "balanced",
    search_service_pb2.Accuracy.LEVEL_BALANCED: "balanced",
    search_service_pb2.Accuracy.LEVEL_FAST: "fast",
    search_service_pb2.Accuracy.LEVEL_EXACT: "exact",
}

_MODES: Mapping[int, RankingMode] = {
    search_service_pb2.RANKING_UNSPECIFIED: "hybrid",
    search_service_pb2.RANKING_HYBRID: "hybrid",
    search_service_pb2.RANKING_PICTURES: "pictures",
    search_service_pb2.RANKING_WORDS: "words",
}

_STRATEGIES: Mapping[int, Strategy] = {
    search_service_pb2.RecommendRequest.STRATEGY_UNSPECIFIED: "average",
    search_service_pb2.RecommendRequest.STRATEGY_AVERAGE: "average",
    search_service_pb2.RecommendRequest.STRATEGY_BEST_SCORE: "best_score",
}


def to_search_command(request: search_service_pb2.SearchRequest, most_parts: int) -> SearchCommand:
    """Read a request.

    Raises:
        InvalidRequest: too many query parts, or none, one that holds nothing, a weight outside its range, an unknown
            level of accuracy, scope of a facet, or ranking.
    """
    count = len(request.parts)
    if not 1 <= count <= most_parts:
        raise InvalidRequest(
            "QUERY_PARTS",
            "parts",
            f"{count:,} query parts; permitted: 1 to {most_parts}, each one of text, image, product_id, vector",
        )
    parts = tuple(
        WeightedPart(to_query(part, f"parts[{place}]"), _to_weight(part.weight, f"parts[{place}].weight"))
        for place, part in enumerate(request.parts)
    )
    if all(part.weight < 0 for part in parts):
        raise InvalidRequest(
            "PART_WEIGHT", "parts", "no part has a weight above 0; permitted: at least one, to look for something"
        )
    return SearchCommand(
        request.catalog,
        parts,
        request.filter,
        request.page_size,
        tuple(request.read_mask.paths),
        _to_effort(request.accuracy),
        to_page_command(request),
        _to_mode(request.ranking),
        request.include_parts,
    )


def _to_mode(ranking: int) -> RankingMode:
    mode = _MODES.get(ranking)
    if mode is None:
        known = ", ".join(search_service_pb2.Ranking.keys())
        raise InvalidRequest("RANKING_UNKNOWN", "ranking", f"ranking {ranking}; permitted: {known}")
    return mode


def _to_effort(accuracy: search_service_pb2.Accuracy) -> Effort | int:
    if accuracy.WhichOneof("accuracy") == "candidates":
        return accuracy.candidates
    effort = _EFFORTS.get(accuracy.level)
    if effort is None:
        known = ", ".join(search_service_pb2.Accuracy.Level.keys())
        raise InvalidRequest("ACCURACY_UNKNOWN", "accuracy.level", f"level {accuracy.level}; permitted: {known}")
    return effort


def to_recommend_command(request: search_service_pb2.RecommendRequest) -> RecommendCommand:
    """Read a request.

    Raises:
        InvalidRequest: a strategy that there is not.
    """
    strategy = _STRATEGIES.get(request.strategy)
    if strategy is None:
        known = ", ".join(search_service_pb2.RecommendRequest.Strategy.keys())
        raise InvalidRequest("STRATEGY_UNKNOWN", "strategy", f"strategy {request.strategy}; permitted: {known}")
    return RecommendCommand(
        request.catalog,
        tuple(request.liked_product_ids),
        tuple(request.disliked_product_ids),
        strategy,
        request.filter,
        request.page_size,
        tuple(request.read_mask.paths),
        request.keep_duplicates,
    )


def _to_weight(weight: float, field: str) -> float:
    if not -_MOST_WEIGHT <= weight <= _MOST_WEIGHT:
        raise InvalidRequest("PART_WEIGHT", field, f"weight {weight:g}; permitted: -10 to 10, 0 for 1")
    return weight or 1.0


def to_search_response(outcome: SearchOutcome, request_id: str) -> search_service_pb2.SearchResponse:
    """Write a reply."""
    return search_service_pb2.SearchResponse(
        hits=[to_hit_message(hit) for hit in outcome.hits],
        groups=[_to_group(group) for group in outcome.groups],
        facets=[to_facet(facet) for facet in outcome.facets],
        total_size=None if outcome.total is None else to_total(outcome.total),
        next_page_token=outcome.next_page_token,
        category=None if outcome.category is None else to_category(outcome.category),
        attributes=[to_attribute(item) for item in outcome.attributes],
        meta=to_meta(outcome.origin, request_id, outcome.timings_us, outcome.warnings, outcome.shortfalls),
    )


def to_hit_message(hit: Hit) -> search_service_pb2.Hit:
    """Write a hit."""
    return search_service_pb2.Hit(
        product_id=hit.product_id,
        score=hit.score,
        payload=to_struct(hit.payload),
        picture=hit.picture,
        match_probability=hit.match.relevant,
        same_product_probability=hit.match.same,
        duplicate_product_ids=hit.duplicates,
        parts=None if hit.parts is None else _to_parts(hit.parts),
    )


def _to_parts(parts: HitParts) -> search_service_pb2.HitParts:
    return search_service_pb2.HitParts(picture=parts.picture, title=parts.title, words=parts.words)


def _to_group(group: HitGroup) -> search_service_pb2.HitGroup:
    return search_service_pb2.HitGroup(
        value=group.value, hits=[to_hit_message(hit) for hit in group.hits], candidate_count=group.candidates
    )
