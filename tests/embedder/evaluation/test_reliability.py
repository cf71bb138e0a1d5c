"""Calibration errors are what they say: the published one, what chance gives, and the one without chance."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.evaluation.reliability import (
    ReliabilityBin,
    debiased_square_error,
    expected_error,
    measure_reliability,
)
from embedder.recognition.wilson import wilson_interval


def calibrated(count: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and outcomes of a model that says `shift` more than it should."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.3, 0.9, count)
    return np.clip(true + shift, 0, 1).astype(np.float32), rng.random(count) < true


def test_the_expected_error_is_that_of_torchmetrics() -> None:
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    rng = np.random.default_rng(0)
    for count in (1, 7, 500):
        confidences = rng.random(count).astype(np.float32)
        # Also where a softmax is as sure as it can be. Which bin holds 0.2 is a matter of the edges' last digit.
        confidences[: count // 5] = rng.choice(np.asarray([0.0, 0.5, 1.0], np.float32), count // 5)
        right = rng.random(count) < confidences
        # torchmetrics takes the probability of class 1, so that being right is the class.
        theirs = binary_calibration_error(torch.from_numpy(confidences), torch.from_numpy(right).int(), n_bins=15)
        assert expected_error(confidences, right) == pytest.approx(float(theirs), abs=1e-6)


def test_by_hand() -> None:
    # Four products at .9, half of them right; four at .6, half of them right.
    confidences = np.asarray([0.9] * 4 + [0.6] * 4)
    right = np.asarray([True, True, False, False] * 2)
    found = measure_reliability(confidences, right)
    assert found.expected_error == pytest.approx((0.4 + 0.1) / 2)
    assert (found.confidence, found.accuracy, found.count) == (pytest.approx(0.75), 0.5, 8)
    assert found.brier == pytest.approx((0.01 + 0.81 + 0.16 + 0.36) / 4)


def test_bins_have_equal_mass_and_hold_every_product_once() -> None:
    confidences, right = calibrated(1007, seed=1)
    bins = measure_reliability(confidences, right).bins
    assert len(bins) == 15
    assert sum(item.count for item in bins) == 1007
    assert {item.count for item in bins} <= {67, 68}
    assert [item.confidence for item in bins] == sorted(item.confidence for item in bins)
    assert all(item.low <= item.accuracy <= item.high for item in bins)
    assert len(measure_reliability(confidences[:45], right[:45]).bins) == 2
    assert len(measure_reliability(confidences[:1], right[:1]).bins) == 1


def test_the_debiased_error_by_hand() -> None:
    bins = (ReliabilityBin(10, 0.8, 0.6, 0, 1), ReliabilityBin(30, 0.5, 0.5, 0, 1), ReliabilityBin(1, 0.1, 1.0, 0, 1))
    expected = 10 / 41 * (0.04 - 0.24 / 9) + 30 / 41 * (0 - 0.25 / 29)
    assert debiased_square_error(bins) == pytest.approx(expected)


def test_the_debiased_error_is_right_on_the_average_where_the_plain_one_is_not() -> None:
    """The bins' own squared error of a model that is .1 too sure is .01, whatever the number of products."""
    squares, plain = [], []
    for seed in range(300):
        confidences, right = calibrated(120, seed, shift=0.1)
        bins = measure_reliability(confidences, right, draws=2).bins
        squares.append(debiased_square_error(bins))
        plain.append(sum(item.count / 120 * (item.confidence - item.accuracy) ** 2 for item in bins))
    assert np.mean(squares) == pytest.approx(0.01, abs=0.001)
    assert np.mean(plain) > 0.017


def test_what_chance_gives_is_what_calibrated_models_show() -> None:
    shown, at_most, beyond = [], [], 0
    for seed in range(200):
        found = measure_reliability(*calibrated(150, seed), seed=seed, draws=200)
        shown.append(found.expected_error)
        at_most.append(found.by_chance)
        beyond += found.is_beyond_chance
    assert np.mean(at_most) == pytest.approx(np.mean(shown), rel=0.05)
    # By its definition in 5 of 100 cases; 200 of them may show between 2 and 9.
    assert 4 <= beyond <= 18


def test_a_model_that_is_too_sure_is_beyond_chance_and_a_calibrated_one_is_not() -> None:
    assert measure_reliability(*calibrated(1000, 3, shift=0.1)).is_beyond_chance
    assert not measure_reliability(*calibrated(1000, 3)).is_beyond_chance
    assert measure_reliability(*calibrated(1000, 2)).debiased_error < 0.03
    assert measure_reliability(*calibrated(1000, 3, shift=0.1)).debiased_error == pytest.approx(0.1, abs=0.03)


def test_a_model_that_is_sure_and_right_has_no_error() -> None:
    found = measure_reliability(np.ones(50, dtype=np.float32), np.ones(50, dtype=bool))
    assert (found.expected_error, found.debiased_error, found.by_chance_at_most, found.brier) == (0, 0, 0, 0)
    assert not found.is_beyond_chance


def test_the_same_seed_gives_the_same() -> None:
    confidences, right = calibrated(100, 0)
    assert measure_reliability(confidences, right, seed=4) == measure_reliability(confidences, right, seed=4)
    assert measure_reliability(confidences, right, 4).by_chance != measure_reliability(confidences, right, 5).by_chance


def test_intervals_of_shares_hold_the_share_and_stay_shares() -> None:
    # Of 10 with 8 right: as published for Wilson's interval.
    assert wilson_interval(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0.0, 5)[0] == pytest.approx(0.0, abs=1e-12)
    assert wilson_interval(1.0, 5)[1] == 1.0
    assert wilson_interval(1.0, 5)[0] < 0.6


@pytest.mark.parametrize(
    ("confidences", "right"),
    [([], []), ([0.5], [True, False]), ([1.5], [True]), ([-0.1], [True]), ([float("nan")], [True])],
)
def test_what_are_no_probabilities_is_refused(confidences: list[float], right: list[bool]) -> None:
    with pytest.raises(ValueError, match="permitted"):
        measure_reliability(np.asarray(confidences), np.asarray(right, dtype=bool))
