"""The last linear map of each tower, which is what short fine-tuning changes: taken out, and put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
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

    A tower that does not end in a linear map keeps all it has; its projection is the identity, so that features and
    embeddings are the same.
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

    Raises:
        ModelError: the tower has no linear map to write to, or one without the bias that was trained.
    """
    holder, name = _locate(encoder, tower)
    if holder is None:
        raise ModelError(
            f"the {tower} tower of {encoder.base!r} does not end in a linear projection, which is what is fine-tuned; "
            "permitted: models that do, such as starter or ViT-B-32"
        )
    found = getattr(holder, name)
    with torch.no_grad():
        if isinstance(found, nn.Linear):
            found.weight.copy_(projection.weight)
            if projection.bias is not None:
                if found.bias is None:
                    raise ModelError(f"the {tower} projection of {encoder.base!r} has no bias to write to")
                found.bias.copy_(projection.bias)
        else:
            found.copy_(projection.weight.t())


def is_trainable(encoder: DualEncoder, tower: TowerName) -> bool:
    """Whether `join` can write to this tower."""
    return _locate(encoder, tower)[0] is not None


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
