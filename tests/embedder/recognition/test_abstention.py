"""Thresholds keep what they promise on queries that they were not chosen on."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.recognition.abstention import threshold_for, turned_away, upper_bound


def answers(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated: as often right as they say."""
    rng = np.random.default_rng(seed)
    said = rng.beta(2, 1, count)
    return said, rng.random(count) < said


@pytest.mark.parametrize("max_error", [0.05, 0.1, 0.25])
def test_few_of_the_answers_are_wrong(max_error: float) -> None:
    threshold = threshold_for(*answers(4000, 0), max_error)
    said, right = answers(20_000, 1)
    assert (~right[said >= threshold]).mean() <= max_error


def test_no_more_is_left_unanswered_than_is_needed() -> None:
    threshold = threshold_for(*answers(4000, 0), 0.1)
    said, right = answers(20_000, 1)
    assert (~right[said >= threshold - 0.06]).mean() > 0.1


def test_a_lucky_handful_proves_nothing() -> None:
    assert threshold_for(np.full(10, 0.9), np.ones(10, dtype=bool), 0.1) > 1.0


def test_nothing_to_choose_on_answers_nothing() -> None:
    assert threshold_for(np.empty(0), np.empty(0, dtype=bool), 0.1) > 1.0


def test_equal_probabilities_are_answered_together() -> None:
    said = np.full(200, 0.7)
    assert threshold_for(said, np.arange(200) < 100, 0.1) > 1.0
    assert threshold_for(said, np.arange(200) < 198, 0.1) == 0.7


def test_when_all_is_right_all_is_answered() -> None:
    said = np.linspace(0.3, 0.9, 100)
    assert threshold_for(said, np.ones(100, dtype=bool), 0.1) == pytest.approx(0.3)


def test_few_that_belong_here_are_turned_away() -> None:
    rng = np.random.default_rng(0)
    threshold = turned_away(rng.beta(5, 2, 2000), 0.05)
    assert (rng.beta(5, 2, 20_000) < threshold).mean() == pytest.approx(0.05, abs=0.015)


def test_on_the_average_of_many_catalogs_no_more_than_was_promised() -> None:
    rng = np.random.default_rng(0)
    shares = [(rng.beta(5, 2, 2000) < turned_away(rng.beta(5, 2, 30), 0.05)).mean() for _ in range(500)]
    assert np.mean(shares) <= 0.05


def test_with_a_handful_nothing_is_turned_away() -> None:
    assert turned_away(np.linspace(0.4, 0.9, 10), 0.05) == 0.0
    assert turned_away(np.empty(0), 0.05) == 0.0


def test_the_bound_is_wilsons() -> None:
    assert upper_bound(0, 0) == 1.0
    assert upper_bound(5, 100) == pytest.approx(0.0991, abs=0.002)
    assert upper_bound(100, 100) == 1.0


def test_an_error_rate_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="permitted: 0 to 1"):
        threshold_for(np.ones(1), np.ones(1, dtype=bool), 1.5)
    with pytest.raises(ValueError, match="permitted: 0 to 1"):
        turned_away(np.ones(1), -0.1)
