"""Defaults that depend on what is trained, and in how much time."""

from __future__ import annotations

from embedder.training.settings import TuneSettings


def test_a_budget_decides_how_long_is_tuned_and_without_one_the_passes_are_few() -> None:
    assert TuneSettings().most_passes(with_budget=False) == 12
    assert TuneSettings().most_passes(with_budget=True) == 40
    assert TuneSettings(passes=7).most_passes(with_budget=True) == 7
    assert TuneSettings(passes=7).most_passes(with_budget=False) == 7
