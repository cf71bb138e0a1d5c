"""A stream of queries, through the client and a real channel."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import grpc
import pytest
from merchlens import (
    Client,
    InvalidArgument,
    MerchlensError,
    NotFound,
    ResourceExhausted,
    SearchQuery,
    SearchResult,
    Unavailable,
)
from merchlens.v1 import query_pb2, search_service_pb2, search_service_pb2_grpc

from server.rpc.interceptors import StatusInterceptor
from server.rpc.services import list_services
from server.settings import ServerSettings
from tests.server.conftest import Served, serving, unpacked


@contextmanager
def served_with(served: Served, interceptor: StatusInterceptor | None = None, **limits: float) -> Iterator[str]:
    """Another server over the same catalog, with other limits."""
    settings = ServerSettings.model_validate(served.settings.model_dump() | limits)
    with serving(settings, list_services(replace(served.catalog, settings=settings)), interceptor) as target:
        yield target


def request(query_id: str, text: str = "red ball") -> search_service_pb2.StreamSearchRequest:
    search = search_service_pb2.SearchRequest(parts=[query_pb2.QueryPart(text=text)], page_size=3)
    return search_service_pb2.StreamSearchRequest(query_id=query_id, query=search)


@contextmanager
def open_stream(
    target: str, requests: Iterator[search_service_pb2.StreamSearchRequest], timeout: float | None = None
) -> Iterator[grpc.Call]:
    with grpc.insecure_channel(target) as channel:
        call = search_service_pb2_grpc.SearchServiceStub(channel).StreamSearch(requests, timeout=timeout)
        yield call
        call.cancel()


class Held:
    """Requests that stay open until they are let go."""

    def __init__(self, *first: search_service_pb2.StreamSearchRequest) -> None:
        self._first = first
        self.let_go = threading.Event()

    def __iter__(self) -> Iterator[search_service_pb2.StreamSearchRequest]:
        yield from self._first
        self.let_go.wait(60)


def ids(result: SearchResult | MerchlensError) -> list[str]:
    assert isinstance(result, SearchResult)
    return [hit.product_id for hit in result]


def test_each_query_has_the_answer_of_a_call_of_its_own(served: Served) -> None:
    """More than are answered together."""
    queries = [SearchQuery(text=f"red ball {number}", top_k=3) for number in range(70)]
    queries += [
        SearchQuery(product_id="p-0003", top_k=5),
        SearchQuery(text="box", filter="color:blue", group_by="color"),
    ]
    found = dict(served.client.stream_search(queries))
    assert sorted(found) == list(range(len(queries)))
    for place in (0, 1, 35, 69):
        assert ids(found[place]) == ids(served.client.search(text=queries[place].text, top_k=3))
    assert ids(found[70]) == ids(served.client.search(product_id="p-0003", top_k=5))
    last = found[71]
    assert isinstance(last, SearchResult)
    assert [group.value for group in last.groups] == ["blue"]


def test_a_query_that_fails_does_so_by_itself(served: Served) -> None:
    queries = [SearchQuery(text="ball"), SearchQuery(product_id="nope"), SearchQuery(text=" "), SearchQuery(text="box")]
    found = dict(served.client.stream_search(queries, request_id="job-7"))
    missing, empty = found[1], found[2]
    assert isinstance(missing, NotFound)
    assert isinstance(empty, InvalidArgument)
    assert (missing.request_id, empty.reason) == ("job-7", "TEXT_EMPTY")
    assert ids(found[0])
    assert ids(found[3])


def test_no_queries_have_no_answers(served: Served) -> None:
    assert list(served.client.stream_search([])) == []


def test_a_query_that_cannot_be_sent_ends_the_stream_after_those_before_it(served: Served) -> None:
    replies = served.client.stream_search([SearchQuery(text="ball"), SearchQuery(), SearchQuery(text="box")])
    assert next(replies)[0] == 0
    with pytest.raises(InvalidArgument) as caught:
        next(replies)
    assert caught.value.field_violations[0].field == "queries[1].parts"


def test_what_the_caller_raises_while_asking_reaches_the_caller(served: Served) -> None:
    def failing() -> Iterator[SearchQuery]:
        yield SearchQuery(text="ball")
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        list(served.client.stream_search(failing()))


def test_an_answer_comes_before_the_next_query_is_asked(served: Served) -> None:
    answered = threading.Event()

    def patient() -> Iterator[SearchQuery]:
        yield SearchQuery(text="ball")
        assert answered.wait(30)
        yield SearchQuery(text="box")

    places = []
    for place, _ in served.client.stream_search(patient()):
        places.append(place)
        answered.set()
    assert places == [0, 1]


def test_ids_are_given_back_whatever_they_are(served: Served) -> None:
    names = ["", "a" * 5000, "Größe 🥾", "", "0"]
    with open_stream(served.target, iter([request(name) for name in names])) as call:
        assert sorted(reply.query_id for reply in call) == sorted(names)


def test_queries_do_not_pile_up_in_the_server(served: Served) -> None:
    """A caller that does not read its answers is made to wait, once flow control's windows are full."""
    refused = request("", text="x" * 8000)
    sent = 0

    def endless() -> Iterator[search_service_pb2.StreamSearchRequest]:
        nonlocal sent
        while True:
            sent += 1
            yield refused

    with open_stream(served.target, endless()) as call:
        next(iter(call))
        before = -1
        until = time.monotonic() + 120
        while sent != before and time.monotonic() < until:
            before = sent
            time.sleep(1)
        assert sent == before
        assert sent < 100_000


def test_a_stream_without_a_deadline_ends_when_it_is_idle(served: Served) -> None:
    held = Held(request("1"))
    with served_with(served, stream_idle_s=0.5) as target, open_stream(target, iter(held)) as call:
        assert next(iter(call)).query_id == "1"
        with pytest.raises(grpc.RpcError) as caught:
            next(iter(call))
        held.let_go.set()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert unpacked(caught.value)["ErrorInfo"].reason == "STREAM_IDLE"


def test_the_callers_own_deadline_ends_it(served: Served) -> None:
    held = Held(request("1"))
    with served_with(served, stream_idle_s=0.1) as target, open_stream(target, iter(held), timeout=2) as call:
        assert next(iter(call)).query_id == "1"
        with pytest.raises(grpc.RpcError) as caught:
            next(iter(call))
        held.let_go.set()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_streams_leave_workers_to_other_calls_and_their_number_is_bounded(served: Served) -> None:
    held = Held(request("1"))
    with (
        served_with(served, workers=1, max_streams=1) as target,
        open_stream(target, iter(held)) as call,
        Client(target) as client,
    ):
        next(iter(call))
        with pytest.raises(ResourceExhausted) as caught:
            list(client.stream_search([SearchQuery(text="ball")]))
        assert caught.value.reason == "STREAMS_FULL"
        assert caught.value.retry_after_s is not None
        assert client.search(text="ball").hits
        # Whoever leaves makes room.
        call.cancel()
        held.let_go.set()
        until = time.monotonic() + 30
        while True:
            try:
                assert len(list(client.stream_search([SearchQuery(text="ball")]))) == 1
                break
            except ResourceExhausted:
                assert time.monotonic() < until
                time.sleep(0.1)


def test_a_server_that_stops_ends_streams_so_that_callers_go_elsewhere(served: Served) -> None:
    interceptor = StatusInterceptor(served.settings)
    queries = iter([SearchQuery(text="ball")])
    stop = threading.Event()

    def asking() -> Iterator[SearchQuery]:
        yield from queries
        stop.wait(60)

    with served_with(served, interceptor) as target, Client(target, max_attempts=1) as client:
        replies = client.stream_search(asking())
        assert next(replies)[0] == 0
        interceptor.refuse_new_calls()
        with pytest.raises(Unavailable) as caught:
            next(replies)
        stop.set()
    assert caught.value.reason == "SERVER_STOPPING"
