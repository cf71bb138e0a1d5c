"""The loop of tuning: draw a batch, augment it, lead the gradient back, take a step, average, keep a checkpoint.

Whatever is random in a step follows from the seed and the step's number: a run that was killed goes on from its last
checkpoint and ends with the same weights, bit for bit on a CPU with as many threads.
"""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from timm.layers import DropPath
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from embedder.errors import TrainingError, TrainingStopped
from embedder.inputs.pixels import map_ahead
from embedder.training.settings import TuneSettings
from embedder.training.tuning.augmentation import augment
from embedder.training.tuning.batches import Batch, Batches, step_seed
from embedder.training.tuning.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from embedder.training.tuning.gradients import Shown, gradients
from embedder.training.tuning.model import TunableModel
from embedder.training.tuning.objective import Objective
from embedder.training.tuning.plan import TuningPlan
from embedder.training.tuning.processes import Processes
from embedder.training.tuning.tuned_parts import choose_parts, merge_lora, set_rates

_log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.safetensors"

_MOST_GRADIENT = 5.0
_STATISTICS_BATCHES = 16
_TIMED_STEPS = 4
_UNMET = 1_000_000

_REVIEWED, _KEPT_WHEN_LATE = 50, 0.95
"""After how many steps each time a plan with a budget is compared with the clock, and the share of the steps left that
are kept where it is late: a little at a time, since other work passes."""


@dataclass(frozen=True, slots=True, eq=False)
class Learning:
    """What a step needs besides the model.

    Attributes:
        batches: draws the products.
        objective: the loss.
        rehearsal: all pictures of other kinds, uint8 (r, 3, h, w); None: none are rehearsed.
        tokens: of all captions, int64 (m, t), padded; None: the text tower is not trained.
        mean, deviation: of the normalization of pixels, (3,).
        settings: see there.
        seed: of everything random.
        decode_threads: how many batches are drawn at once.
    """

    batches: Batches
    objective: Objective
    rehearsal: torch.Tensor | None
    tokens: torch.Tensor | None
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    settings: TuneSettings
    seed: int
    decode_threads: int = 2


@dataclass(slots=True, eq=False)
class Watcher:
    """What is told of a run while it goes on.

    Attributes:
        on_step: called after each step with its number from 1 and the terms of its loss.
        on_check: measures the averaged model a few times on the way; figures by name.
        checked: after which shares of the steps, between 0 and 1.
        on_plan: called with a plan that was made shorter, in every process.
    """

    on_step: Callable[[int, dict[str, float]], None] = lambda step, parts: None
    on_check: Callable[[int, TunableModel], dict[str, float]] | None = None
    checked: tuple[float, ...] = ()
    on_plan: Callable[[TuningPlan], None] = lambda plan: None


@dataclass(slots=True, eq=False)
class Tuned:
    """What a run leaves.

    Attributes:
        checks: figures of `Watcher.on_check`, each with its "step".
        resumed_from: the step that it went on from; 0 where it began anew.
        spent_s: seconds that all steps took, those before an interruption among them.
    """

    checks: list[dict[str, float]] = field(default_factory=list)
    resumed_from: int = 0
    spent_s: float = 0.0


class Tuner:
    """Trains a model by a plan; `model` holds the averaged weights afterwards."""

    def __init__(self, model: TunableModel, learning: Learning, processes: Processes) -> None:
        """Choose what is trained, and move the model to its device."""
        self.model = model
        self._learning = learning
        self._processes = processes
        settings = learning.settings
        _set_drop_path(model.visual, settings.drop_path)
        model.to(processes.device)
        model.encoder.model.to(processes.device)
        model.visual.to(memory_format=torch.channels_last)
        self._parts = choose_parts(model, settings)
        self._optimizer = torch.optim.AdamW(self._parts.groups, lr=settings.learning_rate)
        self._trained = nn.ParameterList(self._parts.named.values())
        self._mean = torch.tensor(learning.mean, device=processes.device).view(1, 3, 1, 1)
        self._deviation = torch.tensor(learning.deviation, device=processes.device).view(1, 3, 1, 1)

    def measure(self, side: int) -> float:
        """Seconds of a step at a picture size whose pictures are at hand; nothing is changed."""
        self._train_mode()
        batch = self._learning.batches.draw(0)
        statistics = {name: value.clone() for name, value in self._statistics().items()}
        taken = []
        for _ in range(_TIMED_STEPS):
            started = time.perf_counter()
            self._gradients(0, side, batch)
            taken.append(time.perf_counter() - started)
            self._optimizer.zero_grad()
        for name, value in self._statistics().items():
            value.copy_(statistics[name])
        # The first one sets up buffers. Of the others the fastest: what is slower was held up by other work, and a plan
        # that turns out too long is made shorter on the way, while one that is too short leaves time unused.
        return min(taken[1:])

    def measure_drawing(self) -> float:
        """Seconds for making one picture ready that was not met before, where all threads do."""
        batches, threads = self._learning.batches, self._learning.decode_threads
        # Of a pass that the run itself does not begin with.
        steps = range(_UNMET, _UNMET + 2 * threads)
        started = time.perf_counter()
        with closing(map_ahead(batches.draw, steps, threads, threads)) as drawn:
            count = sum(len(batch.pixels) for batch in drawn)
        return (time.perf_counter() - started) / max(1, count)

    def run(self, plan: TuningPlan, folder: Path, watcher: Watcher) -> Tuned:
        """Take all steps of the plan, from the last checkpoint in `folder` where there is one; fewer, where it has a
        budget and the steps take longer than it has for them.

        Raises:
            TrainingError: a loss or a gradient that is no finite number; the last checkpoint stays.
            TrainingStopped: Ctrl-C or SIGTERM; a checkpoint is written first.
        """
        settings, path = self._learning.settings, folder / CHECKPOINT
        average = AveragedModel(
            self._trained, multi_avg_fn=get_ema_multi_avg_fn(min(settings.average_decay, 1 - 5 / max(6, plan.steps)))
        )
        tuned = Tuned()
        done = self._resume(path, average, tuned)
        checks = {math.ceil(plan.steps * share) for share in watcher.checked}
        self._train_mode()
        saved_at = started_at = time.monotonic()
        spent_before_s = tuned.spent_s
        with (
            _stopping() as stop,
            closing(
                map_ahead(
                    self._learning.batches.draw,
                    range(done, plan.steps),
                    self._learning.decode_threads,
                    self._learning.decode_threads + 1,
                )
            ) as drawn,
        ):
            for step, batch in enumerate(drawn, start=done):
                self._unfreeze(step, plan)
                set_rates(self._optimizer, settings.learning_rate * rate_factor(step, plan.steps, settings.warm_up))
                parts = self._step(step, plan, batch, path)
                average.update_parameters(self._trained)
                tuned.spent_s = spent_before_s + time.monotonic() - started_at
                watcher.on_step(step + 1, parts)
                if step + 1 in checks and watcher.on_check is not None and self._processes.is_first:
                    tuned.checks.append(self._check(step + 1, average, watcher.on_check))
                if (step + 1) % _REVIEWED == 0 and self._processes.any(
                    self._processes.is_first and plan.is_late(step + 1, tuned.spent_s)
                ):
                    plan = plan.shortened(step + 1, _KEPT_WHEN_LATE)
                    checks = {math.ceil(plan.steps * share) for share in watcher.checked}
                    watcher.on_plan(plan)
                due = time.monotonic() - saved_at >= settings.checkpoint_s
                # Asked once: all processes stop after the same step, and not without a checkpoint of it.
                stopped = self._processes.any(stop.is_set())
                if self._processes.is_first and (due or stopped or step + 1 == plan.steps):
                    self._save(path, step + 1, average, tuned)
                    saved_at = time.monotonic()
                if stopped:
                    raise TrainingStopped(
                        f"stopped after step {step + 1:,} of {plan.steps:,}; next step: the same command goes on from "
                        "there"
                    )
                # Batches were drawn ahead for the plan as it was.
                if step + 1 >= plan.steps:
                    break
        self._take(average)
        self._processes.wait()
        return tuned

    def finish(self) -> None:
        """Merge low-rank additions; the model is in evaluation mode afterwards."""
        if self._learning.settings.what == "lora":
            merge_lora(self.model.visual)
        self.model.eval()

    @torch.no_grad()
    def estimate_statistics(self) -> None:
        """Estimate the statistics of BatchNorm anew, where they are not frozen: weights that were averaged or
        interpolated were trained with others.
        """
        settings = self._learning.settings
        if settings.batch_norm != "estimated":
            return

        def batches() -> Iterator[torch.Tensor]:
            for step in range(_STATISTICS_BATCHES):
                torch.manual_seed(step_seed(self._learning.seed, step, "statistics"))
                batch = self._learning.batches.draw(step)
                yield self._prepare(step, self._learning.batches.side, batch)[0]

        update_bn(batches(), _Pixels(self.model))
        self.model.eval()

    def _step(self, step: int, plan: TuningPlan, batch: Batch, path: Path) -> dict[str, float]:
        self._optimizer.zero_grad()
        parts = self._gradients(step, plan.side(step), batch)
        norm = float(nn.utils.clip_grad_norm_(self._trained, _MOST_GRADIENT))
        if not math.isfinite(parts["loss"]) or not math.isfinite(norm):
            rate = self._learning.settings.learning_rate
            worst = ", ".join(f"{name} {value:.4g}" for name, value in parts.items())
            raise TrainingError(
                f"loss {parts['loss']} and gradient {norm} in step {step + 1:,} of {plan.steps:,} ({worst}) at a "
                f"learning rate of {rate:g}; permitted: finite numbers; the last good checkpoint stays at {path}; next "
                f"step: a lower tune.learning_rate, such as {rate / 10:g}"
            )
        self._optimizer.step()
        return parts

    def _gradients(self, step: int, side: int, batch: Batch) -> dict[str, float]:
        pixels, mix, batch = self._prepare(step, side, batch)
        tokens = None if self._learning.tokens is None else self._learning.tokens[batch.captions.cpu()]
        shown = Shown(
            pixels,
            batch,
            None if tokens is None else tokens.to(self._processes.device),
            mix,
            self._rehearsed(step),
        )
        return gradients(
            self.model,
            shown,
            self._learning.objective,
            self._learning.settings,
            self._processes,
            step_seed(self._learning.seed, step, "model"),
        )

    def _rehearsed(self, step: int) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Some of the pictures of other kinds, as they are."""
        pixels, count = self._learning.rehearsal, self._learning.settings.rehearsed
        if pixels is None or not count or not self._learning.settings.rehearsal_weight:
            return None
        generator = torch.Generator().manual_seed(step_seed(self._learning.seed, step, "rehearsal"))
        places = torch.randperm(len(pixels), generator=generator)[:count]
        return self._normalized(pixels[places].to(self._processes.device).float() / 255.0), places.to(
            self._processes.device
        )

    def _normalized(self, images: torch.Tensor) -> torch.Tensor:
        return ((images - self._mean) / self._deviation).contiguous(memory_format=torch.channels_last)

    def _prepare(self, step: int, side: int, batch: Batch) -> tuple[torch.Tensor, Any, Batch]:
        device = self._processes.device
        batch = Batch(**{name.name: getattr(batch, name.name).to(device) for name in fields(Batch)})
        generator = torch.Generator().manual_seed(step_seed(self._learning.seed, step, "augmentation"))
        images, mix = augment(batch.pixels, side, self._learning.settings, generator)
        return self._normalized(images), mix, batch

    def _train_mode(self) -> None:
        self.model.train()
        if self._learning.settings.batch_norm != "estimated":
            for module in self.model.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def _unfreeze(self, step: int, plan: TuningPlan) -> None:
        frozen = step < self._learning.settings.unfreeze_after * plan.steps
        for parameter in self._parts.towers:
            parameter.requires_grad_(not frozen)

    def _check(
        self, step: int, average: AveragedModel, measure: Callable[[int, TunableModel], dict[str, float]]
    ) -> dict[str, float]:
        kept = [parameter.detach().clone() for parameter in self._trained]
        self._take(average)
        self.model.eval()
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            figures = {"step": float(step), **measure(step, self.model)}
            for parameter, value in zip(self._trained, kept, strict=True):
                parameter.copy_(value)
        self._train_mode()
        return figures

    @torch.no_grad()
    def _take(self, average: AveragedModel) -> None:
        for parameter, value in zip(self._trained, _values(average), strict=True):
            parameter.copy_(value)

    def _save(self, path: Path, step: int, average: AveragedModel, tuned: Tuned) -> None:
        tensors: dict[str, torch.Tensor] = {}
        for (name, parameter), value in zip(self._parts.named.items(), _values(average), strict=True):
            tensors[f"model.{name}"] = parameter
            tensors[f"average.{name}"] = value
        for number, state in self._optimizer.state_dict()["state"].items():
            for key, value in state.items():
                tensors[f"optimizer.{number}.{key}"] = value
        for name, value in self._statistics().items():
            tensors[f"statistics.{name}"] = value
        numbers = {"averaged": int(average.n_averaged), "checks": tuned.checks, "spent_s": tuned.spent_s}
        save_checkpoint(path, Checkpoint(step, tensors, numbers))

    @torch.no_grad()
    def _resume(self, path: Path, average: AveragedModel, tuned: Tuned) -> int:
        found = load_checkpoint(path)
        if found is None:
            return 0
        for (name, parameter), value in zip(self._parts.named.items(), _values(average), strict=True):
            parameter.copy_(found.tensors[f"model.{name}"])
            value.copy_(found.tensors[f"average.{name}"])
        average.n_averaged.fill_(int(found.numbers["averaged"]))
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in found.tensors.items():
            if name.startswith("optimizer."):
                _, number, key = name.split(".", 2)
                state.setdefault(int(number), {})[key] = tensor
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        for name, value in self._statistics().items():
            value.copy_(found.tensors[f"statistics.{name}"])
        tuned.checks.extend(found.numbers["checks"])
        tuned.resumed_from = found.step
        tuned.spent_s = float(found.numbers["spent_s"])
        _log.info("tuning goes on after step %d", found.step)
        return found.step

    def _statistics(self) -> dict[str, torch.Tensor]:
        if self._learning.settings.batch_norm != "estimated":
            return {}
        return dict(self.model.visual.named_buffers())


class _Pixels(nn.Module):
    """The image tower alone, as `update_bn` calls it."""

    def __init__(self, model: TunableModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.model.encode(pixels).features


def _values(average: AveragedModel) -> nn.ParameterList:
    assert isinstance(average.module, nn.ParameterList)
    return average.module


def rate_factor(step: int, steps: int, warm_up: float) -> float:
    """Share of the peak learning rate in a step counted from 0: a straight line up, then half a cosine down to 0."""
    rising = max(1, round(warm_up * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def _set_drop_path(tower: nn.Module, rate: float) -> None:
    """Drop residual branches, deeper ones more often (Huang et al., 2016); timm names their places."""
    if rate == 0:
        return
    places = [
        (module, name)
        for module in tower.modules()
        for name in ("drop_path", "drop_path1", "drop_path2")
        if isinstance(getattr(module, name, None), nn.Identity | DropPath)
    ]
    for number, (module, name) in enumerate(places, start=1):
        setattr(module, name, DropPath(rate * number / len(places)))


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C or SIGTERM, so that no step is left half done; the second one ends the process."""
    stop = threading.Event()
    before: dict[signal.Signals, Any] = {}

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler)
