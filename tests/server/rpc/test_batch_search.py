"""Several queries in one call: each answered as it would be by itself, or refused as it would be by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
from merchlens import (
    BatchSearchResult,
    Client,
    DeadlineExceeded,
    InvalidArgument,
    MerchlensError,
    NotFound,
    ResourceExhausted,
    SearchQuery,
    SearchResult,
)
from merchlens.v1 import query_pb2, search_service_pb2

import server.search.checks
from server.errors import DeadlineExpired
from server.hosting.served_catalog import ServedCatalog
from server.rpc.services import list_services
from server.search.encode import ENCODED_TOGETHER, PICTURES_AT_ONCE
from server.search.query import PictureQuery, SearchCommand, TextQuery
from server.search.query_cache import QueryCache
from server.settings import ServerSettings
from tests.conftest import draw_product
from tests.server.conftest import Served, serving, unpacked
from tests.server.rpc.test_bad_input import BAD, encoded

QUERIES = [
    SearchQuery(text="red ball", top_k=3),
    SearchQuery(image=encoded(draw_product("triangle", "blue", 9000)), top_k=5),
    SearchQuery(product_id="p-0000", filter="in_stock"),
    SearchQuery(text="a tall green box " * 40, filter="price < 50"),
    SearchQuery(vector=[1.0] + [0.0] * 511),
    SearchQuery(text="box", filter="in_stock"),
]


def same(batched: SearchResult, single: SearchResult) -> None:
    assert [hit.product_id for hit in batched] == [hit.product_id for hit in single]
    assert [hit.score for hit in batched] == pytest.approx([hit.score for hit in single], abs=1e-5)
    assert [hit.match_probability for hit in batched] == pytest.approx(
        [hit.match_probability for hit in single], abs=1e-4
    )
    assert [warning.code for warning in batched.warnings] == [warning.code for warning in single.warnings]
    assert (batched.category is None) == (single.category is None)
    if batched.category and single.category:
        assert batched.category.category == single.category.category
    assert {name: item.value for name, item in batched.attributes.items()} == {
        name: item.value for name, item in single.attributes.items()
    }


def test_each_query_is_answered_as_in_a_call_of_its_own(served: Served) -> None:
    dim = served.catalog.encoder.dim
    queries = [replace(item, vector=item.vector[:dim]) if item.vector else item for item in QUERIES]
    result = served.client.batch_search(queries, request_id="order-17")
    assert len(result) == len(queries)
    for answer, query in zip(result, queries, strict=True):
        assert isinstance(answer, SearchResult)
        same(answer, served.client.search(**{name: getattr(query, name) for name in SearchQuery.__slots__}))
        assert answer.request_id == "order-17"
    assert (result.meta.request_id, result.meta.index_version) == ("order-17", served.catalog.origin.index_version)
    assert result.meta.model_fingerprint == served.catalog.origin.model_fingerprint
    assert list(result.meta.timings_us) == ["decode", "encode", "search", "rank"]
    parts = [answer.timings_us for answer in result if isinstance(answer, SearchResult)]
    assert {stage: sum(item.get(stage, 0) for item in parts) for stage in result.meta.timings_us} == dict(
        result.meta.timings_us
    )


def test_a_query_that_fails_fails_by_itself_with_the_details_of_a_call_of_its_own(served: Served) -> None:
    requests = [
        search_service_pb2.SearchRequest(parts=parts, **fields)
        for name, (parts, fields, *_) in BAD.items()
        if name != "over 10 MiB"
    ]
    good = search_service_pb2.SearchRequest(parts=[query_pb2.QueryPart(text="ball")])
    missing = search_service_pb2.SearchRequest(parts=[query_pb2.QueryPart(product_id="nope")])
    elsewhere = search_service_pb2.SearchRequest(parts=[query_pb2.QueryPart(text="ball")], catalog="other")
    asked = [good, *requests, missing, elsewhere, good]
    reply = served.stub.BatchSearch(search_service_pb2.BatchSearchRequest(queries=asked))
    assert [len(item.response.hits) for item in reply.results] == [10, *[0] * (len(asked) - 2), 10]
    for request, result in zip(asked[1:-1], reply.results[1:-1], strict=True):
        with pytest.raises(grpc.RpcError) as caught:
            served.stub.Search(request)
        alone, said = unpacked(caught.value), {}
        for item in result.error.details:
            said[item.type_url.rpartition(".")[2]] = item
        assert result.error.code == caught.value.code().value[0]
        assert result.error.message == caught.value.details()
        assert list(said) == list(alone)
        for name, detail in alone.items():
            packed = type(detail)()
            assert said[name].Unpack(packed)
            if name == "ErrorInfo":
                packed.metadata.clear()
                detail.metadata.clear()
            assert packed == detail


def test_the_client_names_what_each_query_failed_with(served: Served) -> None:
    result = served.client.batch_search(
        [SearchQuery(text=" "), SearchQuery(text="ball"), SearchQuery(product_id="nope")], request_id="order-17"
    )
    empty, found, missing = result.answers
    assert isinstance(empty, InvalidArgument)
    assert (empty.reason, empty.field_violations[0].field, empty.request_id) == (
        "TEXT_EMPTY",
        "parts[0].text",
        "order-17",
    )
    assert isinstance(found, SearchResult)
    assert isinstance(missing, NotFound)
    assert missing.resource is not None
    assert (missing.resource.type, missing.resource.name) == ("product", "nope")


@pytest.mark.parametrize(("count", "permitted"), [(0, False), (1, True), (256, True), (257, False)])
def test_a_batch_has_1_to_256_queries(served: Served, count: int, permitted: bool) -> None:
    queries = [SearchQuery(text="ball", top_k=1)] * count
    if permitted:
        assert [len(answer) for answer in served.client.batch_search(queries, timeout_s=120)] == [1] * count  # type: ignore[arg-type]
        return
    with pytest.raises(InvalidArgument) as caught:
        served.client.batch_search(queries)
    assert (caught.value.reason, caught.value.field_violations[0].field) == ("BATCH_SIZE", "queries")
    assert "1 to 256" in caught.value.message


class Towers:
    """Notes how many texts and pictures go through a model's towers at once."""

    def __init__(self, catalog: ServedCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: list[int] = []
        self.pictures: list[int] = []
        run_tokens, run_pixels = catalog.encoder.run_tokens, catalog.encoder.run_pixels

        def tokens(batch: Any) -> Any:
            self.texts.append(len(batch.ids))
            return run_tokens(batch)

        def pixels(values: Any) -> Any:
            self.pictures.append(len(values))
            return run_pixels(values)

        # Whatever other tests have asked for.
        monkeypatch.setattr(catalog.parts, "_cache", QueryCache(0))
        monkeypatch.setattr(catalog.encoder, "run_tokens", tokens)
        monkeypatch.setattr(catalog.encoder, "run_pixels", pixels)


def test_texts_are_encoded_together_and_so_are_pictures_and_a_filter_is_read_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    towers = Towers(served.catalog, monkeypatch)
    read: list[str] = []
    parse = server.search.checks.parse_filter

    def noting(text: str, *arguments: Any, **options: Any) -> Any:
        read.append(text)
        return parse(text, *arguments, **options)

    monkeypatch.setattr(server.search.checks, "parse_filter", noting)
    picture = encoded(draw_product("ellipse", "red", 9000))
    queries = [SearchQuery(text=f"ball {number}", filter="in_stock") for number in range(10)]
    queries += [SearchQuery(text="a tall green box " * 9, filter="price <")]
    queries += [SearchQuery(text="a tall green box " * 9)]
    queries += [SearchQuery(image=picture) for _ in range(PICTURES_AT_ONCE + 1)]
    queries += [SearchQuery(image=picture[:200])]
    served.client.batch_search(queries)
    # A text that is much longer than others is not among them: all would take as long as it does.
    assert (towers.texts, towers.pictures) == ([10, 1], [PICTURES_AT_ONCE, 1])
    assert read == ["in_stock", "price <", ""]


def test_a_caller_who_leaves_costs_no_further_batch(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    towers = Towers(served.catalog, monkeypatch)

    def check_alive() -> None:
        if towers.texts:
            raise DeadlineExpired("the caller cancelled")

    asked = [(TextQuery("ball"), "q"), (TextQuery("a tall green box " * 9), "q"), (PictureQuery(b"no picture"), "q")]
    with pytest.raises(DeadlineExpired):
        served.catalog.parts.encode_many(asked, check_alive)
    assert (towers.texts, towers.pictures) == ([1], [])


def test_a_reader_that_is_satisfied_early_costs_no_further_search(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    towers = Towers(served.catalog, monkeypatch)
    commands = [SearchCommand.of(TextQuery("ball"), "", 1)] * (40 * ENCODED_TOGETHER)
    outcomes = served.catalog.searcher.search_many(commands)
    next(outcomes)
    outcomes.close()
    assert len(towers.texts) < 40


def test_a_deadline_that_passes_ends_the_whole(served: Served) -> None:
    queries = [SearchQuery(text=f"ball {number}") for number in range(256)]
    with pytest.raises(DeadlineExceeded):
        served.client.batch_search(queries, timeout_s=0.02)


@pytest.fixture
def small(served: Served) -> Iterator[Callable[[int], Client]]:
    """Makes clients of servers that answer with so many bytes at most."""
    opened: list[Any] = []

    def make(most: int) -> Client:
        settings = ServerSettings(max_message_bytes=most)
        catalog = ServedCatalog.of(
            served.catalog.encoder, served.catalog.store, served.catalog.reader, settings, served.catalog.categories
        )
        running = serving(settings, list_services(catalog))
        opened.append(running)
        client = Client(running.__enter__())
        opened.append(client)
        return client

    yield make
    for item in reversed(opened):
        item.__exit__(None, None, None)


def answered(result: BatchSearchResult) -> list[bool]:
    return [not isinstance(answer, MerchlensError) for answer in result]


def test_what_does_not_fit_into_the_reply_is_said_to_and_costs_no_search(
    served: Served, small: Callable[[int], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = served.stub.Search(
        search_service_pb2.SearchRequest(parts=[query_pb2.QueryPart(text="ball")], page_size=40)
    ).ByteSize()
    client = small(2 * size + 6 * 1024)
    queries = [SearchQuery(text="ball", top_k=40)] * 6
    result = client.batch_search(queries)
    assert answered(result) == [True, True, False, False, False, False]
    for answer in result.answers[2:]:
        assert isinstance(answer, ResourceExhausted)
        assert (answer.reason, answer.retry_after_s) == ("REPLY_TOO_LARGE", None)
        assert "next step" in answer.message
    # What it says to do is of use.
    assert answered(client.batch_search(queries[2:4])) == [True, True]


def test_a_single_answer_that_is_too_large_is_refused_with_a_reason(small: Callable[[int], Client]) -> None:
    client = small(4096)
    with pytest.raises(ResourceExhausted) as caught:
        client.search(text="ball", top_k=100)
    assert caught.value.reason == "REPLY_TOO_LARGE"
    assert len(client.search(text="ball", top_k=1)) == 1
