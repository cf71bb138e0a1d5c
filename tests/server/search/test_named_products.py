"""A text that is a product's id, stock code or trade number finds that product first."""

from __future__ import annotations

import pytest
from merchlens import SearchQuery

from server.search.encoded_part import EncodedPart
from server.search.query import TextQuery
from tests.server.conftest import EAN, Served


@pytest.mark.parametrize("text", ["p-0007", " p-0007 ", "P-0007"])
def test_an_id_finds_its_product(served: Served, text: str) -> None:
    result = served.client.search(text=text, top_k=5)
    best = result.hits[0]
    assert best.product_id == "p-0007"
    assert len({hit.product_id for hit in result}) == 5
    assert result.warnings == ()


def test_its_score_is_what_the_engine_says_of_it(served: Served) -> None:
    best = served.client.search(text="p-0007", top_k=1).hits[0]
    (part,) = served.catalog.parts.encode_each([(TextQuery("p-0007"), "parts[0]")], lambda: None)
    assert isinstance(part, EncodedPart)
    scores = {item.product_id: item.score for item in served.catalog.finder.hits(part, 160)}
    assert best.score == pytest.approx(scores["p-0007"], abs=1e-5)


def test_a_filter_is_kept_to(served: Served) -> None:
    color = served.client.get_product("p-0007").product.attributes["color"]
    other = next(value for value in ("red", "blue") if value != color)
    assert "p-0007" not in {hit.product_id for hit in served.client.search(text="p-0007", filter=f"color = {other}")}
    assert served.client.search(text="p-0007", filter=f"color = {color}").hits[0].product_id == "p-0007"


def test_the_other_hits_are_those_of_the_words(served: Served) -> None:
    """Nothing is lost, and nothing comes twice, page by page too."""
    pages = list(served.client.walk_search(SearchQuery(text="p-0007", top_k=50)))
    found = [hit.product_id for page in pages for hit in page]
    assert found[0] == "p-0007"
    assert len(found) == len(set(found)) == 160


@pytest.mark.parametrize("text", ["ab-012/3", "AB-012/3"])
def test_products_that_share_a_number_come_first(deep: Served, text: str) -> None:
    result = deep.client.search(text=text, top_k=4, keep_duplicates=True)
    assert {hit.product_id for hit in result.hits[:2]} == {"p-0012-6", "p-0012-7"}
    assert result.warnings == ()


def test_a_trade_number_finds_its_product(deep: Served) -> None:
    assert deep.client.search(text=str(EAN + 3021), top_k=3).hits[0].product_id == "p-0021-3"


@pytest.mark.parametrize(
    "text", ["nothing-7", "p-9999", "4006381999999", "1e400", "nan", "٣٣٣٣", "x" * 200, "p-0007 ball"]
)
def test_what_names_nothing_is_a_text_like_others(deep: Served, text: str) -> None:
    assert len(deep.client.search(text=text, top_k=3)) == 3
