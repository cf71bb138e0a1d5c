"""What a reply says of itself: how sure the category and each hit are, and when nothing good was found."""

from __future__ import annotations

import io

import numpy as np
import pytest
from merchlens import Client
from PIL import Image

from tests.conftest import draw_product
from tests.server.conftest import Served

NOTHING = "NOTHING_GOOD_FOUND"


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def codes(client: Client, **query: object) -> list[str]:
    return [warning.code for warning in client.search(**query).warnings]  # type: ignore[arg-type]


def test_the_branch_goes_from_the_top_to_the_category(served: Served) -> None:
    category = served.client.search(image=png(draw_product("tall", "red", 901))).category
    assert category is not None
    assert [node.category for node in category.branch] == ["boxes", "boxes/tall box"]
    assert category.branch[0].probability >= category.branch[1].probability == pytest.approx(category.probability)


def test_what_is_said_of_the_category_adds_up(served: Served) -> None:
    category = served.client.search(image=png(draw_product("ellipse", "blue", 902))).category
    assert category is not None
    assert category.category == "toys/ball"
    assert 0 < category.probability <= 1
    assert category.in_catalog_probability is not None
    assert 0 <= category.in_catalog_probability <= 1
    assert category.abstention in ("", "unsure", "not_in_catalog")
    if not category.abstention:
        assert category.sure_category == category.category


def test_each_candidate_comes_with_its_evidence(served: Served) -> None:
    category = served.client.search(image=png(draw_product("triangle", "green", 903))).category
    assert category is not None
    best = category.candidates[0]
    assert best.head_probability is not None
    assert best.neighbor_share is not None
    assert 0 <= best.head_probability <= 1
    assert 0 <= best.neighbor_share <= 1


@pytest.mark.parametrize("query", [{"text": "red ball"}, {"product_id": "p-0000"}])
def test_hits_say_how_likely_they_are_right(served: Served, query: dict[str, str]) -> None:
    hits = served.client.search(**query, top_k=1000).hits  # type: ignore[arg-type]
    said = [hit.match_probability for hit in hits]
    assert all(value is not None and 0 <= value <= 1 for value in said)
    assert len({round(value, 6) for value in said if value is not None}) > 1
    own = [value for hit, value in zip(hits, said, strict=True) if hit.category == "toys/ball"]
    others = [value for hit, value in zip(hits, said, strict=True) if hit.category != "toys/ball"]
    assert np.mean(own) > np.mean(others)  # type: ignore[arg-type]


def test_a_picture_of_a_product_is_likelier_to_be_it_than_any_other(served: Served) -> None:
    hits = served.client.search(image=png(draw_product("ellipse", "red", 0)), top_k=20).hits
    assert hits[0].product_id == "p-0000"
    same = [hit.same_product_probability for hit in hits]
    assert all(value is not None for value in same)
    assert same[0] == max(same)  # type: ignore[type-var]


def test_a_product_is_none_of_its_own_hits_so_none_of_them_is_the_very_product(served: Served) -> None:
    result = served.client.search(product_id="p-0000")
    assert {hit.same_product_probability for hit in result} == {None}
    assert NOTHING not in [warning.code for warning in result.warnings]


def test_nonsense_has_no_category_either(served: Served) -> None:
    category = served.client.search(text="asdkjh qwe").category
    assert category is not None
    assert category.abstention == "not_in_catalog"
    assert category.sure_category == ""


def test_a_vector_with_the_semantic_part_alone_is_judged_as_the_text_that_it_is(served: Served) -> None:
    vector = served.catalog.encoder.encode_texts(["red ball"])[0]
    by_vector, by_text = served.client.search(vector=vector.tolist()), served.client.search(text="red ball")
    assert by_vector.category is not None
    assert by_text.category is not None
    assert by_vector.category.category == by_text.category.category == "toys/ball"
    assert {hit.same_product_probability for hit in by_vector} == {None}


def test_words_are_never_the_very_product(served: Served) -> None:
    assert served.client.search(text="red ball").hits[0].same_product_probability is None


@pytest.mark.parametrize("query", [{"text": "red ball"}, {"product_id": "p-0000"}])
def test_a_filter_changes_no_probability(served: Served, query: dict[str, str]) -> None:
    plain = {hit.product_id: hit.match_probability for hit in served.client.search(**query, top_k=200)}  # type: ignore[arg-type]
    filtered = served.client.search(**query, top_k=200, filter='category:"signs"')  # type: ignore[arg-type]
    assert len(filtered) > 0
    for hit in filtered:
        assert hit.match_probability == pytest.approx(plain[hit.product_id])


def test_nor_does_the_number_of_hits(served: Served) -> None:
    one = served.client.search(text="red ball", top_k=1).hits[0]
    assert one.match_probability == pytest.approx(
        served.client.search(text="red ball", top_k=50).hits[0].match_probability
    )


@pytest.mark.parametrize("text", ["asdkjh qwe", "our neighbours moved to another town", "zzxq 3k9f"])
def test_words_that_mean_nothing_here_are_answered_with_a_warning(served: Served, text: str) -> None:
    result = served.client.search(text=text)
    assert NOTHING in [warning.code for warning in result.warnings]
    assert len(result.hits) == 10


@pytest.mark.parametrize("text", ["red ball", "a blue box", "green triangle"])
def test_words_that_name_what_is_here_are_answered_without(served: Served, text: str) -> None:
    assert NOTHING not in codes(served.client, text=text)


def test_so_is_a_picture_of_what_is_here(served: Served) -> None:
    assert NOTHING not in codes(served.client, image=png(draw_product("ellipse", "green", 904)))
