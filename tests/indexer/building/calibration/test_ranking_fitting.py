"""How much pictures, titles and words count is chosen by what finds most in the catalog itself."""

from __future__ import annotations

import zlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.index_space import IndexSpace
from indexer.building.calibration.held_out_queries import held_out_for_graph
from indexer.building.calibration.product_sample import ProductSample
from indexer.building.calibration.ranking_fitting import fit_ranking
from indexer.building.calibration.sample_texts import SampleTexts, fuse
from indexer.stores.points import FUSION_K
from indexer.words.text_index import Bm25Settings, TextIndex
from tests.indexer.conftest import PICTURE, unit_rows

COLOURS = ("red", "green", "blue", "white", "black")
THINGS = ("box", "boot", "hat", "cup", "lamp", "chair")
TEXTS = TextIndex(16, Bm25Settings("english", 2.0))


class Encoder(SimpleNamespace):
    """Texts lie anywhere, but the same text always in the same place."""

    space = IndexSpace(16)
    seen: Any = None

    def semantic_texts(self, texts: list[str], batch_size: int = 64) -> np.ndarray:
        return np.concatenate([unit_rows(1, seed=zlib.crc32(text.encode())) for text in texts])


def sample_of(count: int, with_titles: bool = True, category: bool = False) -> ProductSample:
    """Products whose pictures say nothing of their titles."""
    sample = ProductSample()
    for row in range(count):
        title = f"{COLOURS[row % 5]} {THINGS[row % 6]} {row}" if with_titles else ""
        kind = f"shop/{THINGS[row % 6]}" if category else None
        product = Product(f"p-{row}", title, (ProductPicture(PICTURE),), category=kind)
        vector = Encoder().semantic_texts([title]) if title else np.zeros((1, 16), dtype=np.float32)
        sample.add([product], unit_rows(1, seed=row), vector)
    return sample


def test_words_count_where_pictures_say_nothing_of_titles() -> None:
    fitted = fit_ranking(Encoder(), sample_of(90), TEXTS)  # type: ignore[arg-type]
    assert fitted is not None
    assert 0 < fitted.weights["image"] < fitted.weights["words"] == 1.0
    assert fitted.asked == 90
    assert fitted.found["fused"] >= fitted.found["words"] - 1e-9 > fitted.found["image"]


def test_a_graph_is_tried_with_views_and_with_the_texts_that_the_ranking_was_chosen_by() -> None:
    encoder, sample = Encoder(dim=16), sample_of(150)
    asked: list[str] = []
    embed = encoder.semantic_texts
    encoder.semantic_texts = lambda texts, batch_size=64: (asked.extend(texts), embed(texts))[1]
    fit_ranking(encoder, sample, TEXTS)  # type: ignore[arg-type]
    ranked = set(asked)
    asked.clear()
    views = {"p-1": unit_rows(1, seed=900)[0], "p-2": unit_rows(1, seed=901)[0]}
    found = held_out_for_graph(encoder, sample, views)  # type: ignore[arg-type]
    assert len(asked) == 100
    assert set(asked) <= ranked
    assert np.array_equal(found["image"]["pictures"], np.stack(list(views.values())))
    assert np.allclose(found["image"]["texts"], found["title"]["texts"])
    assert found["title"]["texts"].shape == (100, 16)


def test_a_graph_is_tried_with_nothing_of_a_catalog_that_has_nothing() -> None:
    found = held_out_for_graph(Encoder(dim=16), sample_of(30, with_titles=False), {})  # type: ignore[arg-type]
    assert {part: {kind: len(rows) for kind, rows in kinds.items()} for part, kinds in found.items()} == {
        "image": {"pictures": 0}
    }


def test_without_titles_there_is_nothing_to_choose_by() -> None:
    fitted = fit_ranking(Encoder(), sample_of(90, with_titles=False), TEXTS)  # type: ignore[arg-type]
    assert fitted is not None
    assert (fitted.asked, fitted.weights) == (0, {"image": 1.0, "title": 1.0, "words": 1.0})


def test_what_the_version_does_not_hold_has_no_weight() -> None:
    only_words = TextIndex(0, TEXTS.bm25)
    fitted = fit_ranking(Encoder(), sample_of(40), only_words)  # type: ignore[arg-type]
    assert fitted is not None
    assert set(fitted.weights) == {"image", "words"}
    assert fit_ranking(Encoder(), sample_of(40), None) is None  # type: ignore[arg-type]


def test_the_names_of_categories_are_asked_too() -> None:
    fitted = fit_ranking(Encoder(), sample_of(60, category=True), TEXTS)  # type: ignore[arg-type]
    assert fitted is not None
    assert fitted.asked == 60 + len(THINGS)


def test_the_choice_does_not_depend_on_chance() -> None:
    sample = sample_of(60, category=True)
    assert fit_ranking(Encoder(), sample, TEXTS) == fit_ranking(Encoder(), sample, TEXTS)  # type: ignore[arg-type]


def test_an_empty_sample_keeps_equal_weights() -> None:
    fitted = fit_ranking(Encoder(), ProductSample(), TEXTS)  # type: ignore[arg-type]
    assert fitted is not None
    assert set(fitted.weights.values()) == {1.0}


def test_a_product_is_left_out_of_its_own_answer() -> None:
    sample = sample_of(20)
    searching = SampleTexts(Encoder(), sample, TEXTS)  # type: ignore[arg-type]
    title = sample.titles[7]
    (found,) = searching.search([title], Encoder().semantic_texts([title]))
    assert fuse(found.lists(), {"title": 1.0})[0] == 7
    assert fuse(found.lists(), {"words": 1.0})[0] == 7
    assert all(7 not in places for places in found.lists(left_out=7).values())


@pytest.mark.parametrize("weights", [{"image": 1.0, "words": 3.0}, {"image": 0.5, "words": 0.25}])
def test_ranks_are_fused_by_their_weights(weights: dict[Any, float]) -> None:
    lists: dict[Any, Any] = {"image": np.asarray([3, 1, 2]), "words": np.asarray([2, 5])}
    gains = {
        place: sum(
            1 / ((list(places).index(place) + 1) / weights[part] + FUSION_K - 1)
            for part, places in lists.items()
            if place in places
        )
        for place in (1, 2, 3, 5)
    }
    assert fuse(lists, weights).tolist() == sorted(gains, key=lambda place: (-gains[place], place))
