"""What a training step of the starter's image tower costs at 96 px, as it is taken and as it would be taken plainly.

Baseline: float32, channels first, BatchNorm with frozen statistics. Both take turns, since other work on the machine slows
now one and now the other; the figure is the median over the rounds of the ratio within one. Bar: 0.65 of the baseline.
Short: fewer rounds.
"""

from __future__ import annotations

import statistics
import time
from functools import partial

import torch
from torch import nn

from embedder.export.base_bundles import resolve_bundle
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import split
from embedder.training.tuning.depthwise import DepthwiseConvolution
from embedder.training.tuning.model import Ends, TunableModel
from tests.bench.bars import Bars, arguments

SIDE, PICTURES = 96, 64
ROUNDS, SHORT_ROUNDS = 15, 5

_AS_TAKEN = "channels last, BatchNorm folded, small maps padded"


class Step:
    """One way to take a step."""

    def __init__(self, model: TunableModel, memory_format: torch.memory_format) -> None:
        self.model = model
        self.memory_format = memory_format
        model.train()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        model.visual.to(memory_format=memory_format)
        self._parameters = [*model.visual.parameters(), *model.image.parameters()]
        self._optimizer = torch.optim.AdamW(self._parameters, lr=1e-5)

    def seconds(self, pixels: torch.Tensor) -> float:
        """Of one step on these pixels, forwards, backwards and the update."""
        pixels = pixels.contiguous(memory_format=self.memory_format)
        started = time.perf_counter()
        outputs = self.model.encode(pixels)
        loss = self.model.semantic(outputs.features).square().sum() + outputs.levels.square().mean()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return time.perf_counter() - started


def main() -> None:
    """Measure and report."""
    flags = arguments(__doc__)
    bars = Bars(flags.short)
    folder = resolve_bundle("starter", flags.data / "cache", SIDE)
    plain = Step(_model(folder, fold=False), torch.contiguous_format)
    ways = {
        "channels last": Step(_model(folder, fold=False), torch.channels_last),
        "channels last, BatchNorm folded": Step(_model(folder, fold=True), torch.channels_last),
        _AS_TAKEN: Step(_model(folder, fold=True, pad=True), torch.channels_last),
    }
    pixels = torch.randn(PICTURES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    taken: dict[str, list[float]] = {"plain": [], **{name: [] for name in ways}}
    for number in range((SHORT_ROUNDS if flags.short else ROUNDS) + 1):
        for name, step in {"plain": plain, **ways}.items():
            seconds = step.seconds(pixels)
            # The first of each sets up buffers.
            if number:
                taken[name].append(seconds)
    ratios = {
        name: statistics.median(own / base for own, base in zip(taken[name], taken["plain"], strict=True))
        for name in ways
    }
    for name, seconds_each in taken.items():
        bars.row(
            f"{name}: seconds per 1,000 pictures",
            f"{statistics.median(seconds_each) * 1000 / PICTURES:.2f}",
            "" if name == "plain" else f"{ratios[name]:.3f} of plain",
        )
    bars.at_most("training_step_ratio", ratios[_AS_TAKEN], 0.65)
    bars.report("a training step of the starter at 96 px")


def _model(folder: object, fold: bool, pad: bool = False) -> TunableModel:
    whole = load_folder(folder)  # type: ignore[arg-type]
    image, text = split(load_folder(folder), "image")[1], split(whole, "text")[1]  # type: ignore[arg-type]
    head = (torch.zeros(1, len(image.weight)), torch.zeros(1))
    model = TunableModel(load_folder(folder), Ends(image, text, head, None), fold)  # type: ignore[arg-type]
    for module in model.modules():
        if isinstance(module, DepthwiseConvolution) and not pad:
            module.forward = partial(nn.Conv2d.forward, module)  # type: ignore[method-assign]
    return model


if __name__ == "__main__":
    main()
