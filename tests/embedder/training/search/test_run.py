"""A search for settings, from a catalog to a settings file that loads."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from embedder.__main__ import app
from embedder.errors import MissingExtra, SettingsError, TrainingError
from embedder.settings import EmbedderSettings
from embedder.training.search import run as search_run
from embedder.training.search.report import Found, print_found, write_settings
from embedder.training.search.run import search
from embedder.training.search.space import SPACE, within
from embedder.training.search.trials import Trial
from embedder.training.settings import FineTuneSettings, InstanceSettings, TuneSettings
from embedder.training.split_products import TrainRequest
from embedder.training.tuning.loop import CHECKPOINT
from embedder.training.tuning.model import TunableModel
from embedder.training.tuning.start import TuningStart
from embedder.training.tuning.validation import Validation
from tests.conftest import write_drawn_catalog
from tests.embedder.training.tuning.conftest import small_bundle

__all__ = ["small_bundle"]

GIVEN: dict[str, Any] = {"what": "full", "passes": 1, "products": 8, "learning_rate": 1e-3, "color_share": 0.2}


def searched(
    model: Path, folder: Path, trials: int = 2, budget_s: float | None = None, **changed: Any
) -> tuple[Found, Path]:
    """Search on a catalog of 60 drawn products; the settings file beside what was found."""
    catalog = folder / "shop" / "catalog.csv"
    if not catalog.exists():
        write_drawn_catalog(folder / "shop", 60, side=32)
    settings = EmbedderSettings(
        cache_dir=folder / "cache",
        device="cpu",
        train=FineTuneSettings(epochs=1, learning_rate=1e-6, rehearsal=4),
        tune=TuneSettings(**{**GIVEN, **changed}),
        instance=InstanceSettings(dim=16, products=50, views=100),
    )
    request = TrainRequest(str(catalog), {}, str(model), folder / "out", None, budget_s, None)
    return search(request, settings, trials, folder / "found.toml"), folder / "found.toml"


def counted(monkeypatch: pytest.MonkeyPatch, fail_at: tuple[int, ...], error: BaseException) -> list[Path]:
    """Work folders of all tunings; those at some places, from 0, raise."""
    calls: list[Path] = []
    really = search_run.tune_towers

    def tune(*arguments: Any) -> Any:
        calls.append(arguments[7])
        if len(calls) - 1 in fail_at:
            raise error
        return really(*arguments)

    monkeypatch.setattr(search_run, "tune_towers", tune)
    return calls


def test_the_settings_file_loads_and_holds_the_best_trials_values(
    small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    starts: list[TuningStart] = []
    really = search_run.tune_towers

    def tune(*arguments: Any) -> Any:
        starts.append(arguments[2])
        return really(*arguments)

    monkeypatch.setattr(search_run, "tune_towers", tune)
    found, path = searched(small_bundle, tmp_path, budget_s=300.0)
    assert len(found.trials) == 2
    # Both from one start, each with an equal share of the time.
    assert starts[0] is starts[1]
    assert 0.0 < (starts[0].budget_s or 0.0) < 0.7 * 150.0
    best = found.best
    assert best is not None
    assert best.score == max(trial.score or 0.0 for trial in found.trials)
    assert "score" in best.figures
    assert "photo_recall_at_1" in best.figures
    loaded = EmbedderSettings.from_flags(path)
    # What was searched, and what was given besides.
    assert loaded.tune == replace(TuneSettings(**GIVEN), **dict(best.values))
    assert loaded.train == FineTuneSettings(epochs=1, learning_rate=1e-6, rehearsal=4)
    assert loaded.instance == InstanceSettings(dim=16, products=50, views=100)
    assert not (tmp_path / "out").exists()
    print_found(found, path)
    printed = capsys.readouterr().out
    assert f"{best.score:.4f}" in printed
    words = shlex.split(printed.splitlines()[-1])
    assert words[:4] == ["python", "-m", "embedder", "train"]
    assert words[words.index("--config") + 1] == str(path)
    assert words[words.index("--out") + 1] == str(tmp_path / "out")


def test_an_interrupted_search_goes_on_from_its_checkpoint_and_runs_no_trial_twice(
    small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    really = search_run.Validation.measure
    measured: list[TunableModel] = []

    def interrupted(validation: Validation, model: TunableModel) -> dict[str, float]:
        measured.append(model)
        if len(measured) == 2:
            raise KeyboardInterrupt
        return really(validation, model)

    with monkeypatch.context() as patched:
        calls = counted(patched, (), KeyboardInterrupt())
        patched.setattr(search_run.Validation, "measure", interrupted)
        with pytest.raises(KeyboardInterrupt):
            searched(small_bundle, tmp_path)
    assert [folder.name for folder in calls] == ["trial-0000", "trial-0001"]
    assert (calls[1] / CHECKPOINT).exists()

    def gathered_again(*arguments: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(search_run, "tune_ends", gathered_again)
    later = counted(monkeypatch, (), KeyboardInterrupt())
    caplog.set_level("INFO")
    found, _ = searched(small_bundle, tmp_path)
    assert [trial.number for trial in found.trials] == [0, 1]
    assert later == [calls[1]]
    assert "tuning goes on after step" in caplog.text
    # One that is complete has nothing left to do.
    assert searched(small_bundle, tmp_path)[0].trials == found.trials
    assert len(later) == 1


def test_a_failing_trial_is_survived_and_where_all_fail_the_search_says_so(
    small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counted(monkeypatch, (0,), TrainingError("loss nan in step 3"))
    with pytest.raises(TrainingError, match=r"1 of 1 trials failed, the last one by: loss nan in step 3; .*next step"):
        searched(small_bundle, tmp_path, 1)
    assert not (tmp_path / "found.toml").exists()
    # Without a budget the same search goes on with a larger number.
    found, path = searched(small_bundle, tmp_path, 2)
    assert [trial.score is None for trial in found.trials] == [True, False]
    print_found(found, path)
    assert "1 of 2 trials failed, the last one by: loss nan in step 3" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["heads", "projection"])
def test_a_search_is_for_the_towers(tmp_path: Path, what: str) -> None:
    with pytest.raises(SettingsError, match=rf"tune\.what '{what}' with --search; permitted: full, lora"):
        searched(tmp_path / "no-model", tmp_path, what=what)


def test_no_time_and_several_processes_are_refused(
    small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match=r"budget 0 with --search"):
        searched(small_bundle, tmp_path, budget_s=0.0)
    monkeypatch.setattr("accelerate.Accelerator.num_processes", 2)
    with pytest.raises(TrainingError, match=r"by 2 processes; permitted: 1"):
        searched(small_bundle, tmp_path)


def test_without_optuna_the_extra_is_named(small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "embedder.training.search.study", raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match=r"needs optuna.*pip install 'merchlens\[search\]'"):
        searched(small_bundle, tmp_path)


def made_up(folder: Path, trials: int) -> Found:
    """What a search might have found; the first trial has the settings as given, and each is better than the last."""
    given = within(TuneSettings(), SPACE)
    found = [
        Trial(number, {**given, "crop": 0.8 - number / 100}, 0.5 + number / 100, {"score": 0.5, "other": 0.25}, "")
        for number in range(trials)
    ]
    request = TrainRequest("shop.csv", {"id": "sku"}, "starter", folder / "out", 96, 3600.0, 500, True)
    return Found(request, EmbedderSettings(), given, tuple(found), {"crop": 0.75, "products": 0.25})


def test_the_table_fits_into_80_columns_and_shows_what_was_given_beside_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_found(made_up(tmp_path, 12), tmp_path / "found.toml")
    lines = capsys.readouterr().out.splitlines()
    for heading in ("counts", "trial 11", "trial 10", "trial 9", "as given"):
        assert heading in lines[1]
    assert "0.6100" in next(line for line in lines if "score" in line)
    assert [word for word in next(line for line in lines if "crop" in line).split() if word != "│"] == [
        "crop", "0.75", "0.69", "0.7", "0.71", "0.8",
    ]  # fmt: skip
    assert not [line for line in lines if "…" in line]
    for flag in ("--image-size 96", "--max-products 500", "--map id=sku", "--allow-outside-pictures", "3600s"):
        assert flag in lines[-1]


def test_the_command_line_searches_and_writes_beside_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def search_instead(*arguments: Any) -> Found:
        asked.append(arguments)
        return made_up(tmp_path, 1)

    monkeypatch.setattr(search_run, "search", search_instead)
    catalog = write_drawn_catalog(tmp_path / "shop", 4, side=32)
    flags = ["train", "--catalog", str(catalog), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*flags, "--search", "5", "--budget", "1h"], catch_exceptions=False)
    assert done.exit_code == 0
    request, _, trials, path = asked[0]
    assert (request.budget_s, trials, path) == (3600.0, 5, tmp_path / "out.search.toml")
    with pytest.raises(SettingsError, match=r"--search-out .* without --search"):
        CliRunner().invoke(app, [*flags, "--search-out", "found.toml"], catch_exceptions=False)


def test_a_settings_file_that_cannot_be_written_says_that_the_trials_are_kept(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be written.*--search-out"):
        write_settings(made_up(tmp_path, 1), tmp_path)
