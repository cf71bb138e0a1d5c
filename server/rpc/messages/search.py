"""Searches and their answers."""

from __future__ import annotations

from merchlens.v1 import search_service_pb2

from server.errors import InvalidRequest
from server.rpc.messages.meta import to_meta
from server.rpc.messages.payload import to_struct
from server.rpc.messages.query import to_query
from server.rpc.messages.recognition import to_attribute, to_category
from server.search.query import SearchCommand, SearchOutcome


def to_search_command(request: search_service_pb2.SearchRequest) -> SearchCommand:
    """Read a request.

    Raises:
        InvalidRequest: not exactly one query part, or one that holds nothing.
    """
    if len(request.parts) != 1:
        raise InvalidRequest(
            "QUERY_PARTS",
            "parts",
            f"{len(request.parts)} query parts; permitted: exactly 1, one of text, image, product_id, vector",
        )
    return SearchCommand(
        request.catalog,
        to_query(request.parts[0], "parts[0]"),
        request.filter,
        request.page_size,
        tuple(request.read_mask.paths),
    )


def to_search_response(outcome: SearchOutcome, request_id: str) -> search_service_pb2.SearchResponse:
    """Write a reply."""
    return search_service_pb2.SearchResponse(
        hits=[
            search_service_pb2.Hit(
                product_id=hit.product_id,
                score=hit.score,
                payload=to_struct(hit.payload),
                picture=hit.picture,
                match_probability=hit.match.relevant,
                same_product_probability=hit.match.same,
            )
            for hit in outcome.hits
        ],
        category=None if outcome.category is None else to_category(outcome.category),
        attributes=[to_attribute(item) for item in outcome.attributes],
        meta=to_meta(outcome.origin, request_id, outcome.timings_us, outcome.warnings),
    )
