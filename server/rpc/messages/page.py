"""What is asked of a query's pages, and what is said of all of its candidates."""

from __future__ import annotations

from collections.abc import Mapping

from merchlens.v1 import search_service_pb2

from server.errors import InvalidRequest
from server.pages.diversity import DEFAULT_RELEVANCE
from server.pages.facets import Facet, Scope
from server.pages.page import Total
from server.pages.plan import FacetCommand, GroupBy, PageCommand

_SCOPES: Mapping[int, Scope] = {
    search_service_pb2.FacetRequest.SCOPE_UNSPECIFIED: "candidates",
    search_service_pb2.FacetRequest.SCOPE_CANDIDATES: "candidates",
    search_service_pb2.FacetRequest.SCOPE_FILTER: "filter",
}


def to_page_command(request: search_service_pb2.SearchRequest) -> PageCommand:
    """Read which page a request asks for.

    Raises:
        InvalidRequest: a scope that there is not.
    """
    diversity, group = request.diversity, request.group_by
    relevance = diversity.relevance if diversity.HasField("relevance") else DEFAULT_RELEVANCE
    return PageCommand(
        request.page_token,
        GroupBy(group.field, group.hits_per_group) if request.HasField("group_by") else None,
        tuple(_to_facet_command(facet, f"facets[{place}]") for place, facet in enumerate(request.facets)),
        relevance if request.HasField("diversity") else None,
        request.min_match_probability,
        request.count_total,
        request.keep_duplicates,
    )


def _to_facet_command(facet: search_service_pb2.FacetRequest, path: str) -> FacetCommand:
    scope = _SCOPES.get(facet.scope)
    if scope is None:
        known = ", ".join(search_service_pb2.FacetRequest.Scope.keys())
        raise InvalidRequest("FACET_SCOPE_UNKNOWN", f"{path}.scope", f"scope {facet.scope}; permitted: {known}")
    return FacetCommand(facet.field, facet.max_values, scope)


def to_facet(facet: Facet) -> search_service_pb2.Facet:
    """Write what was counted."""
    numbers = facet.numbers
    return search_service_pb2.Facet(
        field=facet.asked.name,
        values=[search_service_pb2.FacetValue(value=value, count=count) for value, count in facet.values.items()],
        has_more_values=facet.has_more,
        product_count=facet.products,
        without_value_count=facet.without,
        numbers=None if numbers is None else search_service_pb2.NumberRange(min=numbers[0], max=numbers[1]),
    )


def to_total(total: Total) -> search_service_pb2.TotalSize:
    """Write how many candidates there are."""
    return search_service_pb2.TotalSize(value=total.value, is_exact=total.is_exact)
