"""Any message that a method's request can be is answered, or refused for a reason; none is our own fault."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from merchlens.v1 import catalog_service_pb2, query_pb2, recognition_service_pb2, search_service_pb2
from PIL import Image

from tests.server.conftest import DIM, Served

SERVICES = [
    search_service_pb2.DESCRIPTOR.services_by_name["SearchService"],
    catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"],
    recognition_service_pb2.DESCRIPTOR.services_by_name["RecognitionService"],
]
METHODS = {f"/{service.full_name}/{method.name}": method for service in SERVICES for method in service.methods}
STREAMS = {name for name, method in METHODS.items() if method.server_streaming}


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), "red").save(buffer, "PNG")
    return buffer.getvalue()


OUR_FAULT = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
WORDS = (
    "",
    "default",
    "red ball",
    "p-0000",
    "p-0001",
    "nope",
    "in_stock",
    "price < 20",
    "price <",
    "color:red",
    "(" * 40,
)
TEXTS = st.one_of(st.sampled_from(WORDS), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
INTEGERS = st.sampled_from([0, 1, 2, 10, 1001, -1, 2**31 - 1, -(2**31)])
NUMBERS = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 10.0, -10.5]), st.floats(width=32))
VECTORS = st.one_of(
    st.lists(NUMBERS, max_size=3), st.just([0.5] * DIM), st.just([0.0] * DIM), st.just([float("nan")] * DIM)
)
STRUCTS = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
        max_leaves=4,
    ),
    max_size=3,
)
PICTURES = st.one_of(st.just(picture()), st.just(picture()[:60]), st.binary(max_size=40))
SCALARS: dict[int, Callable[[FieldDescriptor], st.SearchStrategy[Any]]] = {
    FieldDescriptor.CPPTYPE_STRING: lambda field: PICTURES if field.type == FieldDescriptor.TYPE_BYTES else TEXTS,
    FieldDescriptor.CPPTYPE_INT32: lambda field: INTEGERS,
    FieldDescriptor.CPPTYPE_INT64: lambda field: INTEGERS,
    FieldDescriptor.CPPTYPE_FLOAT: lambda field: NUMBERS,
    FieldDescriptor.CPPTYPE_DOUBLE: lambda field: NUMBERS,
    FieldDescriptor.CPPTYPE_BOOL: lambda field: st.booleans(),
    # Values of a newer contract are passed on as they are.
    FieldDescriptor.CPPTYPE_ENUM: lambda field: st.sampled_from([*field.enum_type.values_by_number, 99]),
}


TEXT = query_pb2.QueryPart(text="red ball")
SEARCH = search_service_pb2.SearchRequest(parts=[TEXT])
GOOD: dict[str, Message] = {
    "Search": SEARCH,
    "BatchSearch": search_service_pb2.BatchSearchRequest(queries=[SEARCH, SEARCH]),
    "StreamSearch": search_service_pb2.StreamSearchRequest(query_id="1", query=SEARCH),
    "Recommend": search_service_pb2.RecommendRequest(
        liked_product_ids=["p-0000", "p-0001"], disliked_product_ids=["p-0002"], strategy="STRATEGY_BEST_SCORE"
    ),
    "Classify": recognition_service_pb2.ClassifyRequest(text="red ball"),
    "Embed": recognition_service_pb2.EmbedRequest(inputs=[recognition_service_pb2.EmbedInput(text="red ball")]),
    "GetProduct": catalog_service_pb2.GetProductRequest(product_id="p-0000"),
    "ListProducts": catalog_service_pb2.ListProductsRequest(),
    "GetIndex": catalog_service_pb2.GetIndexRequest(),
    "ListIndexVersions": catalog_service_pb2.ListIndexVersionsRequest(),
    "UpsertProducts": catalog_service_pb2.UpsertProductsRequest(
        product=catalog_service_pb2.ProductInput(product_id="p-0000", title="red ball", price=5.0)
    ),
    "DeleteProducts": catalog_service_pb2.DeleteProductsRequest(product_ids=["p-0159"]),
}
WRITES = ("UpsertProducts", "DeleteProducts")


def messages(kind: Descriptor) -> st.SearchStrategy[Any]:
    """Messages of a type, any of whose fields may be set or not."""
    made = GetMessageClass(kind)
    fields = st.fixed_dictionaries({}, optional={field.name: values(field) for field in kind.fields})
    return fields.map(lambda given: made(**only_one_of_each(kind, given)))


def nearly(good: Message) -> st.SearchStrategy[Message]:
    """A request that is answered, with at most two of its fields as they may come."""
    kind = good.DESCRIPTOR

    def changed(given: dict[str, Any]) -> Message:
        made = GetMessageClass(kind)()
        made.CopyFrom(good)
        for name in list(given)[:2]:
            made.ClearField(name)
        made.MergeFrom(GetMessageClass(kind)(**only_one_of_each(kind, dict(list(given.items())[:2]))))
        return made

    return st.fixed_dictionaries({}, optional={field.name: values(field) for field in kind.fields}).map(changed)


def only_one_of_each(kind: Descriptor, given: dict[str, Any]) -> dict[str, Any]:
    for choice in kind.oneofs:
        for field in [field.name for field in choice.fields if field.name in given][1:]:
            del given[field]
    return given


def struct(given: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(given)
    return made


def values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.full_name == "merchlens.v1.Vector.values":
        return VECTORS
    # Of itself it has no end.
    if field.message_type is not None and field.message_type.full_name == "google.protobuf.Struct":
        return STRUCTS.map(struct)
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        assert field.message_type is not None
        one = messages(field.message_type)
    else:
        one = SCALARS[field.cpp_type](field)
    return st.lists(one, max_size=3) if field.is_repeated else one


@pytest.mark.parametrize("name", [name for name in METHODS if name not in STREAMS])
def test_any_request_is_answered_or_refused_for_a_reason(request: pytest.FixtureRequest, name: str) -> None:
    method = METHODS[name]
    served: Served = request.getfixturevalue("changing" if method.name in WRITES else "served")
    write = GetMessageClass(method.input_type).SerializeToString
    read = GetMessageClass(method.output_type).FromString
    codes: set[grpc.StatusCode] = set()
    with grpc.insecure_channel(served.target) as channel:
        # Where a method takes a stream, this is one of a single message.
        call = channel.unary_unary(name, write, read)

        @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(request=messages(method.input_type) | nearly(GOOD[method.name]))
        def ask(request: Any) -> None:
            # Waits for the end, and raises nothing.
            pending = call.future(request, timeout=60)
            codes.add(pending.code())
            assert pending.code() not in OUR_FAULT, pending.details()
            if pending.code() is grpc.StatusCode.OK:
                reply = pending.result()
                assert reply.meta.request_id
                assert len(reply.meta.model_fingerprint) == 64
                assert reply.meta.index_version
                for result in getattr(reply, "results", ()):
                    assert not hasattr(result, "error") or result.error.code not in [
                        code.value[0] for code in OUR_FAULT
                    ]

        ask()
    assert grpc.StatusCode.OK in codes


def test_any_query_of_a_stream_is_answered_or_refused_for_a_reason(served: Served) -> None:
    (name,) = STREAMS
    method = METHODS[name]
    write = GetMessageClass(method.input_type).SerializeToString
    read = GetMessageClass(method.output_type).FromString
    codes: set[int] = set()
    ours = [code.value[0] for code in OUR_FAULT]
    with grpc.insecure_channel(served.target) as channel:
        call = channel.stream_stream(name, write, read)

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(requests=st.lists(messages(method.input_type) | nearly(GOOD[method.name]), max_size=4))
        def ask(requests: list[Any]) -> None:
            replies = list(call(iter(requests), timeout=60))
            assert sorted(reply.query_id for reply in replies) == sorted(asked.query_id for asked in requests)
            codes.update(reply.error.code for reply in replies)
            assert not codes.intersection(ours), replies

        ask()
    assert 0 in codes
