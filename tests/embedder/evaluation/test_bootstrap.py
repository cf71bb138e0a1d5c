"""A verdict is one that more queries would bear out: seldom by chance, and never on a handful."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.evaluation.bootstrap import LEAST_DIFFERING, LEAST_GROUPS, interval, paired_difference


def keys(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


def test_an_interval_is_what_drawing_one_by_one_gives() -> None:
    values = np.random.default_rng(0).random(80)
    found = interval(values, keys(80), seed=1)
    rng = np.random.default_rng(2)
    means = [np.mean([values[rng.integers(80)] for _ in range(80)]) for _ in range(4000)]
    assert (found.low, found.high) == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.006)
    assert (found.mean, found.queries, found.groups) == (pytest.approx(values.mean()), 80, 80)


def test_intervals_hold_the_true_share_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        found = interval((rng.random(100) < 0.7).astype(float), keys(100))
        held += found.low <= 0.7 <= found.high
    assert held >= 180


def test_ten_that_are_all_right_may_be_of_a_model_that_is_not_always_right() -> None:
    found = interval(np.ones(10), keys(10))
    assert (found.mean, found.high) == (1.0, pytest.approx(1.0))
    assert found.low == pytest.approx(0.7225, abs=1e-3)
    # Ten variants are one product, of which nothing follows.
    assert interval(np.ones(10), ["variants"] * 10).low < 0.3
    assert interval(np.zeros(10), keys(10)).high == pytest.approx(1 - 0.7225, abs=1e-3)


def test_a_model_that_is_better_on_many_queries_is_better() -> None:
    first = np.asarray([0.0] * 30 + [1.0] * 70)
    second = np.asarray([1.0] * 20 + [0.0] * 10 + [1.0] * 70)
    found = paired_difference(first, second, keys(100))
    assert found.verdict == "better"
    assert found.difference == pytest.approx(0.2)
    assert 0.1 < found.low < 0.2 < found.high < 0.3
    assert (found.queries, found.differing, found.too_few) == (100, 20, "")
    assert paired_difference(second, first, keys(100)).verdict == "worse"


def test_for_errors_lower_is_better() -> None:
    first, second = np.full(50, 0.5), np.full(50, 0.3)
    assert paired_difference(first, second, keys(50), higher_is_better=False).verdict == "better"
    assert paired_difference(first, second, keys(50)).verdict == "worse"


def test_the_same_queries_are_drawn_for_both_models() -> None:
    """Queries differ much more than the models do, which a comparison of two intervals would not see through."""
    first = np.random.default_rng(0).random(200)
    second = first + 0.02
    found = paired_difference(first, second, keys(200))
    assert (found.low, found.high) == pytest.approx((0.02, 0.02))
    assert found.verdict == "better"
    apart = interval(first, keys(200)), interval(second, keys(200))
    assert apart[0].high > apart[1].low


def test_few_queries_give_no_verdict_however_clear_they_are() -> None:
    few = LEAST_GROUPS - 1
    found = paired_difference(np.zeros(few), np.ones(few), keys(few))
    assert (found.low, found.high) == (1, 1)
    assert found.verdict == "no difference shown"
    assert "29 independent queries; a verdict needs 30" in found.too_few
    assert paired_difference(np.zeros(few + 1), np.ones(few + 1), keys(few + 1)).verdict == "better"


def test_few_queries_that_tell_the_models_apart_give_no_verdict() -> None:
    """Five of 500 that all agree: by chance once in 16 times, though hardly a draw has none of them."""
    first, second = np.zeros(500), np.zeros(500)
    second[: LEAST_DIFFERING - 1] = 1
    found = paired_difference(first, second, keys(500))
    assert found.verdict == "no difference shown"
    assert "differ on 5 queries; a verdict needs 6" in found.too_few


def test_equal_models_seldom_get_a_verdict() -> None:
    rng = np.random.default_rng(0)
    verdicts = 0
    for number in range(300):
        easy = rng.random(60) < 0.6
        first, second = (np.where(rng.random(60) < 0.15, ~easy, easy).astype(float) for _ in range(2))
        verdicts += paired_difference(first, second, keys(60), seed=number).verdict != "no difference shown"
    # 5 of 100 is what an interval of 95 % permits; 300 trials may show up to 8.
    assert verdicts / 300 < 0.08


def test_variants_of_one_product_are_one_query() -> None:
    """Fifty variants that are all better tell of one product, not of fifty."""
    first, second = np.zeros(90), np.zeros(90)
    second[:50] = 1
    groups = ["variants of one"] * 50 + keys(40)
    found = paired_difference(first, second, groups)
    assert (found.queries, found.groups, found.differing) == (90, 41, 1)
    assert found.verdict == "no difference shown"
    assert paired_difference(first, second, keys(90)).verdict == "better"
    wide, narrow = interval(second, groups), interval(second, keys(90))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_the_same_seed_draws_the_same() -> None:
    first, second = np.random.default_rng(0).random((2, 50))
    assert paired_difference(first, second, keys(50), 3) == paired_difference(first, second, keys(50), 3)
    assert paired_difference(first, second, keys(50), 3) != paired_difference(first, second, keys(50), 4)


def test_ten_thousand_queries_take_bounded_memory() -> None:
    found = interval((np.arange(10_000) % 4) / 3, keys(10_000))
    assert (found.mean, found.high - found.low) == (pytest.approx(0.5), pytest.approx(0.0146, abs=0.002))


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="permitted"):
        interval(np.asarray([]), [])
    with pytest.raises(ValueError, match="permitted"):
        interval(np.asarray([1.0]), ["a", "b"])
    with pytest.raises(ValueError, match="the same queries for both"):
        paired_difference(np.zeros(3), np.zeros(4), keys(3))
