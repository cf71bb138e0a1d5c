"""How much of the tuned weights a mixture has: in layers near the pixels, in those near the output, and behind them.

What a tower forgets in a short training it forgets in its last layers: there words meet pictures, and what other kinds
of things are called gets lost. The first ones, which see what things look like, may keep all that they learnt (figures
in RESULTS.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from timm.models import group_parameters
from torch import nn

from embedder.training.tuning.model import TunableModel
from embedder.training.tuning.tuned_parts import inner_tower


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the tuned weights, 0 to 1 each; the rest is the base's.

    Attributes:
        first: in the image tower's first layer.
        last: in its last one; those between lie on a straight line.
        ends: in all that is no layer of it, such as the projections.
    """

    first: float
    last: float
    ends: float

    @classmethod
    def even(cls, share: float) -> Self:
        """As much of everything."""
        return cls(share, share, share)

    @property
    def mean(self) -> float:
        """By which mixtures are nearer to the base, or to the tuned weights, than others."""
        return (self.first + self.last + self.ends) / 3

    @property
    def label(self) -> str:
        """For tables and logs: "70 %", or "100 to 30 %" from the first layer to the last."""
        first, last = (f"{100 * value:.0f}" for value in (self.first, self.last))
        return f"{first} %" if first == last else f"{first} to {last} %"

    def at(self, depth: float | None) -> float:
        """Of a layer at a depth of 0 (first) to 1 (last); None: of what is no layer."""
        return self.ends if depth is None else self.first + (self.last - self.first) * depth


def layer_depths(model: TunableModel) -> dict[str, float]:
    """Depths of the image tower's parameters, 0 to 1, by their names in `TunableModel.state`.

    Layers are those that a layer-wise learning rate knows in timm's towers; in others each module is one, in the order
    in which it was built.
    """
    inner = inner_tower(model.visual)
    layers = _layers(inner)
    names = {id(parameter): name for name, parameter in inner.named_parameters()}
    last = max((layers[name] for name in names.values() if name in layers), default=0) or 1
    depths = {}
    for name, parameter in model.visual.named_parameters():
        own = names.get(id(parameter))
        # What open_clip puts behind timm's module comes last.
        depths[f"visual.{name}"] = 1.0 if own is None else min(1.0, layers.get(own, last) / last)
    return depths


def _layers(tower: nn.Module) -> dict[str, int]:
    matcher = getattr(tower, "group_matcher", None)
    if matcher is not None:
        return dict(group_parameters(tower, matcher(coarse=False), reverse=True))
    modules: dict[str, int] = {}
    return {
        name: modules.setdefault(name.rpartition(".")[0] or name, len(modules)) for name, _ in tower.named_parameters()
    }
