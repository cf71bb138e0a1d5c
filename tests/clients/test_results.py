from __future__ import annotations

import math

import merchlens
import pytest
from merchlens import Client
from merchlens.v1 import attribute_pb2, category_pb2, meta_pb2, search_service_pb2


def full_answer(request, context):
    response = search_service_pb2.SearchResponse(
        hits=[
            search_service_pb2.Hit(product_id="A-1", score=0.5, picture="b.jpg"),
            search_service_pb2.Hit(product_id="A-2", score=0.25),
        ],
        category=category_pb2.CategoryPrediction(
            category="shoes/boots",
            probability=0.75,
            candidates=[
                category_pb2.CategoryProbability(
                    category="shoes/boots", probability=0.75, head_probability=0.5, neighbor_share=0.0, name_cosine=0.25
                ),
                category_pb2.CategoryProbability(category="shoes", probability=0.125),
            ],
            method=category_pb2.CategoryPrediction.METHOD_FUSION,
            in_catalog_probability=0.5,
            abstention=category_pb2.CategoryPrediction.ABSTENTION_UNSURE,
            branch=[
                category_pb2.CategoryNode(category="shoes", probability=0.875),
                category_pb2.CategoryNode(category="shoes/boots", probability=0.75),
            ],
            sure_category="shoes",
        ),
        attributes=[
            attribute_pb2.AttributePrediction(
                name="color",
                value="red",
                probability=0.75,
                is_sure=True,
                candidates=[attribute_pb2.AttributeValueProbability(value="red", probability=0.75)],
                method=attribute_pb2.AttributePrediction.METHOD_HEAD,
                is_calibrated=True,
            ),
            attribute_pb2.AttributePrediction(name="style", value="sporty", probability=0.5, method=99),
        ],
        meta=meta_pb2.ResponseMeta(
            model_fingerprint="ab" * 32,
            index_version="v3",
            request_id=dict(context.invocation_metadata())["x-request-id"],
            timings=[
                meta_pb2.StageTiming(stage="encode", duration_us=12_500),
                meta_pb2.StageTiming(stage="search", duration_us=300),
                meta_pb2.StageTiming(stage="search", duration_us=40),
            ],
            warnings=[meta_pb2.Warning(code="PAGE_SIZE_CAPPED", field="page_size", text="1000 answered")],
        ),
    )
    payload = response.hits[0].payload
    payload.update(
        {
            "title": "Red boot",
            "category": "shoes/boots",
            "price": 49.5,
            "in_stock": True,
            "pictures": ["a.jpg", "b.jpg"],
        }
    )
    payload.update({"attributes": {"color": ["red", "blue"], "heel_cm": 4, "lined": False, "brand": "Acme"}})
    payload["recalled"] = None
    payload["weird"] = math.nan
    response.hits[1].payload.update({"price": "on request", "attributes": "none"})
    return response


def test_an_answer_becomes_typed_results(serve):
    served = serve(full_answer)
    with Client(served.target) as client:
        result = client.search(text="boots", request_id="order-17")
    first, second = result.hits
    assert (first.product_id, first.score, first.title, first.category) == ("A-1", 0.5, "Red boot", "shoes/boots")
    assert (first.price, first.in_stock) == (49.5, True)
    assert first.attributes == {"color": ("red", "blue"), "heel_cm": 4.0, "lined": False, "brand": "Acme"}
    assert first.payload["pictures"] == ["a.jpg", "b.jpg"]
    assert (first.picture, second.picture) == ("b.jpg", "")
    assert first.payload["attributes"]["color"] == ["red", "blue"]
    assert first.payload["recalled"] is None
    assert math.isnan(first.payload["weird"])
    assert result.attributes == {
        "color": merchlens.AttributePrediction(
            "color", "red", 0.75, True, (merchlens.AttributeValueProbability("red", 0.75),), "head", True
        ),
        "style": merchlens.AttributePrediction("style", "sporty", 0.5, False, (), "unknown", False),
    }
    assert result.category == merchlens.CategoryPrediction(
        category="shoes/boots",
        probability=0.75,
        candidates=(
            merchlens.CategoryProbability("shoes/boots", 0.75, 0.5, 0.0, 0.25),
            merchlens.CategoryProbability("shoes", 0.125, None, None, None),
        ),
        method="fusion",
        in_catalog_probability=0.5,
        abstention="unsure",
        branch=(merchlens.CategoryNode("shoes", 0.875), merchlens.CategoryNode("shoes/boots", 0.75)),
        sure_category="shoes",
    )
    assert (result.model_fingerprint, result.index_version, result.request_id) == ("ab" * 32, "v3", "order-17")
    assert list(result.timings_us.items()) == [("encode", 12_500), ("search", 340)]
    assert result.warnings == (merchlens.ServerWarning("PAGE_SIZE_CAPPED", "page_size", "1000 answered"),)
    assert list(result) == [first, second]
    assert len(result) == 2


def test_what_the_catalog_did_not_give_or_gave_in_another_type_counts_as_not_given(serve):
    served = serve(full_answer)
    with Client(served.target) as client:
        hit = client.search(text="boots").hits[1]
    assert (hit.title, hit.category, hit.price, hit.in_stock, hit.attributes) == ("", None, None, None, {})
    assert hit.payload == {"price": "on request", "attributes": "none"}


def test_an_empty_answer_is_a_falsy_result_without_category(serve):
    served = serve()
    with Client(served.target) as client:
        result = client.search(text="boots")
    assert not result
    assert result.category is None
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("number", "method"), [(1, "head"), (2, "neighbors"), (3, "fusion"), (0, "unknown"), (77, "unknown")]
)
def test_a_method_of_a_newer_server_is_unknown(number, method):
    message = category_pb2.CategoryPrediction(category="shoes", method=number)
    assert merchlens.CategoryPrediction.from_message(message).method == method


@pytest.mark.parametrize(("number", "reason"), [(0, ""), (1, "not_in_catalog"), (2, "unsure"), (77, "unknown")])
def test_so_is_a_reason_to_abstain(number, reason):
    message = category_pb2.CategoryPrediction(category="shoes", abstention=number)
    assert merchlens.CategoryPrediction.from_message(message).abstention == reason


def test_what_an_older_server_does_not_say_is_absent():
    found = merchlens.CategoryPrediction.from_message(category_pb2.CategoryPrediction(category="shoes"))
    assert (found.in_catalog_probability, found.abstention, found.branch, found.sure_category) == (None, "", (), "")
