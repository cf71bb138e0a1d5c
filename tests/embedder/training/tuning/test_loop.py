"""The loop: what changes and what stays, and that a run which was stopped ends as one that was not."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from embedder.errors import TrainingError, TrainingStopped
from embedder.training.tuning import loop
from embedder.training.tuning.checkpoint import load_checkpoint
from embedder.training.tuning.loop import CHECKPOINT, Tuned, Watcher, rate_factor
from embedder.training.tuning.model import TunableModel
from embedder.training.tuning.plan import Stage, TuningPlan
from tests.embedder.training.tuning.conftest import Ready

PLAN = TuningPlan((Stage(32, 3), Stage(64, 5)), 16, 4.0, "as a test wants it")
Make = Callable[..., Ready]


def run(ready: Ready, folder: Path, watcher: Watcher | None = None, plan: TuningPlan = PLAN) -> dict[str, torch.Tensor]:
    """All tunable values after the plan's steps."""
    tuner = ready.tuner()
    tuner.run(plan, folder, watcher or Watcher())
    tuner.finish()
    return ready.model.state()


def differing(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> set[str]:
    assert first.keys() == second.keys()
    return {name for name, value in first.items() if not torch.equal(value, second[name])}


def test_full_tuning_changes_the_image_tower_and_all_ends_and_leaves_the_text_tower(
    ready: Make, tmp_path: Path
) -> None:
    prepared = ready(sigmoid_weight=0.5, metric_weight=0.5)
    before = prepared.model.state()
    changed = differing(before, run(prepared, tmp_path))
    towers = {name for name in before if name.startswith("visual.")}
    assert towers - changed == set()
    assert {"image.weight", "text.weight", "instance.map.weight", "head.weight", "log_scale", "sigmoid_bias"} <= changed
    assert not [name for name in changed if name.startswith(("text_tower.", "buffer."))]


def test_the_text_tower_is_tuned_where_that_is_wanted(ready: Make, tmp_path: Path) -> None:
    prepared = ready(text_tower=True)
    changed = differing(prepared.model.state(), run(prepared, tmp_path))
    assert [name for name in changed if name.startswith("text_tower.")]


def test_lora_merges_its_additions_into_the_layers_that_they_belong_to(ready: Make, tmp_path: Path) -> None:
    prepared = ready(what="lora", lora_rank=2)
    before = prepared.model.state()
    after = run(prepared, tmp_path)
    changed = {name for name in differing(before, after) if name.startswith("visual.")}
    assert changed
    assert all(before[name].ndim in (2, 4) and before[name].shape[2:] in ((), (1, 1)) for name in changed)
    assert not [name for name in after if "lora" in name]


def test_nothing_in_the_tower_moves_before_it_is_unfrozen(ready: Make, tmp_path: Path) -> None:
    seen: list[bool] = []
    prepared = ready(unfreeze_after=0.5)
    before = prepared.model.state()

    def on_step(step: int, parts: dict[str, float]) -> None:
        seen.append(any(name.startswith("visual.") for name in differing(before, prepared.model.state())))

    run(prepared, tmp_path, Watcher(on_step))
    assert seen == [False] * 4 + [True] * 4


def test_the_same_seed_gives_the_same_weights(ready: Make, tmp_path: Path) -> None:
    kept = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        kept.append(run(ready(dropout=0.2, drop_path=0.2, color_share=1.0), tmp_path / str(number)))
    assert differing(*kept) == set()


@pytest.mark.parametrize(("what", "batch_norm"), [("full", "folded"), ("full", "estimated"), ("lora", "frozen")])
def test_a_run_that_is_stopped_ends_with_the_same_weights_as_one_that_is_not(
    ready: Make, tmp_path: Path, what: str, batch_norm: str
) -> None:
    options = {"what": what, "batch_norm": batch_norm, "drop_path": 0.1}
    whole = run(ready(**options), tmp_path)
    stopped = tmp_path / "stopped"
    stopped.mkdir()

    def on_step(step: int, parts: dict[str, float]) -> None:
        if step in (2, 5):
            os.kill(os.getpid(), signal.SIGINT)

    for step in (2, 5):
        with pytest.raises(TrainingStopped, match=rf"stopped after step {step} of 8; .* same command"):
            run(ready(**options), stopped, Watcher(on_step))
    assert differing(whole, run(ready(**options), stopped, Watcher(on_step))) == set()


def test_figures_on_the_way_are_of_the_average_and_survive_an_interruption(ready: Make, tmp_path: Path) -> None:
    measured: list[torch.Tensor] = []

    def on_check(step: int, model: TunableModel) -> dict[str, float]:
        assert not model.training
        measured.append(model.head.weight.detach().clone())
        return {"score": float(step)}

    def on_step(step: int, parts: dict[str, float]) -> None:
        if step == 6:
            os.kill(os.getpid(), signal.SIGTERM)

    prepared = ready()
    with pytest.raises(TrainingStopped):
        run(prepared, tmp_path, Watcher(on_step, on_check, (0.5,)))
    assert not torch.equal(measured[0], prepared.model.head.weight)
    tuner = ready().tuner()
    tuned: Tuned = tuner.run(PLAN, tmp_path, Watcher(on_check=on_check, checked=(0.5,)))
    assert tuned.checks == [{"step": 4.0, "score": 4.0}]
    assert tuned.resumed_from == 6
    assert tuned.spent_s > 0


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_checkpoint(ready: Make, tmp_path: Path) -> None:
    prepared = ready(checkpoint_s=1e-6)
    weighted = prepared.learning.objective.weighted

    def on_step(step: int, parts: dict[str, float]) -> None:
        if step == 3:
            prepared.learning.objective.weighted = lambda parts: weighted(parts) * float("nan")  # type: ignore

    with pytest.raises(TrainingError, match=r"loss nan .* in step 4 of 8 .*last good checkpoint.*lower tune.lear"):
        run(prepared, tmp_path, Watcher(on_step))
    resumed = ready().tuner()
    assert resumed.run(PLAN, tmp_path, Watcher()).resumed_from == 3
    resumed.finish()
    (tmp_path / "whole").mkdir()
    assert differing(resumed.model.state(), run(ready(), tmp_path / "whole")) == set()


def test_a_full_disk_costs_no_training(
    ready: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    stopped: list[int] = []

    def on_step(step: int, parts: dict[str, float]) -> None:
        # Before the checkpoint of this step is written.
        if step == 4:
            monkeypatch.setattr("embedder.training.tuning.checkpoint.save_file", full)
        stopped.append(step)

    with caplog.at_level(logging.WARNING):
        kept = run(ready(checkpoint_s=1e-6), tmp_path, Watcher(on_step))
    assert "could not be written after step 8 ([Errno 28]" in caplog.text
    assert stopped == list(range(1, 9))
    monkeypatch.undo()
    tuner = ready().tuner()
    assert tuner.run(PLAN, tmp_path, Watcher()).resumed_from == 3
    tuner.finish()
    assert not list(tmp_path.glob(".*"))
    assert differing(kept, run(ready(), tmp_path)) == set()


def test_a_checkpoint_that_cannot_be_read_begins_anew_and_says_so(
    ready: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"\x08\x00")
    with caplog.at_level(logging.WARNING):
        run(ready(), tmp_path)
    assert "cannot be read" in caplog.text


def test_the_rate_rises_and_falls_to_nothing() -> None:
    rates = [rate_factor(step, 100, 0.1) for step in range(100)]
    assert rates[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert max(rates) == rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001


class TestBudget:
    PLAN = TuningPlan((Stage(32, 4), Stage(64, 16)), 16, 10.0, "as a test wants it", 1e-3)

    @pytest.fixture(autouse=True)
    def _reviewed_often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loop, "_REVIEWED", 2)
        monkeypatch.setattr(loop, "_KEPT_WHEN_LATE", 0.5)

    def test_a_plan_that_takes_too_long_is_made_shorter_and_taken_to_its_end(self, ready: Make, tmp_path: Path) -> None:
        taken: list[int] = []
        plans: list[TuningPlan] = []
        run(ready(), tmp_path, Watcher(lambda step, parts: taken.append(step), on_plan=plans.append), self.PLAN)
        assert taken == list(range(1, plans[-1].steps + 1))
        assert len(taken) < 20
        assert [plan.steps for plan in plans] == sorted({plan.steps for plan in plans}, reverse=True)

    def test_its_last_checkpoint_is_of_its_last_step(self, ready: Make, tmp_path: Path) -> None:
        plans: list[TuningPlan] = []
        run(ready(), tmp_path, Watcher(on_plan=plans.append), self.PLAN)
        found = load_checkpoint(tmp_path / CHECKPOINT)
        assert found is not None
        assert found.step == plans[-1].steps

    def test_a_plan_without_a_budget_is_kept(self, ready: Make, tmp_path: Path) -> None:
        plans: list[TuningPlan] = []
        run(ready(), tmp_path, Watcher(on_plan=plans.append))
        assert plans == []
