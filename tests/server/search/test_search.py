"""What a search answers, through the client and a real channel."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from merchlens import NotFound

from embedder.encoder import open_encoder
from embedder.inputs.picture import PictureFile
from indexer.stores.address import open_store
from indexer.stores.points import FUSION_K
from indexer.versions.layout import Part
from indexer.words.bm25 import Bm25Words
from indexer.words.postings import WordPostings
from tests.conftest import draw_product
from tests.server.conftest import DIM, Served


def png(shape: str = "ellipse", color: str = "red", seed: int = 9000) -> bytes:
    buffer = io.BytesIO()
    draw_product(shape, color, seed).save(buffer, "PNG")
    return buffer.getvalue()


def test_words_find_the_products_they_name(served: Served) -> None:
    result = served.client.search(text="red ball", top_k=5)
    assert [hit.title for hit in result][:3] == ["red ball"] * 3


def test_a_new_picture_finds_products_of_its_kind_and_its_category_is_recognised(served: Served) -> None:
    result = served.client.search(image=png("triangle", "blue"), top_k=5)
    assert {hit.category for hit in result} == {"signs/triangle"}
    assert result.category is not None
    assert result.category.category == "signs/triangle"
    assert result.category.method == "fusion"
    best = result.category.candidates[0]
    assert best.head_probability is not None
    assert best.head_probability > 0.5
    assert best.neighbor_share is not None
    assert best.neighbor_share > 0.5
    assert [node.category for node in result.category.branch] == ["signs", "signs/triangle"]
    assert result.category.in_catalog_probability is not None


def test_the_colour_of_a_picture_is_recognised(served: Served) -> None:
    color = served.client.search(image=png("triangle", "blue"), top_k=1).attributes["color"]
    assert (color.value, color.method) == ("blue", "head")
    assert color.probability == color.candidates[0].probability > 0.5
    assert color.is_calibrated
    assert sum(item.probability for item in color.candidates) <= 1.0 + 1e-6


def test_a_text_has_the_attributes_that_it_names(served: Served) -> None:
    named, unnamed = (served.client.search(text=text, top_k=1).attributes["color"] for text in ("a green ball", "ball"))
    assert (named.value, named.method, named.is_sure) == ("green", "words", True)
    assert not unnamed.is_sure


def test_an_indexed_product_has_no_predicted_attributes(served: Served) -> None:
    assert served.client.search(product_id="p-0000", top_k=1).attributes == {}


def test_a_filter_changes_no_attribute(served: Served) -> None:
    image = png("ellipse", "red")
    everything, filtered = (
        served.client.search(image=image, top_k=1, filter=text).attributes for text in ("", "color:blue")
    )
    assert everything == filtered


def test_a_picture_may_be_given_by_its_path(served: Served, drawn_catalog: Path) -> None:
    result = served.client.search(image=drawn_catalog.parent / "0000.png", top_k=1)
    assert result.hits[0].product_id == "p-0000"
    assert result.hits[0].score == pytest.approx(1.0, abs=1e-4)


def test_an_indexed_product_finds_others_like_it_and_not_itself(served: Served) -> None:
    result = served.client.search(product_id="p-0000", top_k=20)
    assert len(result) == 20
    assert "p-0000" not in {hit.product_id for hit in result}
    assert {hit.category for hit in result.hits[:5]} == {"toys/ball"}


def test_an_embedding_finds_what_the_picture_it_came_from_finds(
    served: Served, trained_bundle: Path, drawn_catalog: Path
) -> None:
    encoder = open_encoder(trained_bundle)
    vector = encoder.encode_images([encoder.decode(PictureFile(drawn_catalog.parent / "0005.png"))[0]])[0]
    by_vector = served.client.search(vector=vector.tolist(), top_k=10)
    by_picture = served.client.search(image=drawn_catalog.parent / "0005.png", top_k=10)
    assert [hit.product_id for hit in by_vector] == [hit.product_id for hit in by_picture]
    assert by_vector.warnings == ()


@pytest.mark.parametrize("text", ["green box", "a blue ball", "signs"])
def test_hits_and_scores_equal_an_exhaustive_comparison(served: Served, trained_bundle: Path, text: str) -> None:
    encoder = open_encoder(trained_bundle)
    semantic = encoder.run_tokens(encoder.tokenize([text])).embeddings
    # A text's score is its cosine in the space of words, of which the index keeps the pictures' directions; each part of
    # an indexed vector has the length sqrt(1/2).
    kept = encoder.space.kept_dim
    query = semantic[0] if encoder.space.kept is None else encoder.space.kept @ semantic[0]
    result = served.client.search(text=text, top_k=160)
    assert len(result) == 160
    stored = {hit.product_id: served.catalog.reader.fetch(hit.product_id) for hit in result}
    cosines = {
        name: float(np.max(product.vectors[:, :kept] @ query * 2**0.5)) for name, product in stored.items() if product
    }
    assert {hit.product_id: hit.score for hit in result} == pytest.approx(cosines, abs=1e-5)
    # They are ranked by pictures, titles and words: each by itself, and fused by their ranks.
    texts = served.catalog.reader.manifest.texts
    assert texts is not None
    assert texts.bm25 is not None
    words = Bm25Words(texts.bm25)
    names = sorted(stored)
    titles = [str(stored[name].payload["title"]) for name in names]  # type: ignore[union-attr]
    scores: dict[Part, np.ndarray] = {
        "image": np.asarray([cosines[name] for name in names]),
        "title": np.stack([stored[name].title for name in names]) @ semantic[0],  # type: ignore[union-attr, misc]
        "words": WordPostings([words.title(title) for title in titles]).scores(words.query(text)),
    }
    low, high = (fused_gains(scores, texts.weights, rank) for rank in (last_rank, first_rank))
    for before, after in pairwise(names.index(hit.product_id) for hit in result):
        # Equal products may stand in either order in each list.
        assert high[before] >= low[after] - 1e-9


def first_rank(scores: np.ndarray, score: float) -> int:
    return int((scores > score + 1e-4).sum())


def last_rank(scores: np.ndarray, score: float) -> int:
    return int((scores >= score - 1e-4).sum()) - 1


def fused_gains(
    scores: dict[Part, np.ndarray], weights: Mapping[Part, float], rank: Callable[[np.ndarray, float], int]
) -> list[float]:
    """What each product's ranks are worth, by the formula of weighted reciprocal rank fusion."""
    gains = [0.0] * len(scores["image"])
    for part, column in scores.items():
        for place, score in enumerate(column):
            if weights[part] > 0 and (part != "words" or score > 0):
                gains[place] += 1 / ((rank(column, score) + 1) / weights[part] + FUSION_K - 1)
    return gains


def test_a_pictures_score_is_the_weighted_mean_of_both_parts_cosines(served: Served, trained_bundle: Path) -> None:
    encoder = open_encoder(trained_bundle)
    weight, kept = encoder.space.instance_weight, encoder.space.kept_dim
    query = encoder.encode_images([draw_product("ellipse", "red", 9000)])[0]
    result = served.client.search(image=png(), top_k=160)
    assert len(result) == 160
    for hit in result:
        stored = served.catalog.reader.fetch(hit.product_id)
        assert stored is not None
        (vector,) = stored.vectors
        semantic, instance = 2 * vector[:kept] @ query[:kept], 2 * vector[kept:] @ query[kept:]
        assert hit.score == pytest.approx((1 - weight) * semantic + weight * instance, abs=1e-4)


def test_the_payload_is_the_catalogs_row(served: Served) -> None:
    hit = served.client.search(product_id="p-0001", top_k=160, filter='id = "p-0000"').hits[0]
    assert (hit.title, hit.category, hit.price, hit.in_stock) == ("red ball", "toys/ball", 5.0, False)
    assert hit.attributes == {"color": "red"}
    assert hit.payload["pictures"] == ["0000.png"]
    assert hit.picture == "0000.png"
    assert "category_path" not in hit.payload


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('category:"boxes"', lambda hit: hit.category.startswith("boxes/")),
        ('category = "boxes/box"', lambda hit: hit.category == "boxes/box"),
        ("price < 50", lambda hit: hit.price < 50),
        ("price >= 50 AND price <= 60", lambda hit: 50 <= hit.price <= 60),
        ("in_stock", lambda hit: hit.in_stock),
        ("NOT in_stock", lambda hit: not hit.in_stock),
        ("color:(red OR blue)", lambda hit: hit.attributes["color"] in ("red", "blue")),
        ("color != red", lambda hit: hit.attributes["color"] != "red"),
        (
            'category:"toys" AND (price < 20 OR color = green) AND NOT in_stock',
            lambda hit: (
                hit.category == "toys/ball"
                and (hit.price < 20 or hit.attributes["color"] == "green")
                and not hit.in_stock
            ),
        ),
    ],
)
def test_a_filter_keeps_just_what_matches_and_changes_no_score(served: Served, condition: str, holds) -> None:
    everything = served.client.search(text="ball", top_k=160)
    expected = {hit.product_id: hit.score for hit in everything if holds(hit)}
    found = {hit.product_id: hit.score for hit in served.client.search(text="ball", top_k=160, filter=condition)}
    assert expected
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("depth", [1, 32])
def test_a_filter_as_deep_as_permitted_is_answered(served: Served, depth: int) -> None:
    assert len(served.client.search(text="ball", filter="(" * depth + "in_stock" + ")" * depth)) == 10


def test_the_category_is_the_querys_own_whatever_the_filter(served: Served) -> None:
    result = served.client.search(image=png(), filter='category:"signs"')
    assert {hit.category for hit in result} == {"signs/triangle"}
    assert result.category is not None
    assert result.category.category == "toys/ball"


def test_probabilities_are_in_order_and_sum_to_at_most_one(served: Served) -> None:
    category = served.client.search(image=png()).category
    assert category is not None
    shares = [candidate.probability for candidate in category.candidates]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1 + 1e-6
    assert (category.category, category.probability) == (category.candidates[0].category, shares[0])


def test_every_reply_names_model_version_request_and_stages(
    served: Served, drawn_store: str, trained_bundle: Path
) -> None:
    result = served.client.search(text="box", request_id="order-17")
    assert result.request_id == "order-17"
    assert result.index_version == open_store(drawn_store).live_version()
    assert result.model_fingerprint == open_encoder(trained_bundle).info.fingerprint
    assert list(result.timings_us) == ["decode", "encode", "search", "rank"]


def test_by_default_there_are_ten_hits(served: Served) -> None:
    from merchlens.v1 import query_pb2, search_service_pb2

    request = search_service_pb2.SearchRequest(parts=[query_pb2.QueryPart(text="ball")])
    assert len(served.stub.Search(request).hits) == 10


def test_over_the_largest_page_that_page_is_answered_with_a_warning(served: Served) -> None:
    result = served.client.search(text="ball", top_k=5000)
    assert len(result) == 160
    assert [warning.code for warning in result.warnings] == ["PAGE_SIZE_CAPPED"]


def test_a_text_longer_than_the_encoder_reads_is_answered_with_a_warning(served: Served) -> None:
    result = served.client.search(text="a red ball " * 300)
    assert len(result) == 10
    assert ("TEXT_TRUNCATED", "parts[0].text") in [(warning.code, warning.field) for warning in result.warnings]


def test_a_vector_of_another_length_is_scaled_with_a_warning(served: Served) -> None:
    vector = np.zeros(DIM)
    vector[3] = 7.0
    result = served.client.search(vector=vector.tolist())
    # It lies along one axis: whether a picture is near to that is the model's affair.
    codes = [warning.code for warning in result.warnings]
    assert codes[0] == "VECTOR_NORMALIZED"
    assert set(codes[1:]) <= {"NOTHING_GOOD_FOUND"}
    assert max(hit.score for hit in result) <= 1.0


def test_the_default_catalog_may_be_named(served: Served) -> None:
    assert len(served.client.search(text="ball", catalog="default")) == 10
    with pytest.raises(NotFound) as caught:
        served.client.search(text="ball", catalog="other")
    assert caught.value.reason == "CATALOG_NOT_FOUND"
