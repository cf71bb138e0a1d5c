"""Which parameters are trained, at which learning rate, and from which step on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from timm.optim import param_groups_layer_decay
from torch import nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from embedder.errors import TrainingError
from embedder.training.settings import TuneSettings
from embedder.training.tuning.model import TunableModel

_ADAPTER = "tuned"


@dataclass(frozen=True, slots=True, eq=False)
class TunedParts:
    """What the optimizer holds.

    Attributes:
        named: each trained parameter by its name, in a fixed order.
        towers: those of them that are inside a tower, and not trained before it is unfrozen.
        groups: the optimizer's; each with the factor "scale" of its learning rate.
    """

    named: dict[str, nn.Parameter]
    towers: tuple[nn.Parameter, ...]
    groups: list[dict[str, Any]]


def choose_parts(model: TunableModel, settings: TuneSettings) -> TunedParts:
    """Freeze what is not trained, and group what is.

    Raises:
        TrainingError: a tower that has no layer for low-rank additions.
    """
    for _, parameter in model.tunable():
        parameter.requires_grad_(False)
    towers = [model.visual, *([model.encoder.model.text] if _has_text_tower(model, settings) else [])]
    groups: list[dict[str, Any]] = []
    for tower in towers:
        if settings.what == "lora":
            add_lora(tower, settings.lora_rank)
            added = [parameter for name, parameter in tower.named_parameters() if "lora_" in name]
            groups.append({"params": added, "weight_decay": settings.weight_decay, "scale": 1.0})
        else:
            for parameter in tower.parameters():
                parameter.requires_grad_(True)
            inner = inner_tower(tower)
            groups += _by_layer(inner, settings)
            held = {id(parameter) for parameter in inner.parameters()}
            behind = [parameter for parameter in tower.parameters() if id(parameter) not in held]
            if behind:
                # What open_clip puts behind timm's module: a hidden layer, a pooling.
                groups.append({"params": behind, "weight_decay": settings.weight_decay, "scale": 1.0})
    inside = [parameter for group in groups for parameter in group["params"]]
    ends = [parameter for _, parameter in model.ends()]
    for parameter in ends:
        parameter.requires_grad_(True)
    head = list(model.head.parameters())
    others = [parameter for parameter in ends if all(parameter is not found for found in head)]
    groups.append({"params": others, "weight_decay": 0.0, "scale": settings.ends_rate})
    groups.append({"params": head, "weight_decay": settings.weight_decay, "scale": settings.ends_rate})
    names = {id(parameter): name for name, parameter in model.tunable()}
    named = {names[id(parameter)]: parameter for group in groups for parameter in group["params"]}
    return TunedParts(named, tuple(inside), groups)


def _has_text_tower(model: TunableModel, settings: TuneSettings) -> bool:
    if not settings.text_tower:
        return False
    if not isinstance(getattr(model.encoder.model, "text", None), nn.Module):
        raise TrainingError(
            f"text_tower: the text tower of {model.encoder.base!r} is no module of its own; permitted: a model with "
            "custom_text, such as starter; next step: tune.text_tower = false"
        )
    return True


def inner_tower(tower: nn.Module) -> nn.Module:
    """The module of timm within open_clip's, which knows its layers."""
    trunk = getattr(tower, "trunk", None)
    return trunk if isinstance(trunk, nn.Module) else tower


def _by_layer(tower: nn.Module, settings: TuneSettings) -> list[dict[str, Any]]:
    """Groups as timm makes them: layers nearer to the pixels change less, biases and norms are not pulled to 0."""
    found = param_groups_layer_decay(tower, weight_decay=settings.weight_decay, layer_decay=settings.layer_decay)
    return [
        {"params": list(group["params"]), "weight_decay": group["weight_decay"], "scale": float(group["lr_scale"])}
        for group in found
    ]


def add_lora(tower: nn.Module, rank: int) -> None:
    """Low-rank additions (Hu et al., 2021) to every linear layer and 1 x 1 convolution, by peft, in place.

    Torch's own attention takes its last layer's weights without calling it: that layer gets none.

    Raises:
        TrainingError: there is none.
    """
    wanted = [
        name
        for name, module in tower.named_modules()
        if (isinstance(module, nn.Linear) and not isinstance(module, NonDynamicallyQuantizableLinear))
        or (isinstance(module, nn.Conv2d) and module.groups == 1 and tuple(module.kernel_size) == (1, 1))
    ]
    if not wanted:
        raise TrainingError(
            "the image tower has no linear layer and no 1 x 1 convolution; permitted for lora: one or more; next step: "
            "--tune full"
        )
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=wanted, lora_dropout=0.0)
    inject_adapter_in_model(config, tower, adapter_name=_ADAPTER)


def merge_lora(tower: nn.Module) -> None:
    """Add the additions to the layers that they belong to, and take them away again, in place."""
    found: list[tuple[str, Any]] = [
        (name, module) for name, module in tower.named_modules() if isinstance(module, LoraLayer)
    ]
    for name, module in found:
        module.merge()
        holder = tower.get_submodule(name.rpartition(".")[0]) if "." in name else tower
        setattr(holder, name.rpartition(".")[2], module.get_base_layer())


@torch.no_grad()
def set_rates(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of each group, from the one of the layers nearest to the output."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["scale"]
