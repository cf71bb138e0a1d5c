"""The fitted temperature undoes what made a classifier too sure or too timid."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.recognition.calibration import fit_temperature
from embedder.recognition.head import softmax


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 6), and labels drawn with exactly the probabilities that they tell."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, 6)) * 2
    probabilities = softmax(logits).astype(np.float64)
    edges = probabilities.cumsum(axis=1) / probabilities.sum(axis=1, keepdims=True)
    return logits, (rng.random((count, 1)) > edges).sum(axis=1).clip(0, 5)


@pytest.mark.parametrize("factor", [0.1, 0.5, 1.0, 3.0, 20.0])
def test_finds_the_factor_that_logits_were_multiplied_with(factor: float) -> None:
    logits, labels = drawn(20_000)
    assert fit_temperature(logits * factor, labels) == pytest.approx(factor, rel=0.05)


def test_a_few_products_that_are_all_right_make_nobody_certain() -> None:
    logits = np.eye(4)[[0, 1, 2, 3]] * 3
    assert 0.3 < fit_temperature(logits, np.arange(4)) < 1.0


def test_many_that_are_all_right_do() -> None:
    logits = np.tile(np.eye(4) * 3, (2000, 1))
    assert fit_temperature(logits, np.tile(np.arange(4), 2000)) < 0.4


def test_nothing_to_fit_on_changes_nothing() -> None:
    assert fit_temperature(np.empty((0, 3)), np.empty(0, dtype=int)) == 1.0


def test_guesses_are_made_timid() -> None:
    rng = np.random.default_rng(0)
    temperature = fit_temperature(rng.normal(size=(2000, 5)) * 30, rng.integers(0, 5, 2000))
    assert softmax(rng.normal(size=(100, 5)) * 30 / temperature).max() < 0.8


def test_huge_logits_are_no_trouble() -> None:
    assert np.isfinite(fit_temperature(np.eye(3) * 1e6, np.arange(3)))
