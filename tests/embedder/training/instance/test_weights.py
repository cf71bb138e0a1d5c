"""The weight of the parts: what each weight gives is counted right, and the one that gains most is taken."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.training.instance import weights as part_weights
from embedder.training.instance.weights import (
    DEFAULT_WEIGHT,
    TOLERANCE,
    WEIGHTS,
    Parts,
    WeightFigures,
    choose_weight,
    fit_instance_weight,
)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def parts(ids: list[str], categories: list[str | None], semantic: np.ndarray, instance: np.ndarray) -> Parts:
    return Parts(ids, categories, unit(semantic), unit(instance))


def drawn_shop(with_categories: bool = True) -> tuple[Parts, Parts, Parts]:
    """Views, validation pictures, gallery; the semantic part knows categories, the instance part products."""
    random = np.random.default_rng(0)
    kinds = random.standard_normal((4, 6))
    semantic = kinds[np.arange(40) % 4] + 0.6 * random.standard_normal((40, 6))
    instance = random.standard_normal((40, 8))
    ids = [f"p{number}" for number in range(40)]
    categories = [f"c{number % 4}" if with_categories and number != 3 else None for number in range(40)]
    pictures = parts(ids[:15], categories[:15], semantic[:15], instance[:15])
    views = parts(
        ids[:15] * 2,
        categories[:15] * 2,
        np.concatenate([semantic[:15]] * 2) + 0.5 * random.standard_normal((30, 6)),
        np.concatenate([instance[:15]] * 2) + 0.8 * random.standard_normal((30, 8)),
    )
    return views, pictures, parts(ids, categories, semantic, instance)


@pytest.mark.parametrize("block", [7, 512])
def test_figures_are_those_of_a_count_by_hand(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(part_weights, "_BLOCK", block)
    monkeypatch.setattr(part_weights, "_FEWEST", 10)
    views, pictures, gallery = drawn_shop()
    _, figures = fit_instance_weight(views, pictures, gallery)
    assert [item.weight for item in figures] == list(WEIGHTS)
    for item in figures[::5]:
        hits, shares = [], []
        for row, own in enumerate(views.product_ids):
            scores = [
                (1 - item.weight) * views.semantic[row] @ gallery.semantic[place]
                + item.weight * views.instance[row] @ gallery.instance[place]
                for place in range(40)
            ]
            hits.append(gallery.product_ids[int(np.argmax(scores))] == own)
        for row, (own, category) in enumerate(zip(pictures.product_ids, pictures.categories, strict=True)):
            if category is None:
                continue
            scores = [
                -9.0
                if gallery.product_ids[place] == own
                else (1 - item.weight) * pictures.semantic[row] @ gallery.semantic[place]
                + item.weight * pictures.instance[row] @ gallery.instance[place]
                for place in range(40)
            ]
            nearest = np.argsort(-np.asarray(scores))[:10]
            shares.append(np.mean([gallery.categories[place] == category for place in nearest]))
        assert item.recall_at_1 == pytest.approx(np.mean(hits))
        assert item.category_share_at_10 == pytest.approx(np.mean(shares))
        assert item.category_share_error == pytest.approx(np.std(shares, ddof=1) / np.sqrt(len(shares)))
        assert item.category_share_error > 0


def test_no_product_finds_itself_among_its_category() -> None:
    """Five products of five categories: only a product itself is of its own category."""
    ids = [f"p{number}" for number in range(5)]
    each = parts(ids, list("abcde"), np.eye(5), np.eye(5))
    _, figures = fit_instance_weight(each, each, each)
    assert {item.category_share_at_10 for item in figures} == {0.0}
    assert {item.recall_at_1 for item in figures} == {1.0}


def test_two_products_are_enough_to_try_on() -> None:
    pair = parts(["a", "b"], ["k", "k"], np.eye(2), np.eye(2))
    weight, figures = fit_instance_weight(pair, pair, pair)
    assert {(item.recall_at_1, item.category_share_at_10) for item in figures} == {(1.0, 1.0)}
    assert weight == DEFAULT_WEIGHT


def test_where_there_is_nothing_to_try_on_it_is_the_default() -> None:
    none = Parts([], [], np.empty((0, 2), np.float32), np.empty((0, 2), np.float32))
    one = parts(["a"], [None], np.eye(2)[:1], np.eye(2)[:1])
    for views, gallery in ((none, one), (one, one), (none, none)):
        assert fit_instance_weight(views, views, gallery) == (DEFAULT_WEIGHT, ())


def test_without_categories_only_finding_the_product_counts() -> None:
    weight, figures = fit_instance_weight(*drawn_shop(with_categories=False))
    assert {item.category_share_at_10 for item in figures} == {None}
    best = max(item.recall_at_1 for item in figures)
    assert next(item for item in figures if item.weight == weight).recall_at_1 >= best - TOLERANCE


def tried(*rows: tuple[float, float, float | None], error: float | None = 0.1) -> list[WeightFigures]:
    return [WeightFigures(weight, recall, share, error) for weight, recall, share in rows]


def test_the_weight_that_finds_most_products_is_taken() -> None:
    assert choose_weight(tried((0.0, 0.2, 0.9), (0.5, 0.6, 0.9), (1.0, 0.5, 0.9))) == 0.5


def test_what_is_gained_in_products_must_not_be_lost_in_category() -> None:
    assert choose_weight(tried((0.0, 0.2, 0.9), (0.5, 0.6, 0.8), (1.0, 0.7, 0.6))) == 0.5
    assert choose_weight(tried((0.0, 0.2, 0.9), (0.5, 0.25, 0.8))) == 0.0


def test_less_of_the_own_kind_is_given_up_the_surer_the_loss_is() -> None:
    rows = ((0.0, 0.2, 0.9), (0.3, 0.5, 0.892), (0.5, 0.6, 0.87), (0.8, 0.7, 0.83))
    assert choose_weight(tried(*rows, error=0.04)) == 0.8
    assert choose_weight(tried(*rows, error=0.02)) == 0.5
    assert choose_weight(tried(*rows, error=0.0)) == 0.3


def test_a_handful_of_pictures_tells_nothing_of_their_kind() -> None:
    assert choose_weight(tried((0.0, 0.2, 1.0), (0.8, 0.9, 0.9), error=None)) == 0.8
    few = parts([f"p{row}" for row in range(29)], ["k"] * 29, np.eye(29), np.eye(29))
    assert {item.category_share_error for item in fit_instance_weight(few, few, few)[1]} == {None}


def test_weights_that_gain_category_are_worth_it() -> None:
    assert choose_weight(tried((0.0, 0.2, 0.5), (0.5, 0.2, 0.9))) == 0.5


def test_of_weights_that_are_as_good_it_is_the_nearest_to_the_default() -> None:
    near = 0.9 - TOLERANCE / 2
    rows = ((0.0, 0.1, None), (0.3, 0.9, None), (0.7, near, None), (1.0, near, None), (0.8, 0.5, None))
    assert choose_weight(tried(*rows)) == 0.7
