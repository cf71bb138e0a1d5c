"""How categories are judged is fitted on a fair sample of the catalog, by products that the model was not trained on."""

from __future__ import annotations

import logging
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.index_space import IndexSpace
from embedder.recognition.head import CategoryHead
from embedder.seen_products import SeenProducts
from indexer.building import category_fitting
from indexer.building.category_fitting import CategorySample, fit_category_models
from tests.indexer.conftest import PICTURE, unit_rows

CATEGORIES = [f"c{number}" for number in range(5)]


def products(count: int, category: str | None = "boots") -> list[Product]:
    return [
        Product(f"p-{number}", f"title {number}", (ProductPicture(PICTURE),), category=category)
        for number in range(count)
    ]


def head(*categories: str) -> CategoryHead:
    weight = unit_rows(5)[[int(category[1:]) for category in categories]] * np.float32(20)
    return CategoryHead(categories, weight, np.zeros(len(categories), np.float32), {"image": 1, "text": 1})


def clustered(count: int = 300, categories: int = 5, title: str = "kind {}") -> CategorySample:
    sample, rng = CategorySample(), np.random.default_rng(0)
    centers = unit_rows(categories)
    for number in range(count):
        kind = number % categories
        vector = centers[kind] + rng.normal(size=16) * 0.1
        sample.add(
            [Product(f"p-{number}", title.format(kind), (ProductPicture(PICTURE),), category=f"c{kind}")],
            (vector / np.linalg.norm(vector))[None].astype(np.float32),
        )
    return sample


class Encoder(SimpleNamespace):
    """Its texts lie in the middle of their kind; categories' names are "c0", titles "kind 0"."""

    space = IndexSpace(16)
    head: Any = None
    seen: Any = None

    def semantic_texts(self, texts: list[str]) -> np.ndarray:
        return unit_rows(5)[[int(text[-1]) % 5 for text in texts]]


def fit(encoder: Any, sample: CategorySample | None = None, categories: list[str] = CATEGORIES) -> Any:
    return fit_category_models(encoder, clustered() if sample is None else sample, categories)


def test_products_without_a_category_are_not_judged() -> None:
    sample = CategorySample()
    sample.add(products(10, None), unit_rows(10))
    assert sample.vectors == []
    assert fit(Encoder(), sample, []) == {}


def test_the_sample_is_bounded_and_fair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(category_fitting, "POOL", 200)
    sample = CategorySample()
    for start in range(0, 4000, 100):
        sample.add(products(4000)[start : start + 100], unit_rows(100))
    numbers = [int(title.split()[1]) for title in sample.titles]
    assert len(numbers) == len(sample.vectors) == len(sample.categories) == len(sample.ids) == 200
    assert [f"p-{number}" for number in numbers] == sample.ids
    assert np.mean(numbers) == pytest.approx(2000, abs=250)


def test_the_sample_does_not_keep_the_batches_that_it_was_taken_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(category_fitting, "POOL", 50)
    sample, batches = CategorySample(), []
    for start in range(0, 2000, 100):
        vectors = unit_rows(100)
        batches.append(weakref.ref(vectors))
        sample.add(products(2000)[start : start + 100], vectors)
        del vectors
    assert [batch for batch in batches if batch() is not None] == []
    assert len(sample.vectors) == 50


def test_pictures_and_texts_are_judged_by_all_who_know_something() -> None:
    models = fit(Encoder(head=head(*CATEGORIES)))
    assert set(models) == {"image", "text"}
    assert set(models["image"].pool.weights) == {"head", "neighbors", "names"}
    assert models["image"].queries == 300


def test_a_head_of_other_categories_is_not_asked() -> None:
    other = CategoryHead(("x",), np.ones((1, 16), np.float32), np.zeros(1, np.float32), {"image": 1, "text": 1})
    assert set(fit(Encoder(head=other))["image"].pool.weights) == {"neighbors", "names"}


def test_one_that_lacks_a_category_is() -> None:
    assert "head" in fit(Encoder(head=head("c0", "c1", "c2", "c3")))["image"].pool.weights


def test_titles_are_needed_for_texts() -> None:
    # A product without a title has its category's words for one; categories of one letter have these here.
    assert fit(Encoder())["text"].queries == 300


def test_only_products_that_the_model_was_not_trained_on_are_judged() -> None:
    trained = SeenProducts.of(f"p-{number}" for number in range(200))
    assert fit(Encoder(seen=trained))["image"].queries == 100


def test_where_there_are_too_few_of_them_all_are_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    trained = SeenProducts.of(f"p-{number}" for number in range(290))
    with caplog.at_level(logging.WARNING):
        assert fit(Encoder(seen=trained))["image"].queries == 300
    assert "only 10 of the sampled products were not trained on" in caplog.text


def test_many_categories_are_judged_on_fewer_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(category_fitting, "_MOST_CELLS", 250 * 5)
    assert fit(Encoder())["image"].queries == 250


def test_a_product_never_votes_for_itself() -> None:
    # Each product is alone in its category: its neighbours are always of another.
    sample = CategorySample()
    for number, vector in enumerate(unit_rows(40)):
        sample.add([Product(f"p-{number}", "kind 0", (ProductPicture(PICTURE),), category=f"c{number}")], vector[None])
    model = fit(Encoder(), sample, sorted(f"c{number}" for number in range(40)))["image"]
    assert model.vote.doubt >= 10


def test_one_product_alone() -> None:
    assert fit(Encoder(), clustered(1, 1), ["c0"])["image"].queries == 1
