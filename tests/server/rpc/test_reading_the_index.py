"""How the index is read while serving: once a search, and whatever reading it runs into ends in a status."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Literal

import grpc
import pytest
from merchlens import Client, FailedPrecondition, Internal, MerchlensError, QueryPart, Unavailable

from embedder.recognition.match_model import HITS
from embedder.recognition.neighbor_vote import NEIGHBORS
from indexer.errors import StoreUnavailable, VersionIncomplete
from indexer.stores.protocol import Scored, VersionReader
from server.hosting.served_catalog import ServedCatalog
from server.rpc.services import list_services
from server.search.category import CategoryPredictor
from server.settings import ServerSettings
from tests.server.conftest import Served, serving, unpacked

SETTINGS = ServerSettings(workers=2)


class Panic(BaseException):
    """As what a panic inside the engine becomes."""


class FailingReader:
    """A version that can be asked for nothing."""

    def __init__(self, reader: VersionReader, failure: Callable[[], BaseException]) -> None:
        self.manifest = reader.manifest
        self._failure = failure

    def query(self, *_: Any, **__: Any) -> list[Scored]:
        raise self._failure()

    fetch = fetch_many = count = query


class CountingReader:
    """A version that notes what it is asked for."""

    def __init__(self, reader: VersionReader) -> None:
        self.manifest = reader.manifest
        self.fetch, self.fetch_many = reader.fetch, reader.fetch_many
        self.asked: list[tuple[int, bool]] = []
        self.efforts: list[Any] = []
        self._reader = reader

    def query(
        self, parts: Sequence[Any], weights: Sequence[float], limit: int, where: Any = None, effort: Any = "balanced"
    ) -> list[Scored]:
        self.asked.append((limit, where is not None))
        self.efforts.append(effort)
        return self._reader.query(parts, weights, limit, where, effort)


@contextmanager
def served_from(
    catalog: ServedCatalog, reader: Any, as_before: Literal["", "head", "neighbors"] = ""
) -> Iterator[Client]:
    """A server that reads from another reader, and a client of it; `as_before`: by an earlier release's manifest."""
    categories = None
    if as_before:
        reader.manifest = replace(reader.manifest, category_models={}, match_models={}, words=None)
    if as_before == "neighbors":
        headless: Any = SimpleNamespace(head=None, space=catalog.encoder.space)
        categories = CategoryPredictor(headless, reader.manifest)
    changed = ServedCatalog.of(catalog.encoder, catalog.store, reader, SETTINGS, categories)
    with serving(SETTINGS, list_services(changed)) as target, Client(target, timeout_s=60, max_attempts=1) as client:
        yield client


FAILURES: dict[str, tuple[Callable[[], BaseException], type[MerchlensError], str]] = {
    "a panic": (lambda: Panic("panicked at tracker.rs: index out of bounds"), Internal, "INTERNAL"),
    "an engine that fails": (lambda: StoreUnavailable("shard /srv/index failed"), Unavailable, "STORE_UNAVAILABLE"),
    "damaged files": (
        lambda: VersionIncomplete("shard /srv/index is damaged"),
        FailedPrecondition,
        "INDEX_INCOMPLETE",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("query", [{"text": "ball"}, {"product_id": "p-0000"}], ids=["text", "product"])
def test_what_reading_runs_into_is_a_status_at_once(served: Served, name: str, query: dict[str, str]) -> None:
    failure, kind, reason = FAILURES[name]
    with served_from(served.catalog, FailingReader(served.catalog.reader, failure)) as client:
        # More calls than workers: none of these is lost to a call that failed.
        for _ in range(6):
            with pytest.raises(kind) as caught:
                client.search(**query)
            assert caught.value.reason == reason
            assert "/srv" not in str(caught.value)
            assert "panicked" not in str(caught.value)
    assert isinstance(caught.value.__cause__, grpc.RpcError)
    assert ("RetryInfo" in unpacked(caught.value.__cause__)) == (kind is Unavailable)


@pytest.mark.parametrize("top_k", [1, 5, NEIGHBORS, 40])
@pytest.mark.parametrize("query", [{"text": "ball"}, {"product_id": "p-0000"}], ids=["text", "product"])
@pytest.mark.parametrize("way", ["", "neighbors"])
def test_without_a_filter_hits_and_evidence_come_from_one_search_and_a_texts_vote_from_another(
    served: Served, top_k: int, query: dict[str, str], way: Literal["", "neighbors"]
) -> None:
    reader = CountingReader(served.catalog.reader)
    itself = "product_id" in query
    with served_from(served.catalog, reader, way) as client:
        result = client.search(**query, top_k=top_k)
        # One more hit says whether there is another page.
        wanted = top_k + 1
        # A text's hits are ranked by words too, its neighbours by pictures alone.
        texts = [(wanted if way else max(wanted, HITS), False), (NEIGHBORS, False)]
        assert reader.asked == ([(max(wanted, NEIGHBORS) + 1, False)] if itself else texts)
        assert [hit.product_id for hit in result] == [
            hit.product_id for hit in served.client.search(**query, top_k=top_k)
        ]
        assert result.category is not None
        assert result.category.method == ("neighbors" if way else "fusion")


@pytest.mark.parametrize("way", ["", "neighbors"])
def test_the_category_is_the_same_however_many_hits_are_asked_for_and_whatever_the_filter(
    served: Served, way: Literal["", "neighbors"]
) -> None:
    reader = CountingReader(served.catalog.reader)
    with served_from(served.catalog, reader, way) as client:
        plain = [client.search(text="ball", top_k=top_k).category for top_k in (1, 19, 20, 100)]
        reader.asked.clear()
        filtered = client.search(text="ball", top_k=5, filter='category:"signs"').category
        assert reader.asked == [(6, True), *([] if way else [(HITS, False)]), (NEIGHBORS, False)]
    assert [*plain, filtered] == [plain[0]] * 5


def test_with_a_head_and_an_earlier_index_no_more_are_searched_than_are_asked_for_and_one(served: Served) -> None:
    reader = CountingReader(served.catalog.reader)
    with served_from(served.catalog, reader, "head") as client:
        client.search(text="ball", top_k=3)
        client.search(text="ball", top_k=3, filter="in_stock")
    assert reader.asked == [(4, False), (4, True)]


@pytest.mark.parametrize("accuracy", ["balanced", "fast", "exact", 1, 10_000])
@pytest.mark.parametrize(
    "query", [{"text": "ball"}, {"product_id": "p-0000"}, {"parts": [QueryPart(text="a"), QueryPart(text="b")]}],
    ids=["text", "product", "several"],
)  # fmt: skip
def test_hits_are_searched_for_as_thoroughly_as_is_asked_and_evidence_as_ever(
    served: Served, query: dict[str, Any], accuracy: Any
) -> None:
    reader = CountingReader(served.catalog.reader)
    with served_from(served.catalog, reader) as client:
        result = client.search(**query, accuracy=accuracy, filter="in_stock")
    assert len(result) == 10
    assert reader.efforts == [accuracy, *["balanced"] * (len(reader.asked) - 1)]


def test_an_answer_names_the_version_and_model_that_it_came_from(served: Served) -> None:
    reader = CountingReader(served.catalog.reader)
    reader.manifest = replace(reader.manifest, version="another-version")
    with served_from(served.catalog, reader) as client:
        result = client.search(text="ball")
    assert result.index_version == "another-version"
    assert result.model_fingerprint == served.catalog.encoder.info.fingerprint
