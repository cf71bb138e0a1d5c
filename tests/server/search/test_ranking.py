"""By what a text's hits are ranked, through the client and a real channel."""

from __future__ import annotations

from dataclasses import replace

import grpc
import pytest
from merchlens import Client, InvalidArgument, QueryPart, SearchQuery
from merchlens.v1 import query_pb2, search_service_pb2

from indexer.words.bm25 import Bm25Words
from indexer.words.postings import WordPostings
from server.hosting.served_catalog import ServedCatalog
from server.rpc.services import list_services
from server.search.encoded_part import EncodedPart
from server.search.query import TextQuery
from tests.server.conftest import Served, serving, unpacked

TEXT = "a red ball"


def test_by_pictures_alone_the_scores_fall(served: Served) -> None:
    result = served.client.search(text=TEXT, ranking="pictures", top_k=160)
    scores = [hit.score for hit in result]
    assert scores == sorted(scores, reverse=True)
    fused = {hit.product_id: hit.score for hit in served.client.search(text=TEXT, top_k=160)}
    assert {hit.product_id: hit.score for hit in result} == pytest.approx(fused)


def test_by_words_alone_only_what_has_one_of_them_is_found(served: Served) -> None:
    """In the order of an inverted index of our own."""
    result = served.client.search(text=TEXT, ranking="words", top_k=160)
    reader = served.catalog.reader
    assert reader.manifest.texts is not None
    assert reader.manifest.texts.bm25 is not None
    words = Bm25Words(reader.manifest.texts.bm25)
    stored = reader.fetch_many(
        sorted(payload["product_id"] for page in reader.scan(["product_id"]) for payload in page)
    )
    scores = WordPostings([words.title(str(item.payload["title"])) for item in stored]).scores(words.query(TEXT))
    expected = {item.product_id: score for item, score in zip(stored, scores, strict=True) if score > 0}
    assert 0 < len(expected) < 160
    assert {hit.product_id for hit in result} == set(expected)
    found = [expected[hit.product_id] for hit in result]
    assert found == pytest.approx(sorted(found, reverse=True))
    fused = {hit.product_id: hit.score for hit in served.client.search(text=TEXT, top_k=160)}
    assert [hit.score for hit in result] == pytest.approx([fused[hit.product_id] for hit in result])


@pytest.mark.parametrize("text", ["...", "zzyzx"])
def test_words_that_no_title_has_find_nothing_and_are_said_to(served: Served, text: str) -> None:
    result = served.client.search(text=text, ranking="words")
    assert (result.hits, result.next_page_token) == ((), "")
    assert [warning.code for warning in result.warnings] == ["NOTHING_GOOD_FOUND"]


def test_what_the_query_shows_is_the_same_by_any_ranking(served: Served) -> None:
    plain, *others = (served.client.search(text=TEXT, ranking=ranking) for ranking in ("hybrid", "pictures", "words"))
    for other in others:
        assert (other.category, other.attributes, other.warnings) == (plain.category, plain.attributes, plain.warnings)


def test_a_page_belongs_to_its_ranking(served: Served) -> None:
    pages = list(served.client.walk_search(SearchQuery(text=TEXT, ranking="words", top_k=9)))
    whole = served.client.search(text=TEXT, ranking="words", top_k=160)
    assert [hit for page in pages for hit in page] == list(whole)
    with pytest.raises(InvalidArgument) as caught:
        served.client.search(text=TEXT, page_token=pages[0].next_page_token)
    assert caught.value.reason == "PAGE_TOKEN_OTHER_QUERY"


def test_an_id_is_found_by_any_ranking(served: Served) -> None:
    for ranking in ("pictures", "words"):
        assert served.client.search(text="p-0007", ranking=ranking).hits[0].product_id == "p-0007"


@pytest.mark.parametrize(
    "query", [SearchQuery(product_id="p-0000"), SearchQuery(parts=[QueryPart(text="red"), QueryPart(text="ball")])]
)
def test_only_one_text_is_ranked_by_words(served: Served, query: SearchQuery) -> None:
    (answer,) = served.client.batch_search([replace(query, ranking="words")])
    assert isinstance(answer, InvalidArgument)
    assert (answer.reason, answer.field_violations[0].field) == ("RANKING_NOT_TEXT", "ranking")
    (other,) = served.client.batch_search([replace(query, ranking="pictures")])
    (plain,) = served.client.batch_search([query])
    assert list(other) == list(plain)  # type: ignore[call-overload]


def test_an_index_without_words_is_not_ranked_by_them(served: Served) -> None:
    class Wordless:
        def __init__(self) -> None:
            reader = served.catalog.reader
            assert reader.manifest.texts is not None
            self.manifest = replace(reader.manifest, texts=replace(reader.manifest.texts, bm25=None))
            self.query, self.fetch, self.fetch_many = reader.query, reader.fetch, reader.fetch_many

    catalog = ServedCatalog.of(served.catalog.encoder, served.catalog.store, Wordless(), served.settings)  # type: ignore[arg-type]
    with serving(served.settings, list_services(catalog)) as target, Client(target) as client:
        assert len(client.search(text=TEXT)) == 10
        with pytest.raises(InvalidArgument) as caught:
            client.search(text=TEXT, ranking="words")
    assert caught.value.reason == "RANKING_WITHOUT_WORDS"


def test_hits_say_what_they_are_ranked_by(served: Served) -> None:
    result = served.client.search(text=TEXT, top_k=160, parts_of_hits=True)
    manifest = served.catalog.reader.manifest
    assert manifest.texts is not None
    assert manifest.texts.bm25 is not None
    stored = {item.product_id: item for item in served.catalog.reader.fetch_many([hit.product_id for hit in result])}
    words = Bm25Words(manifest.texts.bm25)
    names = list(stored)
    titles = [words.title(str(stored[name].payload["title"])) for name in names]
    scores = dict(zip(names, WordPostings(titles).scores(words.query(TEXT)), strict=True))
    (part,) = served.catalog.parts.encode_each([(TextQuery(TEXT), "parts[0]")], lambda: None)
    assert isinstance(part, EncodedPart)
    for hit in result:
        assert hit.parts is not None
        assert hit.parts.picture == pytest.approx(hit.score)
        assert hit.parts.words == pytest.approx(scores[hit.product_id], rel=1e-3)
        title = stored[hit.product_id].title
        assert title is not None
        assert hit.parts.title == pytest.approx(float(title @ part.semantic), abs=1e-4)


def test_they_say_so_only_where_it_is_asked_for_and_of_texts(served: Served) -> None:
    assert {hit.parts for hit in served.client.search(text=TEXT)} == {None}
    assert {hit.parts for hit in served.client.search(product_id="p-0000", parts_of_hits=True)} == {None}
    named = served.client.search(text="p-0007", parts_of_hits=True).hits[0]
    assert (named.product_id, named.parts is not None) == ("p-0007", True)
    grouped = served.client.search(text=TEXT, parts_of_hits=True, group_by="color")
    assert all(hit.parts is not None for group in grouped.groups for hit in group)


def test_an_unknown_ranking_is_refused(served: Served) -> None:
    with pytest.raises(InvalidArgument) as caught:
        served.client.search(text=TEXT, ranking="votes")  # type: ignore[arg-type]
    assert caught.value.reason == "RANKING_UNKNOWN"
    request = search_service_pb2.SearchRequest(parts=[query_pb2.QueryPart(text=TEXT)], ranking=7)  # type: ignore[arg-type]
    with pytest.raises(grpc.RpcError) as refused:
        served.stub.Search(request)
    assert unpacked(refused.value)["ErrorInfo"].reason == "RANKING_UNKNOWN"
