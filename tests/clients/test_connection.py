"""One connection serves methods of every service and of each kind, with the same deadlines, retries and named errors."""

from __future__ import annotations

import threading
from concurrent import futures

import grpc
import merchlens
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from merchlens.connection import Connection

NAME = "merchlens.v1.SomeOtherService"


class Servicer:
    """Fails `failures` times with UNAVAILABLE, then echoes; a stream breaks after a request "break"."""

    def __init__(self, failures=0):
        self.failures, self.calls, self.seen = failures, 0, []
        self.left = threading.Event()

    def _begin(self, context):
        self.calls += 1
        self.seen.append((dict(context.invocation_metadata()), context.time_remaining()))
        context.add_callback(self.left.set)
        if self.calls <= self.failures:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")

    def One(self, request, context):
        self._begin(context)
        return StringValue(value=request.value)

    def Many(self, request, context):
        self._begin(context)
        for number in range(3):
            yield StringValue(value=f"{request.value} {number}")
        if request.value == "break":
            context.abort(grpc.StatusCode.NOT_FOUND, "no more")
        while request.value == "endless" and context.is_active():
            yield StringValue(value="on and on")

    def Gather(self, requests, context):
        self._begin(context)
        return StringValue(value=" ".join(request.value for request in requests))

    def Chat(self, requests, context):
        self._begin(context)
        yield from requests


class Stub:
    """As generated code makes one."""

    def __init__(self, channel):
        kinds = {
            "One": channel.unary_unary,
            "Many": channel.unary_stream,
            "Gather": channel.stream_unary,
            "Chat": channel.stream_stream,
        }
        for name, make in kinds.items():
            setattr(self, name, make(f"/{NAME}/{name}", StringValue.SerializeToString, StringValue.FromString))


@pytest.fixture
def start():
    started = []

    def run(servicer):
        server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        kinds = {
            "One": grpc.unary_unary_rpc_method_handler,
            "Many": grpc.unary_stream_rpc_method_handler,
            "Gather": grpc.stream_unary_rpc_method_handler,
            "Chat": grpc.stream_stream_rpc_method_handler,
        }
        handlers = {
            name: make(getattr(servicer, name), StringValue.FromString, StringValue.SerializeToString)
            for name, make in kinds.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        connection = Connection(f"127.0.0.1:{port}", timeout_s=60, max_attempts=4, credentials=None, api_key="k-123")
        started.append((server, connection))
        return connection, connection.stub(Stub)

    yield run
    for server, connection in started:
        connection.close()
        server.stop(None).wait()


def word(value):
    return StringValue(value=value)


def call(connection, stub, kind, *words, request_id="r-1"):
    """Replies of a call, whatever its kind."""
    given = iter([word(value) for value in words]) if kind in ("Gather", "Chat") else word(words[0])
    method = getattr(stub, kind)
    if kind in ("Many", "Chat"):
        replies = connection.stream(method, given, timeout_s=60, request_id=request_id)
        return [reply.value for reply in replies]
    return [connection.unary(method, given, timeout_s=60, request_id=request_id).value]


@pytest.mark.parametrize(
    ("kind", "words", "replies"),
    [
        ("One", ["a"], ["a"]),
        ("Many", ["a"], ["a 0", "a 1", "a 2"]),
        ("Gather", ["a", "b"], ["a b"]),
        ("Chat", ["a", "b"], ["a", "b"]),
    ],
)
@pytest.mark.parametrize("failures", [0, 2])
def test_each_kind_of_method_of_any_service_is_tried_again(start, kind, words, replies, failures):
    servicer = Servicer(failures)
    connection, stub = start(servicer)
    assert call(connection, stub, kind, *words, request_id="r-7") == replies
    assert servicer.calls == failures + 1
    for metadata, remaining in servicer.seen:
        assert (metadata["x-request-id"], metadata["authorization"]) == ("r-7", "Bearer k-123")
        assert 0 < remaining < 90


def test_a_stream_that_breaks_gives_what_came_before_and_then_the_named_error(start):
    connection, stub = start(Servicer())
    replies = connection.stream(stub.Many, word("break"), timeout_s=60, request_id="r-1")
    assert [next(replies).value for _ in range(3)] == ["break 0", "break 1", "break 2"]
    with pytest.raises(merchlens.NotFound, match="no more") as caught:
        next(replies)
    assert caught.value.request_id == "r-1"


def test_a_stream_that_is_not_read_to_its_end_is_cancelled(start):
    servicer = Servicer()
    connection, stub = start(servicer)
    replies = connection.stream(stub.Many, word("endless"), timeout_s=60, request_id="r-1")
    assert next(replies).value == "endless 0"
    replies.close()
    assert servicer.left.wait(60)


@pytest.mark.parametrize("kind", ["One", "Many", "Gather", "Chat"])
def test_on_a_closed_connection_each_kind_says_so(start, kind):
    connection, stub = start(Servicer())
    connection.close()
    with pytest.raises(RuntimeError, match="client is closed"):
        call(connection, stub, kind, "a")
