"""What an index's answers are worth is fitted on a fair sample, by products that the model was not trained on."""

from __future__ import annotations

import logging
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embedder.catalogs.product import Product, ProductPicture
from embedder.index_space import IndexSpace
from embedder.inputs.picture import PictureLimits, PicturePixels
from embedder.recognition.head import CategoryHead
from embedder.recognition.match_model import HitEvidence, hit_probabilities
from embedder.seen_products import SeenProducts
from indexer.building.calibration import product_sample, recognition_fitting
from indexer.building.calibration.meaningless_texts import meaningless_texts
from indexer.building.calibration.product_sample import ProductSample
from indexer.building.calibration.product_views import ProductViews
from indexer.building.calibration.recognition_fitting import Recognition, fit_recognition
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


def clustered(
    count: int = 300, categories: int = 5, with_category: bool = True, with_title: bool = True, noise: float = 0.1
) -> ProductSample:
    """Products near the middle of their kind; their picture is of one grey, by which the encoder below knows them."""
    sample, rng = ProductSample(), np.random.default_rng(0)
    centers = unit_rows(categories)
    for number in range(count):
        kind = number % categories
        vector = centers[kind] + rng.normal(size=16) * noise
        sample.add(
            [
                Product(
                    f"p-{number}",
                    f"kind {kind}" if with_title else "",
                    (ProductPicture(PicturePixels(np.full((40, 40), number % 250, dtype=np.uint8))),),
                    category=f"c{kind}" if with_category else None,
                )
            ],
            (vector / np.linalg.norm(vector))[None].astype(np.float32),
        )
    return sample


class Encoder(SimpleNamespace):
    """Its texts lie in the middle of their kind, by their last digit; others lie anywhere. Pictures lie near kind 0."""

    space = IndexSpace(16)
    head: Any = None
    seen: Any = None

    def semantic_texts(self, texts: list[str]) -> np.ndarray:
        kinds, elsewhere = unit_rows(5), unit_rows(len(texts), seed=7)
        known = [text[:-1] in ("kind ", "c") and text[-1:].isdigit() for text in texts]
        return np.stack(
            [
                kinds[int(text[-1]) % 5] if there else elsewhere[row]
                for row, (text, there) in enumerate(zip(texts, known, strict=True))
            ]
        ).astype(np.float32)

    def encode_images(self, images: list[Image.Image]) -> np.ndarray:
        near = unit_rows(5)[0] + 0.05 * unit_rows(max(1, len(images)), seed=8)[: len(images)]
        return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)


def fit(
    encoder: Any = None, sample: ProductSample | None = None, categories: list[str] = CATEGORIES, views: int = 0
) -> Recognition:
    sample = clustered() if sample is None else sample
    return fit_recognition(encoder or Encoder(), sample, categories, ProductViews(sample, PictureLimits(), views))


class TestSample:
    def test_it_is_bounded_and_fair(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(product_sample, "POOL", 200)
        sample = ProductSample()
        for start in range(0, 4000, 100):
            sample.add(products(4000)[start : start + 100], unit_rows(100))
        numbers = [int(title.split()[1]) for title in sample.titles]
        assert len(numbers) == len(sample.vectors) == len(sample.categories) == len(sample.ids) == 200
        assert [f"p-{number}" for number in numbers] == sample.ids
        assert np.mean(numbers) == pytest.approx(2000, abs=250)

    def test_it_does_not_keep_the_batches_that_it_was_taken_from(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(product_sample, "POOL", 50)
        sample, batches = ProductSample(), []
        for start in range(0, 2000, 100):
            vectors = unit_rows(100)
            batches.append(weakref.ref(vectors))
            sample.add(products(2000)[start : start + 100], vectors)
            del vectors
        assert [batch for batch in batches if batch() is not None] == []
        assert len(sample.vectors) == 50

    def test_few_pictures_are_kept_and_each_is_its_products(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(product_sample, "POOL", 100)
        monkeypatch.setattr(product_sample, "PICTURES", 10)
        sample = ProductSample()
        made = [
            Product(f"p-{number}", "", (ProductPicture(PicturePixels(np.full((1, 1), number % 256, np.uint8))),))
            for number in range(1000)
        ]
        sample.add(made, unit_rows(1000))
        assert len(sample.pictures) == 10
        for product_id, picture in sample.pictures.items():
            assert picture is made[int(product_id[2:])].pictures[0].source


class TestCategories:
    def test_pictures_and_texts_are_judged_by_all_who_know_something(self) -> None:
        models = fit(Encoder(head=head(*CATEGORIES))).category_models
        assert set(models) == {"image", "text"}
        assert set(models["image"].pool.weights) == {"head", "neighbors", "names"}
        assert models["image"].queries == 300

    def test_a_head_of_other_categories_is_not_asked(self) -> None:
        other = CategoryHead(("x",), np.ones((1, 16), np.float32), np.zeros(1, np.float32), {"image": 1, "text": 1})
        assert set(fit(Encoder(head=other)).category_models["image"].pool.weights) == {"neighbors", "names"}

    def test_one_that_lacks_a_category_is(self) -> None:
        assert "head" in fit(Encoder(head=head("c0", "c1", "c2", "c3"))).category_models["image"].pool.weights

    def test_products_without_a_category_have_no_say_in_it(self) -> None:
        sample = clustered(200)
        sample.add(products(100, None), unit_rows(100, seed=3))
        assert fit(sample=sample).category_models["image"].queries == 200

    def test_a_catalog_without_categories_has_none_judged(self) -> None:
        found = fit(sample=clustered(with_category=False), categories=[])
        assert found.category_models == {}
        assert found.match_models["text"].anything is not None

    def test_many_categories_are_judged_on_fewer_queries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recognition_fitting, "_MOST_CELLS", 250 * 5)
        assert fit().category_models["image"].queries == 250

    def test_a_product_never_votes_for_itself(self) -> None:
        # Each product is alone in its category: its neighbours are always of another.
        sample = ProductSample()
        for number, vector in enumerate(unit_rows(40)):
            product = Product(f"p-{number}", "kind 0", (ProductPicture(PICTURE),), category=f"c{number}")
            sample.add([product], vector[None])
        model = fit(sample=sample, categories=sorted(f"c{number}" for number in range(40))).category_models["image"]
        assert model.vote.doubt >= 10


class TestWhoAsks:
    def test_only_products_that_the_model_was_not_trained_on(self) -> None:
        trained = SeenProducts.of(f"p-{number}" for number in range(200))
        assert fit(Encoder(seen=trained)).category_models["image"].queries == 100

    def test_where_there_are_too_few_of_them_all_do_and_the_log_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        trained = SeenProducts.of(f"p-{number}" for number in range(290))
        with caplog.at_level(logging.WARNING):
            assert fit(Encoder(seen=trained)).category_models["image"].queries == 300
        assert "only 10 of the sampled products were not trained on" in caplog.text


class TestMatches:
    def test_hits_of_the_kind_asked_for_are_likelier(self) -> None:
        # Kinds that overlap: hits of another are among the first.
        model = fit(sample=clustered(noise=0.3)).match_models["image"].relevant
        assert model is not None
        absent = np.full((1, 2), np.nan)
        found = hit_probabilities(model, HitEvidence(np.asarray([[0.95, 0.2]]), absent, absent, np.asarray([np.nan])))
        assert found[0, 0] > found[0, 1]

    def test_texts_that_mean_nothing_here_are_known_by_it(self) -> None:
        model = fit().match_models["text"]
        assert model.anything is not None
        assert 0.0 < model.least_anything < 1.0

    def test_that_the_very_product_was_found_is_learnt_from_views(self) -> None:
        assert fit(views=0).match_models["image"].same is None
        assert fit(views=60).match_models["image"].same is not None
        assert fit(views=60).match_models["text"].same is None

    def test_a_picture_that_is_gone_meanwhile_stops_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        sample = clustered()
        sample._pictures[0] = PicturePixels(np.zeros((0, 0), dtype=np.uint8))
        with caplog.at_level(logging.WARNING):
            assert fit(sample=sample, views=300).match_models["image"].same is not None
        assert "cannot be read any more" in caplog.text

    def test_without_titles_there_are_no_texts_to_learn_from(self) -> None:
        found = fit(sample=clustered(with_title=False, with_category=False), categories=[])
        assert set(found.match_models) == {"image"}
        assert found.words is None


@pytest.mark.parametrize("count", [1, 2])
def test_a_catalog_of_hardly_anything(count: int) -> None:
    found = fit(sample=clustered(count, 1), categories=["c0"], views=5)
    assert found.category_models["image"].queries == count


def test_a_catalog_of_nothing() -> None:
    assert fit(sample=ProductSample(), categories=[]) == Recognition()


def test_it_comes_out_the_same_each_time() -> None:
    assert fit(views=20) == fit(views=20)


def test_texts_that_mean_nothing_are_many_and_the_same_each_time() -> None:
    texts = meaningless_texts(200)
    assert texts == meaningless_texts(200)
    assert len(set(texts)) > 180
    assert all(text.strip() for text in texts)
