"""The gradient of a loss that compares all pictures of a batch, where they do not all go through the tower at once.

The losses compare what the tower gives, so their gradient with respect to that is found first, and then led back
through the tower part by part: chunk by chunk (GradCache: Gao et al., 2021), and each process its own rows. Parts give
the same gradient as the whole, as long as one picture's way through the tower does not depend on the others': with
frozen BatchNorm statistics. With statistics of the batch each part would be normalized by its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from embedder.training.settings import TuneSettings
from embedder.training.tuning.augmentation import Mix
from embedder.training.tuning.batches import Batch, step_seed
from embedder.training.tuning.model import Seen, TunableModel
from embedder.training.tuning.objective import Objective
from embedder.training.tuning.processes import Processes


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What one step shows the model.

    Attributes:
        pixels: of the batch's pictures, normalized, float32 (n, 3, side, side), on the model's device.
        batch: what they show, on the same device.
        tokens: of the batch's captions, int64 (b, t); None: the text tower is not trained.
        mix: how pictures were mixed.
        rehearsed: pictures of other kinds, normalized, float32 (r, 3, h, w), and their places among all of these,
            int64 (r,); None: there are none.
    """

    pixels: torch.Tensor
    batch: Batch
    tokens: torch.Tensor | None
    mix: Mix | None
    rehearsed: tuple[torch.Tensor, torch.Tensor] | None


def gradients(
    model: TunableModel, shown: Shown, objective: Objective, settings: TuneSettings, processes: Processes, seed: int
) -> dict[str, float]:
    """Leave the loss's gradient in all trainable parameters.

    Args:
        model: in the mode that it is trained in.
        shown: see there.
        objective: the loss.
        settings: size of the chunks.
        processes: who computes which rows.
        seed: of dropout and of dropped residual branches in this step.

    Returns:
        Each term of the loss without its weight, and "loss".
    """
    runs = [
        _Run(model, pixels, settings.chunk, processes, seed + number)
        for number, pixels in enumerate(_together(shown, settings))
    ]
    # The same on all processes from here on: what lies behind the tower is small.
    torch.manual_seed(seed)
    texts = shown.batch.texts if shown.tokens is None else model.encode_tokens(shown.tokens)
    seen, others = _apart(runs, len(shown.pixels))
    rehearsed = None if shown.rehearsed is None else (others, shown.rehearsed[1])
    parts = objective.terms(model, seen, texts, shown.batch, shown.mix, rehearsed)
    loss = objective.weighted(parts)
    loss.backward()
    trained = [parameter for parameter in model.visual.parameters() if parameter.requires_grad]
    if trained:
        for run in runs:
            run.lead_back()
        processes.add_up(trained)
    return {"loss": float(loss.detach()), **{name: float(part.detach()) for name, part in parts.items()}}


def _together(shown: Shown, settings: TuneSettings) -> list[torch.Tensor]:
    """What goes through the tower at once: all of it, where sizes agree and no picture is normalized by the others."""
    if shown.rehearsed is None:
        return [shown.pixels]
    rehearsed = shown.rehearsed[0]
    if settings.batch_norm == "estimated" or rehearsed.shape[1:] != shown.pixels.shape[1:]:
        return [shown.pixels, rehearsed]
    return [torch.cat([shown.pixels, rehearsed])]


def _apart(runs: Sequence[_Run], count: int) -> tuple[Seen, Seen]:
    """The first `count` pictures of all runs, one run's after the other's, and the rest."""
    found = [run.seen() for run in runs]
    features = torch.cat([seen.features for seen in found])
    levels = torch.cat([seen.levels for seen in found])
    return Seen(features[:count], levels[:count]), Seen(features[count:], levels[count:])


class _Run:
    """Pictures on their way through the tower, and the gradient on its way back."""

    def __init__(self, model: TunableModel, pixels: torch.Tensor, chunk: int, processes: Processes, seed: int) -> None:
        self._model = model
        self._own = processes.own(len(pixels))
        size = chunk or max(1, self._own.stop - self._own.start)
        starts = range(self._own.start, self._own.stop, size)
        self._chunks = [pixels[start : min(start + size, self._own.stop)] for start in starts]
        self._seeds = [step_seed(seed, start, "chunk") for start in starts]
        # One chunk is not computed twice.
        with torch.set_grad_enabled(len(self._chunks) == 1):
            self._outputs = [self._encode(*item) for item in zip(self._chunks, self._seeds, strict=True)]
        if self._outputs:
            local = torch.cat([output.detach() for output in self._outputs])
        else:
            local = self._encode(pixels[:1], 0).detach()[:0]
        self._leaf = processes.gather(local).requires_grad_()

    def seen(self) -> Seen:
        """What the towers give of all processes' pictures."""
        total = sum(self._model.trunk.widths)
        return Seen(*self._leaf.split([self._leaf.shape[1] - total, total], dim=1))

    def lead_back(self) -> None:
        """Through the tower, for this process's own pictures."""
        gradient = self._leaf.grad
        if gradient is None:
            return
        gradient, start = gradient[self._own], 0
        for place, item in enumerate(zip(self._chunks, self._seeds, strict=True)):
            output = self._outputs[place] if len(self._chunks) == 1 else self._encode(*item)
            output.backward(gradient[start : start + len(output)])
            start += len(output)

    def _encode(self, pixels: torch.Tensor, seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        found = self._model.encode(pixels)
        return torch.cat([found.features, found.levels], dim=1)
