"""Queries of several parts with weights, and recommendations, through the client and a real channel."""

from __future__ import annotations

from typing import Any

import grpc
import numpy as np
import pytest
from merchlens import InvalidArgument, NotFound, QueryPart, SearchQuery, SearchResult
from merchlens.v1 import query_pb2, search_service_pb2

from tests.conftest import draw_product
from tests.server.conftest import Served, unpacked
from tests.server.rpc.test_bad_input import encoded

BALL = encoded(draw_product("ellipse", "red", 9000))
ALL = 160


def scores(result: Any) -> dict[str, float]:
    return {hit.product_id: hit.score for hit in result}


def scores_with(served: Served, part: QueryPart) -> dict[str, float]:
    """Of all products with one part by itself; a product's score with itself is 1."""
    options = {"text": part.text, "image": part.image, "product_id": part.product_id, "vector": part.vector}
    found = scores(served.client.search(**options, top_k=ALL))
    return found if part.product_id is None else {**found, part.product_id: 1.0}


MIXES = {
    "a picture and words": [QueryPart(image=BALL), QueryPart(text="blue", weight=0.5)],
    "a product, but not as another": [QueryPart(product_id="p-0000", weight=2), QueryPart(product_id="p-0005", weight=-1)],
    "words away from words": [QueryPart(text="ball"), QueryPart(text="red", weight=-10), QueryPart(text="green box", weight=10)],
    "sixteen": [QueryPart(text=f"ball {number}", weight=number - 5.5) for number in range(16)],
}  # fmt: skip


@pytest.mark.parametrize("name", MIXES)
def test_a_score_is_the_weighted_mean_of_the_scores_with_each_part(served: Served, name: str) -> None:
    parts = MIXES[name]
    result = served.client.search(parts=parts, top_k=ALL)
    whole = sum(abs(part.weight) for part in parts)
    single = [(part.weight / whole, scores_with(served, part)) for part in parts]
    given = {part.product_id for part in parts}
    names = [product_id for product_id in single[0][1] if product_id not in given]
    expected = {name: sum(share * found[name] for share, found in single) for name in names}
    assert scores(result) == pytest.approx(expected, abs=1e-4)
    values = [hit.score for hit in result]
    assert values == sorted(values, reverse=True)


def test_what_was_fitted_on_queries_of_one_part_is_not_said_of_several(served: Served) -> None:
    result = served.client.search(parts=MIXES["a picture and words"])
    assert (result.category, dict(result.attributes), result.warnings) == (None, {}, ())
    assert {(hit.match_probability, hit.same_product_probability) for hit in result} == {(None, None)}
    assert list(result.timings_us) == ["decode", "encode", "search", "rank"]


def test_one_part_is_answered_as_ever_whatever_its_weight(served: Served) -> None:
    for weight in (1.0, 0.1, 10.0):
        result = served.client.search(parts=[QueryPart(text="red ball", weight=weight)])
        assert scores(result) == scores(served.client.search(text="red ball"))
        assert result.category is not None


def test_a_weight_that_is_not_set_is_one(served: Served) -> None:
    parts = [query_pb2.QueryPart(text="red ball"), query_pb2.QueryPart(text="box", weight=1)]
    reply = served.stub.Search(search_service_pb2.SearchRequest(parts=parts))
    asked = served.client.search(parts=[QueryPart(text="red ball"), QueryPart(text="box")])
    assert [hit.product_id for hit in reply.hits] == [hit.product_id for hit in asked]


def test_a_filter_is_kept_to_and_changes_no_score(served: Served) -> None:
    parts = MIXES["a picture and words"]
    whole = scores(served.client.search(parts=parts, top_k=ALL))
    filtered = served.client.search(parts=parts, top_k=ALL, filter="color = blue")
    assert len(filtered) == 40
    assert {hit.attributes["color"] for hit in filtered} == {"blue"}
    assert scores(filtered) == pytest.approx({name: whole[name] for name in scores(filtered)}, abs=1e-6)


def test_a_batch_takes_queries_of_several_parts_too(served: Served) -> None:
    queries = [SearchQuery(parts=parts) for parts in MIXES.values()] + [SearchQuery(parts=[QueryPart(text=" ")])]
    *answers, bad = served.client.batch_search(queries)
    for answer, parts in zip(answers, MIXES.values(), strict=True):
        assert isinstance(answer, SearchResult)
        assert scores(answer) == pytest.approx(scores(served.client.search(parts=parts)), abs=1e-5)
    assert isinstance(bad, InvalidArgument)
    assert bad.field_violations[0].field == "parts[0].text"


@pytest.mark.parametrize("weight", [10.0, -10.0, 10.001, -10.001, 0.0, float("nan")])
def test_weights_are_between_minus_ten_and_ten(served: Served, weight: float) -> None:
    parts = [QueryPart(text="red ball", weight=10), QueryPart(text="box", weight=weight)]
    if abs(weight) == 10:
        assert len(served.client.search(parts=parts)) == 10
        return
    with pytest.raises(InvalidArgument) as caught:
        served.client.search(parts=parts)
    assert (caught.value.reason, caught.value.field_violations[0].field) == ("PART_WEIGHT", "parts[1].weight")


def test_the_client_takes_parts_or_one_query(served: Served) -> None:
    with pytest.raises(InvalidArgument, match="permitted: one"):
        served.client.search(text="ball", parts=[QueryPart(text="ball")])


# Recommendations


LIKED, DISLIKED = ["p-0000", "p-0016", "p-0001"], ["p-0002", "p-0006"]


def cosines(served: Served, ids: list[str]) -> dict[str, np.ndarray]:
    """Scores of all products with each of some."""
    found = [scores_with(served, QueryPart(product_id=each)) for each in ids]
    return {name: np.asarray([column[name] for column in found]) for name in found[0]}


@pytest.mark.parametrize("disliked", [[], DISLIKED], ids=["liked", "liked and disliked"])
def test_by_average_a_score_is_the_weighted_mean_of_the_scores_with_each(served: Served, disliked: list[str]) -> None:
    result = served.client.recommend(LIKED, disliked, top_k=ALL, request_id="order-17")
    near, far = cosines(served, LIKED), cosines(served, DISLIKED)
    expected = {
        name: (2 * near[name].mean() - far[name].mean()) / 3 if disliked else near[name].mean()
        for name in near
        if name not in {*LIKED, *disliked}
    }
    assert scores(result) == pytest.approx(expected, abs=1e-4)
    assert [hit.score for hit in result] == sorted((hit.score for hit in result), reverse=True)
    assert (result.meta.request_id, result.meta.index_version) == ("order-17", served.catalog.origin.index_version)
    assert list(result.meta.timings_us) == ["decode", "search", "rank"]
    assert {(hit.match_probability, hit.same_product_probability) for hit in result} == {(None, None)}


@pytest.mark.parametrize("disliked", [[], DISLIKED], ids=["liked", "liked and disliked"])
def test_by_best_score_the_nearest_that_is_liked_counts(served: Served, disliked: list[str]) -> None:
    result = served.client.recommend(LIKED, disliked, strategy="best_score", top_k=ALL)
    near, far = cosines(served, LIKED), cosines(served, DISLIKED)
    names = [name for name in near if name not in {*LIKED, *disliked}]
    assert scores(result) == pytest.approx({name: near[name].max() for name in names}, abs=1e-4)
    found = [hit.product_id for hit in result]
    kept = [name for name in found if not disliked or near[name].max() > far[name].max()]
    assert found[: len(kept)] == kept
    assert [near[name].max() for name in kept] == pytest.approx(
        sorted((near[name].max() for name in kept), reverse=True), abs=1e-4
    )


@pytest.mark.parametrize("strategy", ["average", "best_score"])
def test_what_is_recommended_keeps_to_filter_size_and_fields(served: Served, strategy: Any) -> None:
    result = served.client.recommend(
        LIKED, DISLIKED, strategy=strategy, filter="in_stock", top_k=5, fields=["in_stock"]
    )
    assert len(result) == 5
    assert {hit.product_id for hit in result}.isdisjoint({*LIKED, *DISLIKED})
    assert [hit.payload for hit in result] == [{"in_stock": True}] * 5


def test_one_that_is_liked_twice_counts_twice(served: Served) -> None:
    twice = served.client.recommend(["p-0000", "p-0000", "p-0002"], top_k=ALL)
    near = cosines(served, ["p-0000", "p-0000", "p-0002"])
    assert scores(twice) == pytest.approx({name: near[name].mean() for name in scores(twice)}, abs=1e-4)


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "nothing liked": ({"disliked_product_ids": ["p-0000"]}, "RECOMMEND_SIZE", "liked_product_ids"),
    "257 products": (
        {"liked_product_ids": ["p-0000"] * 200, "disliked_product_ids": ["p-0001"] * 57}, "RECOMMEND_SIZE", "liked_product_ids",
    ),
    "an empty id": ({"liked_product_ids": ["p-0000", ""]}, "PRODUCT_ID_EMPTY", "liked_product_ids[1]"),
    "an empty disliked id": (
        {"liked_product_ids": ["p-0000"], "disliked_product_ids": [""]}, "PRODUCT_ID_EMPTY", "disliked_product_ids[0]",
    ),
    "liked and disliked": (
        {"liked_product_ids": ["p-0000"], "disliked_product_ids": ["p-0001", "p-0000"]},
        "LIKED_AND_DISLIKED", "disliked_product_ids[1]",
    ),
    "an unknown strategy": ({"liked_product_ids": ["p-0000"], "strategy": 99}, "STRATEGY_UNKNOWN", "strategy"),
    "a bad filter": ({"liked_product_ids": ["p-0000"], "filter": "price <"}, "FILTER_SYNTAX", "filter"),
    "a negative size": ({"liked_product_ids": ["p-0000"], "page_size": -1}, "PAGE_SIZE_NEGATIVE", "page_size"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_nothing_can_be_recommended_from_is_refused(served: Served, name: str) -> None:
    fields, reason, field = REFUSED[name]
    with pytest.raises(grpc.RpcError) as caught:
        served.stub.Recommend(search_service_pb2.RecommendRequest(**fields))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    details = unpacked(caught.value)
    assert details["ErrorInfo"].reason == reason
    assert [item.field for item in details["BadRequest"].field_violations] == [field]


def test_as_many_as_are_permitted_are_taken(served: Served) -> None:
    liked, disliked = ["p-0000"] * 200, ["p-0001"] * 56
    for strategy in ("STRATEGY_UNSPECIFIED", "STRATEGY_BEST_SCORE"):
        reply = served.stub.Recommend(
            search_service_pb2.RecommendRequest(
                liked_product_ids=liked, disliked_product_ids=disliked, strategy=strategy, page_size=1001
            )
        )
        assert len(reply.hits) == ALL - 2
        assert [warning.code for warning in reply.meta.warnings] == ["PAGE_SIZE_CAPPED"]


def test_a_product_that_is_not_there_is_not_found(served: Served) -> None:
    with pytest.raises(NotFound) as caught:
        served.client.recommend(["p-0000"], ["nope"])
    assert caught.value.reason == "PRODUCT_NOT_FOUND"
    assert caught.value.resource is not None
    assert (caught.value.resource.type, caught.value.resource.name) == ("product", "nope")
    with pytest.raises(NotFound):
        served.client.recommend(["p-0000"], catalog="other")
