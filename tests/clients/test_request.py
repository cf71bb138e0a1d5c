from __future__ import annotations

import array
import math
import pathlib

import merchlens
import pytest
from merchlens import Client

PICTURE = b"\xff\xd8 not quite a picture"


# What is sent


def test_a_text_query_is_sent_with_the_defaults(serve):
    served = serve()
    with Client(served.target) as client:
        client.search(text="rote Stiefel")
    (request,) = served.requests
    assert [(part.WhichOneof("query"), part.text) for part in request.parts] == [("text", "rote Stiefel")]
    assert (request.filter, request.page_size, request.catalog) == ("", 10, "")


def test_filter_top_k_and_catalog_are_sent(serve):
    served = serve()
    with Client(served.target) as client:
        client.search(text="boots", filter='category:"shoes" AND price < 50', top_k=25, catalog="summer")
    (request,) = served.requests
    assert (request.filter, request.page_size, request.catalog) == ('category:"shoes" AND price < 50', 25, "summer")


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_a_picture_may_be_bytes(serve, make):
    served = serve()
    with Client(served.target) as client:
        client.search(image=make(PICTURE))
    assert served.requests[0].parts[0].image.data == PICTURE


@pytest.mark.parametrize("make", [str, pathlib.Path])
def test_a_picture_may_be_a_path(serve, tmp_path, make):
    served = serve()
    path = tmp_path / "boot.jpg"
    path.write_bytes(PICTURE)
    with Client(served.target) as client:
        client.search(image=make(path))
    assert served.requests[0].parts[0].image.data == PICTURE


def test_a_product_id_is_sent(serve):
    served = serve()
    with Client(served.target) as client:
        client.search(product_id="A-17")
    part = served.requests[0].parts[0]
    assert (part.WhichOneof("query"), part.product_id) == ("product_id", "A-17")


@pytest.mark.parametrize("make", [list, tuple, lambda values: array.array("f", values)])
def test_a_vector_is_sent(serve, make):
    served = serve()
    with Client(served.target) as client:
        client.search(vector=make([0.5, -0.25, 1.0]))
    part = served.requests[0].parts[0]
    assert part.WhichOneof("query") == "vector"
    assert list(part.vector.values) == [0.5, -0.25, 1.0]


@pytest.mark.parametrize("values", [[], [math.nan, 1.0], [math.inf]])
def test_a_strange_vector_is_left_to_the_server_to_judge(serve, values):
    served = serve()
    with Client(served.target) as client:
        client.search(vector=values)
    part = served.requests[0].parts[0]
    assert part.WhichOneof("query") == "vector"
    assert [str(value) for value in part.vector.values] == [str(float(value)) for value in values]


def test_top_k_over_the_limit_is_sent_for_the_server_to_cap(serve):
    served = serve()
    with Client(served.target) as client:
        client.search(text="boots", top_k=5000)
    assert served.requests[0].page_size == 5000


def test_the_request_id_is_sent_and_a_new_one_made_where_none_is_given(serve):
    served = serve()
    with Client(served.target) as client:
        client.search(text="boots", request_id="order-17")
        client.search(text="boots")
        client.search(text="boots")
    ids = [metadata["x-request-id"] for metadata in served.metadata]
    assert ids[0] == "order-17"
    assert len(set(ids)) == 3


# What is refused before it is sent


@pytest.mark.parametrize(
    "query", [{}, {"text": "boots", "product_id": "A-1"}, {"text": "", "vector": []}, {"image": "missing", "text": "a"}]
)
def test_none_or_several_queries_are_refused_without_a_call(serve, query):
    served = serve()
    with Client(served.target) as client, pytest.raises(merchlens.InvalidArgument) as caught:
        client.search(**query)
    assert caught.value.reason == "QUERY_PARTS"
    assert [item.field for item in caught.value.field_violations] == ["parts"]
    assert served.requests == []


@pytest.mark.parametrize(
    ("arguments", "reason", "field"),
    [
        ({"top_k": 0}, "TOP_K_RANGE", "page_size"),
        ({"top_k": -1}, "TOP_K_RANGE", "page_size"),
        ({"top_k": 2**31}, "TOP_K_RANGE", "page_size"),
        ({"text": "bo\ud800ot"}, "TEXT_NOT_UTF8", "parts[0].text"),
        ({"text": None, "product_id": "\udcff"}, "TEXT_NOT_UTF8", "parts[0].product_id"),
        ({"filter": 'title:"\ud800"'}, "TEXT_NOT_UTF8", "filter"),
        ({"catalog": "\ud800"}, "TEXT_NOT_UTF8", "catalog"),
        ({"text": None, "vector": [10**400]}, "VECTOR_NOT_FINITE", "parts[0].vector.values"),
        ({"text": None, "image": bytes(17 * 2**20 + 1)}, "IMAGE_TOO_LARGE", "parts[0].image.data"),
        ({"timeout_s": 0}, "TIMEOUT_RANGE", "timeout_s"),
        ({"timeout_s": math.inf}, "TIMEOUT_RANGE", "timeout_s"),
        ({"timeout_s": math.nan}, "TIMEOUT_RANGE", "timeout_s"),
        ({"request_id": ""}, "REQUEST_ID", "x-request-id"),
        ({"request_id": "a b"}, "REQUEST_ID", "x-request-id"),
        ({"request_id": "ü"}, "REQUEST_ID", "x-request-id"),
        ({"request_id": "x" * 129}, "REQUEST_ID", "x-request-id"),
    ],
)
def test_what_cannot_be_sent_is_an_invalid_argument(serve, arguments, reason, field):
    served = serve()
    with Client(served.target) as client, pytest.raises(merchlens.InvalidArgument) as caught:
        client.search(**{"text": "boots", **arguments})
    assert caught.value.reason == reason
    assert [item.field for item in caught.value.field_violations] == [field]
    assert "permitted" in caught.value.message
    assert served.requests == []


def test_a_huge_file_is_read_no_further_than_shows_that_it_is_too_large(serve, tmp_path):
    served = serve()
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(2**40)
    with Client(served.target) as client, pytest.raises(merchlens.InvalidArgument, match="17 MiB"):
        client.search(image=path)


def test_a_missing_picture_is_the_usual_file_not_found(serve, tmp_path):
    served = serve()
    with Client(served.target) as client, pytest.raises(FileNotFoundError):
        client.search(image=str(tmp_path / "missing.jpg"))


@pytest.mark.parametrize(
    "arguments", [{"text": b"boots"}, {"image": 3}, {"vector": ["a"]}, {"text": "boots", "top_k": 2.5}]
)
def test_a_wrong_type_is_a_type_error(serve, arguments):
    served = serve()
    with Client(served.target) as client, pytest.raises(TypeError):
        client.search(**arguments)
