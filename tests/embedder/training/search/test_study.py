"""A study goes on wherever it was interrupted, and survives trials that fail."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from embedder.errors import TrainingError, TrainingStopped
from embedder.training.search.space import Choice, Range, Space, Value
from embedder.training.search.study import JOURNAL, Study

SMALL: Space = {"rate": Range(1e-4, 1e-1, by_factor=True), "weight": Range(0.0, 2.0), "kind": Choice(("a", "b"))}
FIRST: Mapping[str, Value] = {"rate": 0.01, "kind": "b"}


def score(number: int, values: Mapping[str, Value], folder: Path) -> dict[str, float]:
    """Best at a weight of 1; nothing else counts."""
    assert folder.is_dir()
    return {"score": 1.0 - abs(float(values["weight"]) - 1.0), "other": 0.5}


def study(folder: Path, seed: int = 3) -> Study:
    folder.mkdir(exist_ok=True)
    return Study(folder, SMALL, seed, FIRST)


def drawn(folder: Path, trials: int = 12, seed: int = 3) -> list[Mapping[str, Value]]:
    made = study(folder, seed)
    made.run(trials, score)
    return [trial.values for trial in made.trials()]


def test_the_first_trial_has_the_given_values_and_the_seed_says_all_others(tmp_path: Path) -> None:
    once = drawn(tmp_path / "once")
    assert {name: once[0][name] for name in FIRST} == FIRST
    assert once == drawn(tmp_path / "again")
    assert once[1:] != drawn(tmp_path / "other", seed=4)[1:]
    assert all(SMALL[name].holds(value) for values in once for name, value in values.items())


def test_what_counts_is_found_and_the_best_comes_first(tmp_path: Path) -> None:
    made = study(tmp_path)
    made.run(5, score)
    assert made.importances() == {}
    made.run(24, score)
    importances = made.importances()
    assert sum(importances.values()) == pytest.approx(1.0)
    assert max(importances, key=lambda name: importances[name]) == "weight"
    best = made.best()
    assert best is not None
    assert best.score == max(trial.score or 0.0 for trial in made.trials())
    assert best.figures == {"score": best.score, "other": 0.5}
    # Nothing of the trials' own work stays.
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


@pytest.mark.parametrize("how", [KeyboardInterrupt(), TrainingStopped("stopped")])
def test_a_trial_that_was_cut_off_goes_on_with_its_own_values_in_its_own_folder(
    tmp_path: Path, how: BaseException
) -> None:
    expected = drawn(tmp_path / "whole", 12)
    met: list[tuple[int, Mapping[str, Value]]] = []

    def interrupted(number: int, values: Mapping[str, Value], folder: Path) -> dict[str, float]:
        if number == 11:
            (folder / "checkpoint").touch()
            raise how
        return score(number, values, folder)

    def resumed(number: int, values: Mapping[str, Value], folder: Path) -> dict[str, float]:
        assert (folder / "checkpoint").exists()
        met.append((number, values))
        return score(number, values, folder)

    with pytest.raises(type(how)):
        study(tmp_path / "cut").run(12, interrupted)
    study(tmp_path / "cut").run(12, resumed)
    assert met == [(11, expected[11])]
    assert [trial.values for trial in study(tmp_path / "cut").trials()] == expected


@pytest.mark.parametrize("cut", range(1, 200, 13))
def test_a_journal_that_ends_anywhere_is_gone_on_from(tmp_path: Path, cut: int) -> None:
    expected = drawn(tmp_path, 4)
    journal = tmp_path / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-cut])
    assert drawn(tmp_path, 4) == expected


def test_a_journal_that_is_none_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("something else\nof two lines\n")
    with pytest.raises(TrainingError, match=r"cannot be read.*next step: delete"):
        study(tmp_path)


def test_trials_that_fail_are_counted_and_named(tmp_path: Path) -> None:
    def some_fail(number: int, values: Mapping[str, Value], folder: Path) -> dict[str, float]:
        if number % 2:
            raise TrainingError(f"loss nan in trial {number}")
        return score(number, values, folder)

    made = study(tmp_path)
    made.run(4, some_fail)
    trials = made.trials()
    assert [trial.score is None for trial in trials] == [False, True, False, True]
    assert [trial.reason for trial in trials] == ["", "loss nan in trial 1", "", "loss nan in trial 3"]
    best = made.best()
    assert best is not None
    assert best.number in (0, 2)
    assert study(tmp_path).trials() == trials
