"""The abstention curve, compared with leaving out products one by one."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.evaluation.abstention import COVERAGES, expected_abstention, measure_abstention


def naive_error(confidences: np.ndarray, right: np.ndarray, answered: int) -> float:
    """Of the surest products, all different, the share that is wrong."""
    surest = sorted(range(len(right)), key=lambda row: -confidences[row])[:answered]
    return float(np.mean([not right[row] for row in surest]))


def test_errors_are_those_of_the_surest_products() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.permutation(57) / 57
    right = rng.random(57) < confidences
    curve = measure_abstention(confidences, right)
    assert len(curve.points) == 57
    for answered, point in enumerate(curve.points, 1):
        assert point.coverage == pytest.approx(answered / 57)
        assert point.error == pytest.approx(naive_error(confidences, right, answered))
        assert (confidences >= point.threshold).sum() == answered
    assert curve.area == pytest.approx(np.mean([naive_error(confidences, right, count) for count in range(1, 58)]))
    for coverage in COVERAGES:
        assert curve.error_at[coverage] == pytest.approx(naive_error(confidences, right, int(np.ceil(coverage * 57))))
    assert curve.error_at[1.0] == pytest.approx(1 - right.mean())
    assert curve.best_area < curve.area < curve.error_at[1.0]


def test_products_that_are_equally_sure_are_answered_together() -> None:
    # Among four that are alike, half wrong, no order is better than another.
    curve = measure_abstention(np.asarray([0.9, 0.5, 0.5, 0.5, 0.5]), np.asarray([True, True, False, True, False]))
    assert [(point.threshold, point.coverage) for point in curve.points] == [(0.9, 0.2), (0.5, 1.0)]
    assert curve.error_at[0.5] == pytest.approx((0 + 0.5 + 0.5) / 3)
    again = measure_abstention(np.asarray([0.9, 0.5, 0.5, 0.5, 0.5]), np.asarray([True, False, False, True, True]))
    assert again == curve


def test_an_order_that_knows_is_the_best() -> None:
    curve = measure_abstention(np.linspace(1, 0, 10), np.asarray([True] * 7 + [False] * 3))
    assert curve.area == pytest.approx(curve.best_area)


def test_the_threshold_that_answers_most() -> None:
    curve = measure_abstention(np.asarray([0.9, 0.8, 0.7, 0.6]), np.asarray([True, True, False, True]))
    found = curve.widest_below(0.3)
    assert found is not None
    assert (found.threshold, found.coverage, found.error) == (0.6, 1.0, 0.25)
    assert curve.widest_below(0.2).coverage == 0.5  # type: ignore[union-attr]
    assert measure_abstention(np.asarray([0.9]), np.asarray([False])).widest_below(0.5) is None


def test_a_long_curve_has_about_a_hundred_points_and_ends_where_all_are_answered() -> None:
    confidences = np.random.default_rng(0).permutation(5000) / 5000
    curve = measure_abstention(confidences, confidences > 0.3)
    assert len(curve.points) == 100
    assert curve.points[-1].coverage == 1.0
    assert curve.points[0].coverage < 0.001


def test_without_labels_the_probabilities_say_what_to_expect() -> None:
    curve = expected_abstention(np.asarray([0.9, 0.5], dtype=np.float32))
    assert curve.is_expected
    assert [point.error for point in curve.points] == pytest.approx([0.1, 0.3])
    assert not measure_abstention(np.asarray([0.5]), np.asarray([True])).is_expected


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="permitted"):
        measure_abstention(np.asarray([]), np.asarray([], dtype=bool))
    with pytest.raises(ValueError, match="permitted"):
        measure_abstention(np.asarray([0.5]), np.asarray([True, False]))
