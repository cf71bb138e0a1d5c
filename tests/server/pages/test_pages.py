"""Pages of a search, through the client and a real channel."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from merchlens import FacetQuery, FailedPrecondition, Hit, InvalidArgument, QueryPart, SearchQuery, SearchResult
from merchlens.v1 import query_pb2, search_service_pb2

from server.pages.candidates import DEPTH
from server.pages.page_token import Walk
from tests.conftest import draw_product
from tests.server.conftest import DUPLICATES_OF, Served, unpacked


def drawn(shape: str, color: str) -> bytes:
    buffer = io.BytesIO()
    draw_product(shape, color, 9001).save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = drawn("ellipse", "red")
QUERIES = {
    "words": SearchQuery(text="red ball"),
    "a picture": SearchQuery(image=PICTURE),
    "a product": SearchQuery(product_id="p-0003-0"),
    "several parts": SearchQuery(parts=[QueryPart(image=PICTURE), QueryPart(text="blue", weight=0.5)]),
    "words and a filter": SearchQuery(text="box", filter="in_stock AND price < 6000"),
    "varied words": SearchQuery(text="blue", diversity=0.4),
    "a likely picture": SearchQuery(image=PICTURE, min_match_probability=0.2),
    "duplicates, too": SearchQuery(text="red ball", keep_duplicates=True),
}


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.product_id for hit in hits]


def walked(served: Served, query: SearchQuery) -> list[SearchResult]:
    return list(served.client.walk_search(query))


# Walking


@pytest.mark.parametrize("name", QUERIES)
def test_walking_gives_every_candidate_once_whatever_the_size_of_a_page(deep: Served, name: str) -> None:
    query = QUERIES[name]
    (whole, *rest) = walked(deep, replace(query, top_k=1000))
    expected = {hit.product_id for page in (whole, *rest) for hit in page}
    pages = walked(deep, replace(query, top_k=170))
    found = [hit.product_id for page in pages for hit in page]
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert all(len(page) == 170 for page in pages[:-1])


def test_pages_are_in_the_order_of_one_long_page(deep: Served) -> None:
    whole = deep.client.search(image=PICTURE, top_k=1000)
    found = [hit.product_id for page in walked(deep, SearchQuery(image=PICTURE, top_k=99)) for hit in page]
    assert found == ids(whole.hits)


def test_the_last_page_says_that_others_may_match(deep: Served) -> None:
    *before, last = walked(deep, SearchQuery(image=PICTURE, top_k=300))
    assert sum(len(page) for page in (*before, last)) == DEPTH
    assert [page.warnings for page in before] == [()] * len(before)
    assert [(warning.code, warning.field) for warning in last.warnings] == [("DEPTH_REACHED", "page_token")]
    assert "ListProducts" in last.warnings[0].text


def test_of_a_query_that_few_products_match_the_last_page_is_the_end(deep: Served) -> None:
    pages = walked(deep, SearchQuery(image=PICTURE, top_k=40, filter="price < 160", keep_duplicates=True))
    assert [len(page) for page in pages] == [40] * 4
    assert [page.warnings for page in pages] == [()] * 4
    assert [page.total_size and page.total_size.value for page in pages] == [None, 160, 160, 160]


def test_a_page_of_all_there_are_has_no_next_one(deep: Served) -> None:
    result = deep.client.search(image=PICTURE, top_k=1000, filter="price < 10")
    assert (len(result), result.next_page_token, result.warnings) == (10, "", ())


def test_later_pages_may_have_another_size_other_facets_and_other_fields(deep: Served) -> None:
    first = deep.client.search(text="red ball", top_k=7)
    then = deep.client.search(
        text="red ball",
        top_k=30,
        page_token=first.next_page_token,
        facets=["color"],
        fields=["title"],
        accuracy="exact",
    )
    assert set(ids(first.hits)).isdisjoint(ids(then.hits))
    assert set(then.hits[0].payload) == {"title"}


CHANGED: dict[str, dict[str, Any]] = {
    "words": {"text": "red bal"},
    "kind": {"text": None, "product_id": "red ball"},
    "filter": {"filter": "in_stock"},
    "groups": {"group_by": "color"},
    "diversity": {"diversity": 0.1},
    "least probability": {"min_match_probability": 0.1},
    "duplicates": {"keep_duplicates": True},
    "parts": {"text": None, "parts": [QueryPart(text="red ball"), QueryPart(text="red ball")]},
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_token_of_another_query_is_refused(deep: Served, name: str) -> None:
    token = deep.client.search(text="red ball").next_page_token
    with pytest.raises(InvalidArgument) as caught:
        deep.client.search(**({"text": "red ball", "page_token": token} | CHANGED[name]))
    assert caught.value.reason == "PAGE_TOKEN_OTHER_QUERY"


def test_a_weight_is_part_of_the_query(deep: Served) -> None:
    parts = [QueryPart(text="red"), QueryPart(text="ball", weight=0.5)]
    token = deep.client.search(parts=parts).next_page_token
    assert deep.client.search(parts=parts, page_token=token).hits
    with pytest.raises(InvalidArgument) as caught:
        deep.client.search(parts=[parts[0], QueryPart(text="ball", weight=0.6)], page_token=token)
    assert caught.value.reason == "PAGE_TOKEN_OTHER_QUERY"


def test_a_token_of_another_method_or_of_garbage_is_refused(deep: Served) -> None:
    token = deep.client.list_products(page_size=3).next_page_token
    for bad in (token, "nonsense", "AAAA" * 9000):
        with pytest.raises(InvalidArgument) as caught:
            deep.client.search(text="red ball", page_token=bad)
        assert caught.value.reason in ("PAGE_TOKEN_OTHER_QUERY", "PAGE_TOKEN_INVALID")


def test_a_token_of_a_version_that_is_not_served_any_more_says_what_to_do(deep: Served) -> None:
    token = Walk("v20200101T000000000000-abcdef", (b"search",)).to_token(b"12345678")
    with pytest.raises(FailedPrecondition) as caught:
        deep.client.search(text="red ball", page_token=token)
    assert caught.value.reason == "PAGE_TOKEN_VERSION"


# Duplicates


def test_products_that_show_the_same_are_one_hit(deep: Served) -> None:
    pages = walked(deep, SearchQuery(product_id="p-0050-0", top_k=500, filter="price < 1000 OR price >= 14000"))
    hits = {hit.product_id: hit for page in pages for hit in page}
    assert len(hits) == 2 * 160 - 1 - DUPLICATES_OF
    folded = [hit for hit in hits.values() if hit.duplicate_product_ids]
    assert len(folded) == DUPLICATES_OF
    for hit in folded:
        name = hit.product_id.rpartition("-")[0]
        assert {hit.product_id, *hit.duplicate_product_ids} == {f"{name}-0", f"{name}-14"}


def test_they_may_be_kept_apart(deep: Served) -> None:
    result = deep.client.search(product_id="p-0050-0", top_k=1000, filter="price < 1000", keep_duplicates=True)
    assert len(result) == 159
    assert {hit.duplicate_product_ids for hit in result} == {()}


def test_a_short_page_is_full_in_spite_of_duplicates(deep: Served) -> None:
    result = deep.client.search(product_id="p-0001-0", top_k=6, filter="price < 40 OR price >= 14000")
    assert len(result) == 6
    assert len({hit.product_id.rpartition("-")[0] for hit in result}) == 6


@pytest.mark.parametrize("strategy", ["average", "best_score"])
def test_recommendations_are_one_of_each_too(deep: Served, strategy: Any) -> None:
    asked: dict[str, Any] = {"strategy": strategy, "top_k": 40, "filter": "price < 40 OR price >= 14000"}
    whole = deep.client.recommend(["p-0001-0"], ["p-0120-0"], keep_duplicates=True, **asked)
    folded = deep.client.recommend(["p-0001-0"], ["p-0120-0"], **asked)
    assert len({hit.product_id.rpartition("-")[0] for hit in whole}) < len(whole) == 40
    assert len({hit.product_id.rpartition("-")[0] for hit in folded}) == len(folded) == 40
    assert any(hit.duplicate_product_ids for hit in folded)


# Groups


@pytest.mark.parametrize("field", ["color", "category", "in_stock"])
def test_groups_hold_the_best_hits_of_each_value(deep: Served, field: str) -> None:
    where = "price < 900"
    whole = deep.client.search(text="red ball", top_k=1000, filter=where)
    result = deep.client.search(text="red ball", top_k=1000, filter=where, group_by=field, hits_per_group=4)
    expected: dict[str, list[str]] = {}
    for hit in whole:
        value = {"color": hit.attributes.get("color"), "category": hit.category, "in_stock": hit.in_stock}[field]
        expected.setdefault(str(value).lower() if isinstance(value, bool) else str(value), []).append(hit.product_id)
    assert result.hits == ()
    assert [group.value for group in result.groups] == list(expected)
    for group in result.groups:
        assert ids(group.hits) == expected[str(group.value)][:4]
        assert group.candidate_count == len(expected[str(group.value)])


def test_a_product_without_a_value_is_a_group_of_its_own(deep: Served) -> None:
    result = deep.client.search(image=PICTURE, top_k=30, filter="price >= 1000 AND price < 1020", group_by="color")
    assert [group.value for group in result.groups] == [None] * 20
    assert [len(group) for group in result.groups] == [1] * 20


def test_walking_through_groups_gives_each_once(deep: Served) -> None:
    query = SearchQuery(image=PICTURE, top_k=1000, filter="price < 2000", group_by="color")
    (whole,) = walked(deep, query)
    pages = walked(deep, replace(query, top_k=7))
    assert [group for page in pages for group in page.groups] == list(whole.groups)
    assert len(whole.groups) > 160


def test_the_hits_of_groups_have_probabilities(deep: Served) -> None:
    alone = {hit.product_id: hit for hit in deep.client.search(text="red ball", top_k=50)}
    result = deep.client.search(text="red ball", group_by="color", hits_per_group=2)
    shared = [hit for group in result.groups for hit in group if hit.product_id in alone]
    assert shared
    for hit in shared:
        assert hit.match_probability == pytest.approx(alone[hit.product_id].match_probability)


# Facets and totals


FILTERS = ["", "in_stock", "price < 1500", "price >= 1000 AND price < 2000", "color:red OR color:blue", "price < 0"]


def values_of(hit: Hit, field: str) -> list[str]:
    value: Any = {"color": hit.attributes.get("color"), "in_stock": hit.in_stock, "title": hit.title}.get(field)
    if field == "category":
        levels = (hit.category or "").split("/")
        return ["/".join(levels[: depth + 1]) for depth in range(len(levels))] if hit.category else []
    return [] if value is None else [str(value).lower() if isinstance(value, bool) else str(value)]


@given(
    text=st.sampled_from(["red ball", "box", "nothing at all", "triangle"]),
    where=st.sampled_from(FILTERS),
    keep=st.booleans(),
    least=st.sampled_from([0.0, 0.3]),
    fields=st.lists(st.sampled_from(["color", "category", "in_stock", "title", "price"]), max_size=4, unique=True),
    grouped=st.sampled_from(["", "color", "category"]),
    size=st.integers(1, 50),
)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_facets_and_totals_are_those_of_the_pages(
    deep: Served, text: str, where: str, keep: bool, least: float, fields: list[str], grouped: str, size: int
) -> None:
    """Compared with counting what one long page gives."""
    asked = SearchQuery(text=text, filter=where, keep_duplicates=keep, min_match_probability=least)
    whole = [hit for page in walked(deep, replace(asked, top_k=1000)) for hit in page]
    query = replace(asked, facets=fields, count_total=True, group_by=grouped, top_k=size)
    result = next(iter(deep.client.walk_search(query)))
    assert result.total_size is not None
    assert result.total_size.value == len(whole)
    assert result.total_size.is_exact == (len(whole) < DEPTH and not least) or least
    for field in fields:
        facet = result.facets[field]
        assert facet.product_count == len(whole)
        if field == "price":
            prices = [hit.price for hit in whole if hit.price is not None]
            assert (facet.min, facet.max, facet.values) == (min(prices, default=None), max(prices, default=None), {})
            continue
        counts = Counter(value for hit in whole for value in values_of(hit, field))
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        assert list(facet.values.items()) == ranked[:20]
        assert facet.has_more_values == (len(ranked) > 20)
        assert facet.without_value_count == sum(not values_of(hit, field) for hit in whole)


@pytest.mark.parametrize("where", FILTERS)
def test_a_facet_may_count_all_that_the_filter_lets_through(deep: Served, where: str) -> None:
    products = list(deep.client.walk_products(filter=where, page_size=1000))
    facets = [FacetQuery(name, scope="filter") for name in ("color", "category", "in_stock")]
    result = deep.client.search(text="red ball", filter=where, facets=facets)
    for name in ("color", "in_stock"):
        values = [(product.attributes if name == "color" else product.payload).get(name) for product in products]
        counts = Counter(str(value).lower() for value in values if value is not None)
        assert result.facets[name].values == counts
        assert result.facets[name].product_count == len(products)
        assert result.facets[name].without_value_count is None
    assert result.total_size is None


def test_few_values_may_be_asked_for(deep: Served) -> None:
    result = deep.client.search(text="red ball", facets=[FacetQuery("title", 2), FacetQuery("color", 2, "filter")])
    for facet in result.facets.values():
        assert (len(facet.values), facet.has_more_values) == (2, True)


def test_an_answer_says_whether_it_is_everything(deep: Served) -> None:
    def reasons(**asked: Any) -> list[str]:
        coverage = deep.client.search(image=PICTURE, **asked).coverage
        assert coverage is not None
        assert coverage.complete == (not coverage.reasons)
        assert coverage.searched_fraction == 1
        return [reason.code for reason in coverage.reasons]

    assert reasons() == []
    assert reasons(facets=["color"]) == ["FACETS_OF_CANDIDATES"]
    assert reasons(group_by="color") == ["FACETS_OF_CANDIDATES"]
    assert reasons(facets=["color"], filter="price < 160") == []
    assert reasons(facets=[FacetQuery("color", scope="filter")]) == []
    assert reasons(top_k=1000) == ["DEPTH_REACHED"]
    assert reasons(top_k=1000, facets=["color"]) == ["DEPTH_REACHED", "FACETS_OF_CANDIDATES"]
    batch = deep.client.batch_search([SearchQuery(image=PICTURE, top_k=1000), SearchQuery(text="ball")])
    assert batch.meta.coverage is not None
    assert [reason.code for reason in batch.meta.coverage.reasons] == ["DEPTH_REACHED"]
    page = deep.client.list_products()
    assert page.meta.coverage is not None
    assert page.meta.coverage.complete


# Variety and probability


def test_varied_hits_begin_with_the_best_and_are_other_ones(served: Served) -> None:
    plain = served.client.search(image=PICTURE, top_k=10)
    varied = served.client.search(image=PICTURE, top_k=10, diversity=0.6)
    assert varied.hits[0].product_id == plain.hits[0].product_id
    titles = [len({hit.title for hit in result}) for result in (plain, varied)]
    assert titles[1] > titles[0]


def test_no_variety_changes_nothing(deep: Served) -> None:
    reply = deep.stub.Search(
        search_service_pb2.SearchRequest(
            parts=[query_pb2.QueryPart(text="red ball")],
            diversity=search_service_pb2.Diversity(relevance=1),
        )
    )
    assert [hit.product_id for hit in reply.hits] == ids(deep.client.search(text="red ball").hits)


def test_unlikely_hits_are_left_out(deep: Served) -> None:
    whole = deep.client.search(text="red ball", top_k=1000)
    likely = [hit.product_id for hit in whole if hit.match_probability is not None and hit.match_probability >= 0.5]
    assert 0 < len(likely) < len(whole)
    result = deep.client.search(text="red ball", top_k=1000, min_match_probability=0.5)
    assert ids(result.hits) == likely
    assert result.total_size is not None


# What is refused


def group(field: str, hits: int = 0) -> search_service_pb2.SearchRequest:
    return search_service_pb2.SearchRequest(group_by=search_service_pb2.GroupBy(field=field, hits_per_group=hits))


def facet(**given: Any) -> search_service_pb2.SearchRequest:
    return search_service_pb2.SearchRequest(facets=[search_service_pb2.FacetRequest(**({"field": "color"} | given))])


def several(count: int) -> search_service_pb2.SearchRequest:
    return search_service_pb2.SearchRequest(facets=[search_service_pb2.FacetRequest(field="color")] * count)


def varied(relevance: float) -> search_service_pb2.SearchRequest:
    return search_service_pb2.SearchRequest(diversity=search_service_pb2.Diversity(relevance=relevance))


def likely(least: float) -> search_service_pb2.SearchRequest:
    return search_service_pb2.SearchRequest(min_match_probability=least)


REFUSED = {
    "an unknown field to group by": (group("colour"), "GROUP_BY_UNKNOWN_FIELD", "group_by.field"),
    "no field to group by": (group(""), "GROUP_BY_UNKNOWN_FIELD", "group_by.field"),
    "numbers to group by": (group("price"), "GROUP_BY_FIELD_TYPE", "group_by.field"),
    "fewer than no hits of a group": (group("color", -1), "GROUP_BY_HITS", "group_by.hits_per_group"),
    "too many hits of a group": (group("color", 101), "GROUP_BY_HITS", "group_by.hits_per_group"),
    "an unknown field to count": (facet(field="colour"), "FACET_UNKNOWN_FIELD", "facets[0].field"),
    "fewer than no values": (facet(max_values=-1), "FACET_VALUES", "facets[0].max_values"),
    "too many values": (facet(max_values=1001), "FACET_VALUES", "facets[0].max_values"),
    "an unknown scope": (facet(scope=9), "FACET_SCOPE_UNKNOWN", "facets[0].scope"),
    "numbers over a filter": (facet(field="price", scope=2), "FACET_FIELD_NOT_COUNTED", "facets[0].field"),
    "titles over a filter": (facet(field="title", scope=2), "FACET_FIELD_NOT_COUNTED", "facets[0].field"),
    "too many facets": (several(17), "FACET_COUNT", "facets"),
    "too much relevance": (varied(1.01), "DIVERSITY_RANGE", "diversity.relevance"),
    "relevance below nothing": (varied(-0.01), "DIVERSITY_RANGE", "diversity.relevance"),
    "relevance that is no number": (varied(float("nan")), "DIVERSITY_RANGE", "diversity.relevance"),
    "a probability above 1": (likely(1.01), "MATCH_PROBABILITY_RANGE", "min_match_probability"),
    "a probability below 0": (likely(-0.01), "MATCH_PROBABILITY_RANGE", "min_match_probability"),
    "a probability that is no number": (likely(float("nan")), "MATCH_PROBABILITY_RANGE", "min_match_probability"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_out_of_range_is_refused_and_named(deep: Served, name: str) -> None:
    request, reason, field = REFUSED[name]
    request.parts.add(text="red ball")
    with pytest.raises(grpc.RpcError) as caught:
        deep.stub.Search(request)
    found = unpacked(caught.value)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert found["ErrorInfo"].reason == reason
    assert found["BadRequest"].field_violations[0].field == field
    assert "permitted" in found["BadRequest"].field_violations[0].description or "Known" in caught.value.details()


@pytest.mark.parametrize(
    "request_",
    [group("color", 1), group("color", 100), facet(max_values=1), facet(max_values=1000), several(16), varied(0), varied(1),
     likely(0), likely(1)],
)  # fmt: skip
def test_what_is_at_the_edge_of_its_range_is_answered(deep: Served, request_: search_service_pb2.SearchRequest) -> None:
    request_.parts.add(text="red ball")
    assert deep.stub.Search(request_).meta.request_id


def test_a_least_probability_is_refused_where_none_is_known(deep: Served) -> None:
    parts = [QueryPart(text="red"), QueryPart(text="ball")]
    with pytest.raises(InvalidArgument) as caught:
        deep.client.search(parts=parts, min_match_probability=0.1)
    assert caught.value.reason == "MATCH_PROBABILITY_UNKNOWN"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"group_by": "color", "hits_per_group": 0}, "GROUP_BY_HITS"),
        ({"facets": [FacetQuery("color", 0)]}, "FACET_VALUES"),
        ({"facets": [FacetQuery("color", scope="all")]}, "FACET_SCOPE_UNKNOWN"),  # type: ignore[arg-type]
        ({"diversity": 1.5}, "DIVERSITY_RANGE"),
    ],
)
def test_the_client_refuses_what_would_mean_something_else(served: Served, given: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        served.client.search(text="red ball", **given)
    assert caught.value.reason == reason


def test_one_name_is_not_several_facets(served: Served) -> None:
    with pytest.raises(TypeError, match="facets: str"):
        served.client.search(text="red ball", facets="color")
