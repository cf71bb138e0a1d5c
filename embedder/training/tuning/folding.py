"""BatchNorm with fixed statistics is a scale and a shift of the convolution before it, and is trained as such.

Left beside the convolution, scale and weights are two factors of one number, and a step in either depends on the other.
Folded there is one factor and one operation less (figures in RESULTS.md). Written back, the tower has the layers that
open_clip expects: a BatchNorm that adds the shift alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

_log = logging.getLogger(__name__)

_AGREEMENT = 1e-3


@dataclass(frozen=True, slots=True)
class FoldedLayer:
    """A convolution and the BatchNorm that was folded into it.

    Attributes:
        convolution, norm: their names in the tower.
    """

    convolution: str
    norm: str


class _Activated(nn.Module):
    """What is left of a BatchNorm of timm's that ends in an activation."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.drop = getattr(norm, "drop", nn.Identity())
        self.act = getattr(norm, "act", nn.Identity())

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.act(self.drop(maps)))


def fold_norms(tower: nn.Module, probe: torch.Tensor) -> tuple[FoldedLayer, ...]:
    """Fold each BatchNorm whose input is a convolution's output, in place.

    Args:
        tower: in evaluation mode; (n, 3, h, w) pixels to anything.
        probe: pixels, to see which follows which, and that the tower computes the same afterwards.

    Returns:
        What was folded. Nothing, with a warning, where the tower would compute something else.
    """
    with torch.no_grad():
        expected = tower(probe)
        pairs = _pairs(tower, probe)
        norms = {pair.norm: tower.get_submodule(pair.norm) for pair in pairs}
        kept = {pair.convolution: _copied(tower.get_submodule(pair.convolution)) for pair in pairs}
        for pair in pairs:
            _fold(tower, pair)
        found = tower(probe)
        scale = float(expected.abs().max().clamp_min(1e-6))
        if float((found - expected).abs().max()) <= _AGREEMENT * scale:
            return pairs
        for pair in pairs:
            _set(tower, pair.norm, norms[pair.norm])
            convolution: Any = tower.get_submodule(pair.convolution)
            convolution.weight, convolution.bias = kept[pair.convolution]
    _log.warning("BatchNorm cannot be folded into the convolutions of %s: it stays frozen", type(tower).__name__)
    return ()


@torch.no_grad()
def unfolded(tower: nn.Module, whole: nn.Module, layers: Sequence[FoldedLayer]) -> Mapping[str, torch.Tensor]:
    """A folded tower's values by the names that they have in a tower that is not folded, `whole`."""
    values = {name: value.detach() for name, value in (*tower.named_parameters(), *tower.named_buffers())}
    for layer in layers:
        norm: Any = whole.get_submodule(layer.norm)
        bias = values.pop(f"{layer.convolution}.bias")
        values[f"{layer.norm}.weight"] = torch.ones_like(norm.weight)
        values[f"{layer.norm}.bias"] = bias
        values[f"{layer.norm}.running_mean"] = torch.zeros_like(norm.running_mean)
        values[f"{layer.norm}.running_var"] = torch.full_like(norm.running_var, 1.0 - norm.eps)
        values[f"{layer.norm}.num_batches_tracked"] = norm.num_batches_tracked
        convolution: Any = whole.get_submodule(layer.convolution)
        if convolution.bias is not None:
            values[f"{layer.convolution}.bias"] = torch.zeros_like(convolution.bias)
    return values


def _pairs(tower: nn.Module, probe: torch.Tensor) -> tuple[FoldedLayer, ...]:
    made_by: dict[int, str] = {}
    alive: list[torch.Tensor] = []
    found: list[FoldedLayer] = []
    hooks = []

    def after(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            made_by[id(output)] = name
            # So that no other tensor gets its place.
            alive.append(output)

        return hook

    def before(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            convolution = made_by.pop(id(inputs[0]), None)
            if convolution is not None:
                found.append(FoldedLayer(convolution, name))

        return hook

    for name, module in tower.named_modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(after(name)))
        elif isinstance(module, nn.BatchNorm2d) and module.running_var is not None and module.affine:
            hooks.append(module.register_forward_pre_hook(before(name)))
    try:
        tower(probe)
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(found)


def _fold(tower: nn.Module, pair: FoldedLayer) -> None:
    convolution: Any = tower.get_submodule(pair.convolution)
    norm: Any = tower.get_submodule(pair.norm)
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = torch.zeros_like(norm.bias) if convolution.bias is None else convolution.bias
    convolution.weight = nn.Parameter(convolution.weight * factor.view(-1, 1, 1, 1))
    convolution.bias = nn.Parameter(norm.bias + (bias - norm.running_mean) * factor)
    _set(tower, pair.norm, _Activated(norm))


def _copied(convolution: Any) -> tuple[nn.Parameter, nn.Parameter | None]:
    return convolution.weight, convolution.bias


def _set(tower: nn.Module, name: str, module: nn.Module) -> None:
    holder, _, attribute = name.rpartition(".")
    setattr(tower.get_submodule(holder), attribute, module)
