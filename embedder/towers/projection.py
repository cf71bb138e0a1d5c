"""The last linear map of each tower, which is what short fine-tuning changes: taken out, and put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from open_clip.hf_model import HFTextEncoder
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from torch import nn

from embedder.errors import ModelError
from embedder.towers.dual_encoder import DualEncoder

TowerName = Literal["image", "text"]


@dataclass(slots=True, eq=False)
class Projection:
    """A linear map from features to embeddings.

    Attributes:
        weight: float32 (dim, width).
        bias: float32 (dim,) or None where the tower has none.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """(n, width) to (n, dim), not normalized."""
        return nn.functional.linear(features, self.weight, self.bias)


class Trunk(nn.Module):
    """A tower without its projection: (n, 3, h, w) pixels or (n, t) tokens to (n, width) features."""

    def __init__(self, encoder: DualEncoder, tower: TowerName) -> None:
        super().__init__()
        self.model = encoder.model
        self.tower = tower

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Features, not normalized."""
        if self.tower == "image":
            return torch.as_tensor(self.model.encode_image(inputs))
        return torch.as_tensor(self.model.encode_text(inputs))


def split(encoder: DualEncoder, tower: TowerName) -> tuple[Trunk, Projection]:
    """Take a tower apart; the encoder's model keeps the trunk only (see `join`).

    A tower whose last linear map cannot be taken out keeps all it has; its projection is the identity, so that features
    and embeddings are the same.
    """
    holder, name = _locate(encoder, tower)
    if holder is None:
        return Trunk(encoder, tower), Projection(torch.eye(encoder.dim), None)
    found = getattr(holder, name)
    if isinstance(found, nn.Linear):
        bias = None if found.bias is None else found.bias.detach().clone()
        projection = Projection(found.weight.detach().clone(), bias)
        setattr(holder, name, nn.Identity())
    else:
        # open_clip's native towers multiply from the right: (width, dim).
        projection = Projection(found.detach().t().clone(), None)
        setattr(holder, name, None)
    return Trunk(encoder, tower), projection


def join(encoder: DualEncoder, tower: TowerName, projection: Projection) -> None:
    """Write a trained projection into a whole model (not one that `split` has taken apart).

    A tower whose projection could be taken out gets the new one in its place. Where `split` gave the identity, the new
    one is multiplied into the linear layer that the tower ends with, or appended where there is none; the result is
    still one of open_clip's own towers, and loads in open_clip alone.

    Raises:
        ModelError: the tower has no place for it (see `is_trainable`).
    """
    holder, name = _locate(encoder, tower)
    if holder is not None:
        _write(getattr(holder, name), projection, encoder.base)
    elif (last := _last_layer(encoder, tower)) is not None:
        with torch.no_grad():
            last.weight.copy_(projection.weight @ last.weight)
            if last.bias is not None:
                last.bias.copy_(projection(last.bias))
    elif _can_append(encoder, tower):
        _append(encoder, tower, projection)
    else:
        raise untrainable(encoder, tower)


def has_projection(encoder: DualEncoder, tower: TowerName) -> bool:
    """Whether `split` takes a linear map out of this tower, rather than giving the identity."""
    return _locate(encoder, tower)[0] is not None


def is_trainable(encoder: DualEncoder, tower: TowerName) -> bool:
    """Whether `join` can write to this tower."""
    has_layer = _locate(encoder, tower)[0] is not None or _last_layer(encoder, tower) is not None
    return has_layer or _can_append(encoder, tower)


def untrainable(encoder: DualEncoder, tower: TowerName) -> ModelError:
    """The error for a tower that `join` cannot write to."""
    return ModelError(
        f"the {tower} tower of {encoder.base!r} ({type(_tower(encoder, tower)).__name__}) does not end in a linear "
        "projection, which is what is fine-tuned, and none can be appended to it; permitted: open_clip's own towers, "
        "timm's with a projection or pooled by attention, Hugging Face's, such as starter or ViT-B-32; next step: use "
        "it as it is (python -m embedder export), or train another"
    )


def _write(found: nn.Linear | nn.Parameter, projection: Projection, base: str) -> None:
    with torch.no_grad():
        if not isinstance(found, nn.Linear):
            found.copy_(projection.weight.t())
            return
        found.weight.copy_(projection.weight)
        if projection.bias is not None:
            if found.bias is None:
                raise ModelError(f"the projection of {base!r} has no bias to write to")
            found.bias.copy_(projection.bias)


def _tower(encoder: DualEncoder, tower: TowerName) -> nn.Module:
    found = encoder.model.visual if tower == "image" else getattr(encoder.model, "text", encoder.model)
    assert isinstance(found, nn.Module)
    return found


def _last_layer(encoder: DualEncoder, tower: TowerName) -> nn.Linear | None:
    """The linear layer whose output is the embedding, in towers that do not keep it apart."""
    visual = _tower(encoder, tower)
    if isinstance(visual, ModifiedResNet):
        return visual.attnpool.c_proj if isinstance(visual.attnpool.c_proj, nn.Linear) else None
    # With neither a head nor a pooling of open_clip's, timm's own classifier makes the embedding.
    if isinstance(visual, TimmModel) and len(visual.head) == 0:
        classifier = visual.trunk.get_classifier()
        return classifier if isinstance(classifier, nn.Linear) else None
    return None


def _can_append(encoder: DualEncoder, tower: TowerName) -> bool:
    """Whether open_clip builds this tower with a further linear layer where its configuration says so."""
    found = _tower(encoder, tower)
    if isinstance(found, TimmModel):
        vision = encoder.model_config["vision_cfg"]
        # Without a pooling in the configuration, open_clip pools otherwise once there is a projection.
        pooled = bool(vision.get("timm_pool"))
        return vision.get("timm_proj") == "none" and pooled and found.trunk.num_features == encoder.dim
    if isinstance(found, HFTextEncoder):
        return isinstance(found.proj, nn.Identity)
    return tower == "text" and getattr(found, "text_projection", "") is None


def _append(encoder: DualEncoder, tower: TowerName, projection: Projection) -> None:
    found = _tower(encoder, tower)
    layer = nn.Linear(encoder.dim, encoder.dim, bias=projection.bias is not None)
    _write(layer, projection, encoder.base)
    config = encoder.model_config["vision_cfg" if tower == "image" else "text_cfg"]
    if isinstance(found, TimmModel):
        found.head.add_module("proj", layer)
        config.update(timm_proj="linear", timm_proj_bias=layer.bias is not None)
    elif isinstance(found, HFTextEncoder):
        found.proj = layer
        config.update(hf_proj_type="linear")
    else:
        found.text_projection = layer if layer.bias is not None else nn.Parameter(layer.weight.detach().t().clone())
        config.update(proj_type="linear", proj_bias=layer.bias is not None)


def _locate(encoder: DualEncoder, tower: TowerName) -> tuple[nn.Module | None, str]:
    """The module that holds the tower's final linear map, and the attribute's name; (None, "") where there is none."""
    model = encoder.model
    if tower == "image":
        visual = model.visual
        candidates = [
            (getattr(visual, "head", None), "proj"),
            (getattr(getattr(visual, "head", None), "mlp", None), "fc2"),
            (visual, "proj"),
        ]
    else:
        text = getattr(model, "text", model)
        projection = getattr(text, "proj", None)
        last = projection if isinstance(projection, nn.Sequential) else None
        candidates = [
            (last, str(len(last) - 1) if last is not None else ""),
            (text, "proj"),
            (text, "text_projection"),
        ]
    for holder, name in candidates:
        if isinstance(holder, nn.Module) and isinstance(getattr(holder, name, None), nn.Linear | nn.Parameter):
            return holder, name
    return None, ""
