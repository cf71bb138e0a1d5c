"""Votes are fitted on a uniform sample of the catalog, and only where the model's own head does not know it all."""

from __future__ import annotations

import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.index_space import IndexQuery, IndexSpace
from embedder.recognition.head import CategoryHead
from indexer.building import vote_fitting
from indexer.building.vote_fitting import VoteSample, fit_votes
from tests.indexer.conftest import PICTURE, unit_rows


def products(count: int, category: str | None = "boots") -> list[Product]:
    return [
        Product(f"p-{number}", f"title {number}", (ProductPicture(PICTURE),), category=category)
        for number in range(count)
    ]


def head(*categories: str) -> CategoryHead:
    count = len(categories)
    return CategoryHead(
        categories, np.ones((count, 16), np.float32), np.zeros(count, np.float32), {"image": 1, "text": 1}
    )


def clustered(count: int = 300, categories: int = 5) -> VoteSample:
    sample, rng = VoteSample(), np.random.default_rng(0)
    centers = unit_rows(categories)
    for number in range(count):
        kind = number % categories
        vector = centers[kind] + rng.normal(size=16) * 0.1
        sample.add(
            [Product(str(number), f"kind {kind}", (ProductPicture(PICTURE),), category=f"c{kind}")],
            (vector / np.linalg.norm(vector))[None].astype(np.float32),
        )
    return sample


class Encoder(SimpleNamespace):
    """Its texts lie in the middle of their kind."""

    space = IndexSpace(16)

    def text_queries(self, texts: list[str]) -> list[IndexQuery]:
        return self.space.text_queries(unit_rows(5)[[int(text.split()[1]) for text in texts]])


def test_products_without_a_category_have_no_vote() -> None:
    sample = VoteSample()
    sample.add(products(10, None), unit_rows(10))
    assert sample.vectors == []
    assert fit_votes(Encoder(head=None), sample) == {}


def test_the_sample_is_bounded_and_fair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vote_fitting, "POOL", 200)
    sample = VoteSample()
    for start in range(0, 4000, 100):
        sample.add(products(4000)[start : start + 100], unit_rows(100))
    numbers = [int(title.split()[1]) for title in sample.titles]
    assert len(numbers) == len(sample.vectors) == len(sample.categories) == 200
    assert np.mean(numbers) == pytest.approx(2000, abs=250)


def test_the_sample_does_not_keep_the_batches_that_it_was_taken_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vote_fitting, "POOL", 50)
    sample, batches = VoteSample(), []
    for start in range(0, 2000, 100):
        vectors = unit_rows(100)
        batches.append(weakref.ref(vectors))
        sample.add(products(2000)[start : start + 100], vectors)
        del vectors
    assert [batch for batch in batches if batch() is not None] == []
    assert len(sample.vectors) == 50


def test_neighbours_that_agree_are_believed() -> None:
    votes = fit_votes(Encoder(head=None), clustered())
    assert set(votes) == {"image", "text"}
    assert votes["image"].probabilities(["c0"] * 20, [0.9] * 20)["c0"] > 0.9


def test_a_head_that_knows_all_categories_needs_no_votes() -> None:
    assert fit_votes(Encoder(head=head("c0", "c1", "c2", "c3", "c4", "c5")), clustered()) == {}


def test_a_head_that_lacks_one_does() -> None:
    assert set(fit_votes(Encoder(head=head("c0", "c1", "c2", "c3")), clustered())) == {"image", "text"}
