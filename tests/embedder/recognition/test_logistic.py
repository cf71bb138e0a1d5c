"""A few features to one probability, that holds on examples which it was not fitted on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embedder.recognition.logistic import LogisticModel, fit_logistic, sigmoid


def made(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two features that tell and one that does not."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, 3)) * [1.0, 0.01, 5.0]
    chance = sigmoid(1.5 * values[:, 0] + 80 * values[:, 1] - 0.5)
    return values, rng.random(count) < chance


NAMES = ("cosine", "words", "noise")


def test_probabilities_hold_on_others() -> None:
    model = fit_logistic(NAMES, *made(2000))
    values, labels = made(4000, seed=1)
    found = model.probabilities(values)
    for low in np.linspace(0, 0.8, 5):
        there = (found >= low) & (found < low + 0.2)
        assert found[there].mean() == pytest.approx(labels[there].mean(), abs=0.06)


def test_the_right_weights_are_found() -> None:
    model = fit_logistic(NAMES, *made(20_000))
    assert np.asarray(model.weights[:2]) / model.spread[:2] == pytest.approx([1.5, 80], rel=0.1)
    assert abs(model.weights[2]) < 0.05


def test_no_feature_speaks_against_what_it_is_evidence_for() -> None:
    values, labels = made(500)
    model = fit_logistic(NAMES, -values, labels)
    assert model.weights[:2] == (0.0, 0.0)
    assert model.probabilities(values).mean() == pytest.approx(labels.mean(), abs=0.05)


def test_an_absent_feature_changes_nothing() -> None:
    model = fit_logistic(NAMES, *made(500))
    values = np.asarray([[np.nan, np.nan, np.nan]])
    assert model.probabilities(values) == pytest.approx(sigmoid(np.asarray([model.bias])))


def test_a_feature_that_is_always_absent_is_no_trouble() -> None:
    values, labels = made(500)
    values[:, 1] = np.nan
    found = fit_logistic(NAMES, values, labels).probabilities(values)
    assert np.isfinite(found).all()
    assert found.mean() == pytest.approx(labels.mean(), abs=0.02)


def test_a_handful_of_examples_proves_little() -> None:
    model = fit_logistic(("cosine",), np.asarray([[0.1], [0.9]]), np.asarray([False, True]))
    assert 0.55 < model.probabilities(np.asarray([[0.9]]))[0] < 0.95


@pytest.mark.parametrize("label", [True, False])
def test_examples_that_are_all_alike_leave_room_for_the_other(label: bool) -> None:
    model = fit_logistic(("cosine",), np.full((20, 1), 0.5), np.full(20, label))
    assert model.probabilities(np.asarray([[0.5]]))[0] == pytest.approx(20.5 / 21 if label else 0.5 / 21, abs=0.01)


def test_nothing_at_all_is_a_coin() -> None:
    model = fit_logistic(NAMES, np.empty((0, 3)), np.empty(0, dtype=bool))
    assert model.probabilities(np.ones((2, 3))) == pytest.approx(0.5)


def test_balanced_labels_count_alike_however_rare_one_is() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(1000) < 50
    values = rng.normal(size=(1000, 1)) + labels[:, None]
    assert fit_logistic(("cosine",), values, labels, balanced=True).probabilities(np.asarray([[0.5]]))[
        0
    ] == pytest.approx(0.5, abs=0.05)
    assert fit_logistic(("cosine",), values, labels).probabilities(np.asarray([[0.5]]))[0] < 0.1


def test_separable_examples_stay_finite() -> None:
    values = np.concatenate([np.full((50, 1), 0.0), np.full((50, 1), 1.0)])
    model = fit_logistic(("cosine",), values, np.arange(100) >= 50)
    assert np.isfinite(model.weights[0])
    assert model.probabilities(np.asarray([[1.0]]))[0] > 0.9


def test_it_survives_json() -> None:
    model = fit_logistic(NAMES, *made(100))
    assert LogisticModel.from_dict(json.loads(json.dumps(model.to_dict()))) == model


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="permitted"):
        LogisticModel(("a",), (0.0,), (0.0,), (1.0,), 0.0)
    with pytest.raises(ValueError, match="permitted"):
        LogisticModel(("a", "b"), (0.0,), (1.0,), (1.0,), 0.0)
