"""What pictures show and texts name, and their embeddings, through the client and a real channel."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from merchlens import InvalidArgument, NotFound
from merchlens.v1 import recognition_service_pb2, recognition_service_pb2_grpc

from server.errors import DeadlineExpired
from server.search.query import TextQuery
from tests.conftest import draw_product
from tests.server.conftest import DIM, Served, unpacked
from tests.server.rpc.test_bad_input import BAD, encoded

BALL = encoded(draw_product("ellipse", "red", 9000))


@pytest.fixture(scope="module")
def stub(served: Served) -> Iterator[recognition_service_pb2_grpc.RecognitionServiceStub]:
    with grpc.insecure_channel(served.target) as channel:
        yield recognition_service_pb2_grpc.RecognitionServiceStub(channel)


# Classify


@pytest.mark.parametrize(
    "query", [{"text": "a green ball"}, {"text": "asdkjh qwe"}, {"image": BALL}], ids=["words", "nonsense", "picture"]
)
def test_what_is_said_of_a_query_is_what_a_search_says_of_it(served: Served, query: dict[str, str]) -> None:
    said, found = served.client.classify(**query, request_id="order-17"), served.client.search(**query)
    assert said.category == found.category
    assert said.category is not None
    assert said.category.branch
    assert said.category.candidates[0].neighbor_share is not None
    assert said.attributes == found.attributes
    assert [warning.code for warning in said.meta.warnings] == [warning.code for warning in found.warnings]
    assert (said.meta.request_id, said.meta.index_version) == ("order-17", found.index_version)
    assert list(said.meta.timings_us) == ["decode", "encode", "search", "rank"]


def test_nonsense_is_answered_with_a_warning_that_names_the_field(served: Served) -> None:
    said = served.client.classify(text="asdkjh qwe")
    assert [(warning.code, warning.field) for warning in said.meta.warnings] == [("NOTHING_GOOD_FOUND", "text")]
    assert said.category is not None
    assert (said.category.abstention, said.category.sure_category) == ("not_in_catalog", "")


INPUTS = {
    name: (parts[0], reason, field.partition("].")[2])
    for name, (parts, fields, reason, field, _) in BAD.items()
    if len(parts) == 1 and not fields and not parts[0].weight and parts[0].WhichOneof("query") in ("text", "image")
}


@pytest.mark.parametrize("name", INPUTS)
def test_bad_input_is_refused_as_in_a_search(
    stub: recognition_service_pb2_grpc.RecognitionServiceStub, name: str
) -> None:
    part, reason, field = INPUTS[name]
    kind = part.WhichOneof("query")
    given = {kind: getattr(part, kind)}
    with pytest.raises(grpc.RpcError) as caught:
        stub.Classify(recognition_service_pb2.ClassifyRequest(**given))
    details = unpacked(caught.value)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason in (None, details["ErrorInfo"].reason)
    assert [item.field for item in details["BadRequest"].field_violations] == [field]
    reply = stub.Embed(
        recognition_service_pb2.EmbedRequest(
            inputs=[
                recognition_service_pb2.EmbedInput(text="ball"),
                recognition_service_pb2.EmbedInput(**given),
                recognition_service_pb2.EmbedInput(image={"data": BALL}),
            ]
        )
    )
    first, bad, last = reply.results
    assert len(first.vector.values) == len(last.vector.values) == DIM
    assert bad.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert f"inputs[1].{field}".encode() in bad.error.SerializeToString()


def test_nothing_to_look_at_is_refused(stub: recognition_service_pb2_grpc.RecognitionServiceStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.Classify(recognition_service_pb2.ClassifyRequest())
    assert unpacked(caught.value)["ErrorInfo"].reason == "QUERY_EMPTY"


@pytest.mark.parametrize("query", [{}, {"text": "ball", "image": BALL}])
def test_the_client_asks_about_one_thing(served: Served, query: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument, match="exactly one"):
        served.client.classify(**query)


def test_another_catalog_is_not_found(served: Served) -> None:
    for ask in (
        lambda: served.client.classify(text="ball", catalog="x"),
        lambda: served.client.embed_texts(["a"], catalog="x"),
    ):
        with pytest.raises(NotFound) as caught:
            ask()
        assert caught.value.reason == "CATALOG_NOT_FOUND"


def test_a_caller_who_leaves_costs_no_search(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(served.catalog.finder, "find", lambda *_: asked.append(1))
    ended = iter([None])

    def check_alive() -> None:
        if next(ended, 1) is not None:
            raise DeadlineExpired("the caller cancelled")

    with pytest.raises(DeadlineExpired):
        served.catalog.classifier.classify("", TextQuery("a ball that nobody has asked for before"), check_alive)
    assert asked == []


# Embed


def test_pictures_and_texts_become_what_an_index_holds_of_them(served: Served) -> None:
    encoder = served.catalog.encoder
    pictures = served.client.embed_images([BALL, BALL], request_id="order-17")
    texts = served.client.embed_texts(["red ball", "a tall green box " * 8])
    assert np.allclose(pictures.vectors, encoder.encode_images([draw_product("ellipse", "red", 9000)] * 2), atol=1e-5)
    assert np.allclose(texts.vectors, encoder.encode_texts(["red ball", "a tall green box " * 8]), atol=1e-5)
    assert np.allclose(np.linalg.norm([*pictures.vectors, *texts.vectors], axis=1), 1.0, atol=1e-5)
    assert pictures.meta.model_fingerprint == encoder.info.fingerprint
    assert (pictures.meta.request_id, list(pictures.meta.timings_us)) == ("order-17", ["decode", "encode"])


def test_an_embedding_finds_what_its_picture_finds(served: Served) -> None:
    (vector,) = served.client.embed_images([BALL])
    assert isinstance(vector, tuple)
    by_vector, by_picture = served.client.search(vector=vector), served.client.search(image=BALL)
    assert [hit.product_id for hit in by_vector] == [hit.product_id for hit in by_picture]
    assert by_vector.warnings == ()


def test_a_bad_picture_fails_by_itself(served: Served) -> None:
    bad, good = served.client.embed_images([b"no picture", BALL])
    assert isinstance(bad, InvalidArgument)
    assert (bad.reason, bad.field_violations[0].field) == ("IMAGE_UNREADABLE", "inputs[0].image.data")
    assert isinstance(good, tuple)


def test_what_was_cut_is_told_with_its_place(served: Served) -> None:
    meta = served.client.embed_texts(["ball", "a red ball " * 300]).meta
    assert [(warning.code, warning.field) for warning in meta.warnings] == [("TEXT_TRUNCATED", "inputs[1].text")]


@pytest.mark.parametrize(("count", "permitted"), [(0, False), (1, True), (256, True), (257, False)])
def test_1_to_256_are_embedded_at_once(served: Served, count: int, permitted: bool) -> None:
    if permitted:
        assert len(served.client.embed_texts(["ball"] * count, timeout_s=120)) == count
        return
    with pytest.raises(InvalidArgument) as caught:
        served.client.embed_texts(["ball"] * count)
    assert (caught.value.reason, caught.value.field_violations[0].field) == ("EMBED_SIZE", "inputs")
