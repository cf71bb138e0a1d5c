"""Whatever a method runs into ends in a status with details, in each of gRPC's four kinds of method.

The service is the tests' own; server, interceptor, health and reflection are the real ones.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from indexer.errors import StoreUnavailable
from server.errors import InvalidRequest
from server.rpc.interceptors import StatusInterceptor
from server.rpc.services import Service
from server.settings import ServerSettings
from tests.server.conftest import serving, unpacked

NAME = "merchlens.test.v1.EchoService"
KINDS = ("One", "Many", "Gather", "Chat")
DEADLINE_S = 60
"""A call that is never answered ends by this, with a status that no test here expects."""


class Panic(BaseException):
    """As what a panic in native code becomes."""


class Wordless(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        raise ValueError


RAISED: dict[str, Callable[[], BaseException]] = {
    "panic": lambda: Panic("thread 'main' panicked at /secret/path.rs"),
    "exit": lambda: SystemExit(3),
    "interrupt": KeyboardInterrupt,
    "memory": MemoryError,
    "recursion": RecursionError,
    "stop": lambda: StopIteration(1),
    "wordless": Wordless,
    "invalid": lambda: InvalidRequest("TEXT_EMPTY", "parts[0].text", "text ''; permitted: words"),
    "store": lambda: StoreUnavailable("at 10.0.0.7"),
}


class EchoServicer:
    """Echoes each request with its call's id; a request that names a failure runs into it."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def One(self, request, call):
        return self._reply(request, call)

    def Many(self, request, call):
        try:
            yield StringValue(value=f"first {call.request_id}")
            while request.value == "endless":
                yield StringValue(value="on and on")
            yield self._reply(request, call)
        finally:
            self.closed.set()

    def Gather(self, requests, call):
        return StringValue(value=" + ".join(self._reply(request, call).value for request in requests))

    def Chat(self, requests, call):
        for request in requests:
            yield self._reply(request, call)

    def _reply(self, request, call):
        if request.value in RAISED:
            raise RAISED[request.value]()
        if request.value == "no message":
            return "not even bytes"
        return StringValue(value=f"{request.value} {call.request_id}")


def read(data: bytes) -> StringValue:
    if data == b"\xffpanic":
        raise Panic
    return StringValue.FromString(data)


def write(reply: StringValue) -> bytes:
    return reply.SerializeToString()


def add_to_server(servicer: EchoServicer, server: grpc.Server) -> None:
    handlers = {
        "One": grpc.unary_unary_rpc_method_handler(servicer.One, read, write),
        "Many": grpc.unary_stream_rpc_method_handler(servicer.Many, read, write),
        "Gather": grpc.stream_unary_rpc_method_handler(servicer.Gather, read, write),
        "Chat": grpc.stream_stream_rpc_method_handler(servicer.Chat, read, write),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))


@pytest.fixture(scope="module")
def servicer() -> EchoServicer:
    return EchoServicer()


@pytest.fixture(scope="module")
def channel(servicer: EchoServicer) -> Iterator[grpc.Channel]:
    settings = ServerSettings(workers=4, max_message_bytes=2048)
    with serving(settings, (Service(NAME, servicer, add_to_server),)) as target, grpc.insecure_channel(target) as made:
        yield made


def call(channel: grpc.Channel, kind: str, *requests: bytes, request_id: str = "r-1") -> list[str]:
    """Calls a method with raw messages; the replies, whatever the kind."""
    streams, many = kind in ("Gather", "Chat"), kind in ("Many", "Chat")
    make = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }[streams, many]
    method = make(f"/{NAME}/{kind}", response_deserializer=StringValue.FromString)
    given = iter(requests) if streams else requests[0]
    replies = method(given, timeout=DEADLINE_S, metadata=(("x-request-id", request_id),))
    return [reply.value for reply in replies] if many else [replies.value]


def word(value: str) -> bytes:
    return StringValue(value=value).SerializeToString()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_method_of_each_kind_is_given_its_call(channel: grpc.Channel) -> None:
    assert call(channel, "One", word("a"), request_id="r-7") == ["a r-7"]
    assert call(channel, "Many", word("a"), request_id="r-7") == ["first r-7", "a r-7"]
    assert call(channel, "Gather", word("a"), word("b"), request_id="r-7") == ["a r-7 + b r-7"]
    assert call(channel, "Chat", word("a"), word("b"), request_id="r-7") == ["a r-7", "b r-7"]


def test_calls_that_take_turns_on_one_connection_keep_their_own_ids(channel: grpc.Channel) -> None:
    method = channel.stream_stream(f"/{NAME}/Chat", StringValue.SerializeToString, StringValue.FromString)
    turns = {name: Turns() for name in ("r-1", "r-2", "r-3")}
    chats = {
        name: method(iter(turn), timeout=DEADLINE_S, metadata=(("x-request-id", name),)) for name, turn in turns.items()
    }
    for text in ("a", "b"):
        for name, chat in chats.items():
            turns[name].say(text)
            assert next(chat).value == f"{text} {name}"
    for name, chat in chats.items():
        turns[name].end()
        assert list(chat) == []


class Turns:
    """Requests that are sent when they are said."""

    def __init__(self) -> None:
        self._said: list[StringValue | None] = []
        self._changed = threading.Condition()

    def say(self, text: str) -> None:
        self._add(StringValue(value=text))

    def end(self) -> None:
        self._add(None)

    def _add(self, item: StringValue | None) -> None:
        with self._changed:
            self._said.append(item)
            self._changed.notify()

    def __iter__(self) -> Iterator[StringValue]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._said)
                item = self._said.pop(0)
            if item is None:
                return
            yield item


def refused(channel: grpc.Channel, kind: str, *requests: bytes) -> tuple[grpc.StatusCode, str]:
    """Status and reason of a call that fails; its details name the request."""
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, kind, *requests)
    details = unpacked(caught.value)
    assert details["ErrorInfo"].metadata["request_id"] == "r-1"
    assert dict(caught.value.trailing_metadata())["x-request-id"] == "r-1"
    assert "secret" not in caught.value.details()
    return caught.value.code(), details["ErrorInfo"].reason


@pytest.mark.parametrize("failure", RAISED)
def test_whatever_is_raised_ends_in_a_status_with_details(channel: grpc.Channel, kind: str, failure: str) -> None:
    expected = {
        "invalid": (grpc.StatusCode.INVALID_ARGUMENT, "TEXT_EMPTY"),
        "store": (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
    }.get(failure, (grpc.StatusCode.INTERNAL, "INTERNAL"))
    assert refused(channel, kind, word(failure)) == expected
    assert call(channel, "One", word("a")) == ["a r-1"]


def test_a_reply_that_cannot_be_written_ends_in_a_status_with_details(channel: grpc.Channel, kind: str) -> None:
    assert refused(channel, kind, word("no message")) == (grpc.StatusCode.INTERNAL, "INTERNAL")


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (b"\xff\xff\xff\xff", grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_MALFORMED"),
        (word("x" * 3000), grpc.StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE"),
        (b"\xffpanic", grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
    ids=["malformed", "too large", "panic"],
)
def test_a_request_that_cannot_be_read_ends_in_a_status_with_details(
    channel: grpc.Channel, kind: str, data: bytes, code: grpc.StatusCode, reason: str
) -> None:
    assert refused(channel, kind, data) == (code, reason)


@pytest.mark.parametrize("bad", [b"\xff\xff\xff\xff", word("panic")], ids=["unreadable", "panic"])
def test_replies_before_a_failure_arrive(channel: grpc.Channel, bad: bytes) -> None:
    method = channel.stream_stream(f"/{NAME}/Chat", response_deserializer=StringValue.FromString)
    replies = method(iter([word("a"), word("b"), bad]), timeout=DEADLINE_S)
    assert [next(replies).value.split()[0] for _ in range(2)] == ["a", "b"]
    with pytest.raises(grpc.RpcError) as caught:
        next(replies)
    assert caught.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL)


def test_a_stream_whose_caller_leaves_is_closed_and_is_no_error(
    channel: grpc.Channel, servicer: EchoServicer, caplog: pytest.LogCaptureFixture
) -> None:
    servicer.closed.clear()
    method = channel.unary_stream(f"/{NAME}/Many", response_deserializer=StringValue.FromString)
    with caplog.at_level(logging.INFO):
        replies = method(word("endless"), timeout=DEADLINE_S)
        assert next(replies).value.startswith("first")
        replies.cancel()
        assert servicer.closed.wait(DEADLINE_S)
        assert call(channel, "One", word("a")) == ["a r-1"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_requests_whose_caller_leaves_end_and_are_no_error(
    channel: grpc.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    turns = Turns()
    method = channel.stream_stream(f"/{NAME}/Chat", StringValue.SerializeToString, StringValue.FromString)
    with caplog.at_level(logging.INFO):
        replies = method(iter(turns), timeout=DEADLINE_S, metadata=(("x-request-id", "r-left"),))
        turns.say("a")
        assert next(replies).value == "a r-left"
        replies.cancel()
        turns.end()
        # Each of the workers has to be free again.
        for _ in range(8):
            assert call(channel, "One", word("a")) == ["a r-1"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_server_that_stops_finishes_calls_in_progress_and_refuses_new_ones_so_that_they_are_tried_again() -> None:
    settings = ServerSettings(workers=4)
    interceptor = StatusInterceptor(settings)
    services = (Service(NAME, EchoServicer(), add_to_server),)
    with serving(settings, services, interceptor) as target, grpc.insecure_channel(target) as channel:
        turns = Turns()
        chat = channel.stream_stream(f"/{NAME}/Chat", StringValue.SerializeToString, StringValue.FromString)(
            iter(turns)
        )
        turns.say("a")
        assert next(chat).value.startswith("a ")
        interceptor.refuse_new_calls()
        for kind in KINDS:
            assert refused(channel, kind, word("a")) == (grpc.StatusCode.UNAVAILABLE, "SERVER_STOPPING")
        turns.say("b")
        assert next(chat).value.startswith("b ")
        turns.end()
        assert list(chat) == []


def test_health_and_reflection_know_the_service(channel: grpc.Channel) -> None:
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=NAME))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert NAME in ProtoReflectionDescriptorDatabase(channel).get_services()
