"""Three witnesses, one probability that holds; and queries whose category is not here are noticed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embedder.recognition.category_model import Heard, HeldOut, QueryModel, fit_query_model
from embedder.recognition.category_witnesses import aligned, columns_of
from embedder.recognition.neighbor_vote import NEIGHBORS, Neighbors

COUNT, DIM = 12, 24
_CENTERS = np.random.default_rng(99).normal(size=(COUNT + 6, DIM))
CENTERS = _CENTERS / np.linalg.norm(_CENTERS, axis=1, keepdims=True)
"""Of the catalog's categories, and of six that it does not have."""


def drawn(labels: np.ndarray, seed: int, noise: float = 0.28) -> np.ndarray:
    rows = CENTERS[labels] + noise * np.random.default_rng(seed).normal(size=(len(labels), DIM))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Catalog:
    """Products in a space, a head that is too sure of itself, and names that are near their categories."""

    def __init__(self, with_head: bool = True, with_names: bool = True) -> None:
        self.labels = np.random.default_rng(0).integers(0, COUNT, 600)
        self.pool = drawn(self.labels, 1)
        self.names = drawn(np.arange(COUNT), 2, 0.2) if with_names else None
        self.with_head = with_head

    def hear(self, queries: np.ndarray, own: np.ndarray | None = None, without: np.ndarray | None = None) -> Heard:
        scores = queries @ self.pool.T
        if own is not None:
            scores[np.arange(len(queries)), own] = -np.inf
        if without is not None:
            scores[without[:, None] == self.labels] = -np.inf
        order = np.argsort(-scores, axis=1)[:, :NEIGHBORS]
        near = Neighbors(self.labels[order], np.take_along_axis(scores, order, axis=1))
        logits = 25 * queries @ CENTERS[:COUNT].T if self.with_head else None
        return Heard(logits, near, None if self.names is None else queries @ self.names.T)

    def model(self, count: int = 400) -> QueryModel:
        own = np.arange(count)
        heard = self.hear(self.pool[:count], own)
        strangers = self.hear(self.pool[:count], own, self.labels[:count]).neighbors
        return fit_query_model(HeldOut(heard, self.labels[:count], strangers, COUNT))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture(scope="module")
def model(catalog: Catalog) -> QueryModel:
    return catalog.model()


def fresh(count: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    labels = np.random.default_rng(5).integers(0, COUNT, count)
    return drawn(labels, 6), labels


def test_probabilities_hold_on_queries_never_seen(catalog: Catalog, model: QueryModel) -> None:
    queries, labels = fresh()
    found = model.judge(catalog.hear(queries), COUNT).probabilities
    assert found.sum(axis=1) == pytest.approx(1.0)
    assert found.max(axis=1).mean() == pytest.approx((found.argmax(axis=1) == labels).mean(), abs=0.04)


def test_all_together_are_no_worse_than_the_best_of_them(catalog: Catalog, model: QueryModel) -> None:
    queries, labels = fresh()
    judged = model.judge(catalog.hear(queries), COUNT)
    fused = (judged.probabilities.argmax(axis=1) == labels).mean()
    for values in judged.evidence.present().values():
        assert fused >= (np.nan_to_num(values, nan=-np.inf).argmax(axis=1) == labels).mean() - 0.005


def test_the_sure_answers_are_right(catalog: Catalog, model: QueryModel) -> None:
    queries, labels = fresh()
    found = model.judge(catalog.hear(queries), COUNT).probabilities
    sure = found.max(axis=1) >= model.least_sure
    assert sure.mean() > 0.3
    assert (found.argmax(axis=1) != labels)[sure].mean() <= 0.1


def test_few_queries_of_the_catalog_are_called_unknown(catalog: Catalog, model: QueryModel) -> None:
    known = model.judge(catalog.hear(fresh()[0]), COUNT).known
    assert known is not None
    assert (known < model.least_known).mean() <= 0.06


def test_categories_that_are_not_here_are_noticed(catalog: Catalog, model: QueryModel) -> None:
    here = model.judge(catalog.hear(fresh()[0]), COUNT).known
    elsewhere = drawn(np.random.default_rng(7).integers(COUNT, COUNT + 6, 2000), 8)
    there = model.judge(catalog.hear(elsewhere), COUNT).known
    assert here is not None
    assert there is not None
    above = (here[:, None] > there[None, :]).mean()
    assert above > 0.85
    assert here.mean() > there.mean() + 0.2


def test_without_a_head_neighbours_and_names_answer() -> None:
    catalog = Catalog(with_head=False)
    model = catalog.model()
    queries, labels = fresh()
    judged = model.judge(catalog.hear(queries), COUNT)
    assert judged.evidence.head is None
    assert set(model.pool.weights) == {"neighbors", "names"}
    assert (judged.probabilities.argmax(axis=1) == labels).mean() > 0.5


def test_a_head_that_lacks_a_category_does_not_rule_it_out() -> None:
    catalog = Catalog(with_names=False)
    lacking = np.arange(COUNT) != 3
    heard = catalog.hear(catalog.pool[:400], np.arange(400))
    strangers = catalog.hear(catalog.pool[:400], np.arange(400), catalog.labels[:400]).neighbors
    assert heard.logits is not None
    blind = Heard(np.where(lacking, heard.logits, np.nan), heard.neighbors, None)
    model = fit_query_model(HeldOut(blind, catalog.labels[:400], strangers, COUNT))
    queries = drawn(np.full(200, 3), 11)
    asked = catalog.hear(queries)
    assert asked.logits is not None
    found = model.judge(Heard(np.where(lacking, asked.logits, np.nan), asked.neighbors, None), COUNT).probabilities
    assert (found.argmax(axis=1) == 3).mean() > 0.5


def nobody(count: int) -> Heard:
    empty = Neighbors(np.full((count, NEIGHBORS), -1), np.full((count, NEIGHBORS), -np.inf))
    return Heard(None, empty, None)


def test_nothing_held_out_turns_nobody_away() -> None:
    model = fit_query_model(HeldOut(nobody(0), np.empty(0, dtype=int), nobody(0).neighbors, 3))
    judged = model.judge(nobody(2), 3)
    assert judged.probabilities == pytest.approx(1 / 3)
    assert judged.known is None
    assert model.least_known == 0.0
    assert model.least_sure == pytest.approx(0.9)
    assert model.queries == 0


def test_one_category_is_always_right() -> None:
    heard = nobody(50)
    near = Neighbors(np.zeros((50, NEIGHBORS), dtype=int), np.tile(np.linspace(0.9, 0.5, NEIGHBORS), (50, 1)))
    held = HeldOut(Heard(None, near, None), np.zeros(50, dtype=int), heard.neighbors, 1)
    model = fit_query_model(held)
    judged = model.judge(Heard(None, near, None), 1)
    assert judged.probabilities == pytest.approx(1.0)
    # There was nothing to take out of the catalog.
    assert judged.known is None


def test_where_too_few_queries_prove_a_threshold_probabilities_are_taken_at_their_word(catalog: Catalog) -> None:
    assert catalog.model(20).least_sure == pytest.approx(0.9)


def test_a_head_of_one_category_is_silent_where_that_is_struck_out() -> None:
    catalog = Catalog(with_names=False)
    heard = catalog.hear(catalog.pool[:200], np.arange(200))
    strangers = catalog.hear(catalog.pool[:200], np.arange(200), catalog.labels[:200]).neighbors
    assert heard.logits is not None
    only = Heard(np.where(np.arange(COUNT) == 3, heard.logits, np.nan), heard.neighbors, None)
    model = fit_query_model(HeldOut(only, catalog.labels[:200], strangers, COUNT))
    judged = model.judge(only, COUNT)
    assert np.isfinite(judged.probabilities).all()
    assert judged.known is not None
    assert np.isfinite(judged.known).all()


def test_it_survives_json(catalog: Catalog, model: QueryModel) -> None:
    again = QueryModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    heard = catalog.hear(fresh(10)[0])
    assert (again.judge(heard, COUNT).probabilities == model.judge(heard, COUNT).probabilities).all()


def test_logits_are_put_where_the_catalog_has_the_category() -> None:
    found = aligned(np.asarray([[1.0, 2.0, 3.0]]), columns_of(("b", "new", "a"), ("a", "gone", "b")))
    assert found[0, 0] == 3.0
    assert np.isnan(found[0, 1])
    assert found[0, 2] == 1.0
