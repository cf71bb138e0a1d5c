"""What is tuned: an image tower with its levels, the ends behind it, and if wanted the text tower."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from embedder.instance_map import InstanceMap, level_indicator
from embedder.towers.dual_encoder import DualEncoder
from embedder.towers.levels import InstanceLayer, LeveledTrunk, standardized
from embedder.towers.projection import Projection, Trunk, join, split
from embedder.training.tuning.depthwise import replace_depthwise
from embedder.training.tuning.folding import fold_norms, unfolded


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """What lies behind the towers.

    Attributes:
        image, text: the projections.
        head: weight, float32 (categories, dim), and bias (categories,), of logits from unit embeddings.
        instance: from levels to the instance part; None where there is none.
    """

    image: Projection
    text: Projection
    head: tuple[torch.Tensor, torch.Tensor]
    instance: InstanceMap | None


class AttributeLayer(nn.Module):
    """Standardized levels to the logits of all values of all attributes. It teaches the tower, and is then left out.

    Attributes:
        sizes: how many values each attribute has.
    """

    center: torch.Tensor
    belongs: torch.Tensor

    def __init__(self, instance: InstanceMap, sizes: Sequence[int]) -> None:
        """Begin with logits of 0; levels are centered as for the instance map."""
        super().__init__()
        self.sizes = tuple(sizes)
        self.register_buffer("center", torch.from_numpy(instance.center.copy()))
        self.register_buffer("belongs", torch.from_numpy(level_indicator(instance.widths)))
        self.map = nn.Linear(sum(instance.widths), sum(sizes))
        nn.init.zeros_(self.map.weight)
        nn.init.zeros_(self.map.bias)

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        """Levels (n, sum of widths) to logits (n, sum of sizes)."""
        return torch.as_tensor(self.map(standardized(levels, self.center, self.belongs)))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the towers give of some pictures: features, float32 (n, width), and levels (n, sum of widths)."""

    features: torch.Tensor
    levels: torch.Tensor


class TunableModel(nn.Module):
    """An open_clip model taken apart, so that each part can be trained.

    Attributes:
        encoder: the model that was taken apart.
        trunk: pixels to features and levels.
        text_trunk: tokens to features.
        image, text, instance, head, attributes: the ends; `instance` is None where there is none, `attributes` where
            none are learnt.
        log_scale, log_sigmoid_scale, sigmoid_bias: of the losses between pictures and titles.
    """

    def __init__(
        self, encoder: DualEncoder, ends: Ends, fold: bool = True, attribute_sizes: Sequence[int] = ()
    ) -> None:
        """Take the model apart, and put these ends behind its towers.

        Args:
            encoder: the model.
            ends: what lies behind.
            fold: whether BatchNorm is folded into the convolutions (see `folding`).
            attribute_sizes: how many values each attribute has that the tower is to tell apart; needs an instance map.
        """
        super().__init__()
        self.encoder = encoder
        trunk, _ = split(encoder, "image")
        probe = torch.randn(2, 3, *encoder.preprocessing.size, generator=torch.Generator().manual_seed(0))
        self._folded = fold_norms(self.visual, probe) if fold else ()
        replace_depthwise(self.visual)
        self.trunk = LeveledTrunk(trunk, encoder)
        self.text_trunk: Trunk = split(encoder, "text")[0]
        self.image, self.text = _linear(ends.image), _linear(ends.text)
        self.instance: InstanceLayer | None = None
        if ends.instance is not None:
            self.instance = self.trunk.instance_layer(ends.instance)
        self.attributes: AttributeLayer | None = None
        if ends.instance is not None and attribute_sizes:
            self.attributes = AttributeLayer(ends.instance, attribute_sizes)
        weight, bias = ends.head
        self.head = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            self.head.weight.copy_(weight)
            self.head.bias.copy_(bias)
        self.log_scale = nn.Parameter(torch.tensor(2.5))
        self.log_sigmoid_scale = nn.Parameter(torch.tensor(2.3))
        self.sigmoid_bias = nn.Parameter(torch.tensor(-5.0))

    @property
    def visual(self) -> nn.Module:
        """The image tower."""
        found = self.encoder.model.visual
        assert isinstance(found, nn.Module)
        return found

    def encode(self, pixels: torch.Tensor) -> Seen:
        """Normalized pixels (n, 3, h, w) to features and levels, float32; in bfloat16 on the way on a GPU."""
        with torch.autocast(pixels.device.type, torch.bfloat16, enabled=pixels.device.type == "cuda"):
            features, levels = self.trunk(pixels)
        return Seen(features.float(), levels.float())

    def encode_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens (m, t) to text features, float32."""
        with torch.autocast(tokens.device.type, torch.bfloat16, enabled=tokens.device.type == "cuda"):
            return torch.as_tensor(self.text_trunk(tokens)).float()

    def semantic(self, features: torch.Tensor, dropout: float = 0.0) -> torch.Tensor:
        """Image features (n, width) to unit semantic embeddings."""
        dropped = functional.dropout(features, dropout, training=dropout > 0)
        return functional.normalize(self.image(dropped), dim=1)

    def embed_texts(self, features: torch.Tensor) -> torch.Tensor:
        """Text features (m, width) to unit semantic embeddings."""
        return functional.normalize(self.text(features), dim=1)

    def tunable(self) -> Iterator[tuple[str, nn.Parameter]]:
        """All parameters of the towers and the ends, by name."""
        for name, parameter in self.visual.named_parameters():
            yield f"visual.{name}", parameter
        for name, parameter in TextTower(self.encoder).named():
            yield f"text_tower.{name}", parameter
        yield from self.ends()

    def ends(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters of the ends, by name."""
        for part in ("image", "text", "instance", "head", "attributes"):
            module = getattr(self, part)
            if module is not None:
                for name, parameter in module.named_parameters():
                    yield f"{part}.{name}", parameter
        for name in ("log_scale", "log_sigmoid_scale", "sigmoid_bias"):
            yield name, getattr(self, name)

    def state(self) -> dict[str, torch.Tensor]:
        """A copy of all tunable values and of the statistics of the image tower's normalization, by name."""
        values = {name: value.detach().clone() for name, value in self.tunable()}
        return values | {f"buffer.{name}": value.detach().clone() for name, value in self._statistics()}

    @torch.no_grad()
    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take values by name; those that are not named stay."""
        own = dict(self.tunable()) | {f"buffer.{name}": value for name, value in self._statistics()}
        for name, value in state.items():
            own[name].copy_(value)

    @torch.no_grad()
    def write_to(self, whole: DualEncoder) -> None:
        """Put towers and projections into a model that was not taken apart, made from the same base."""
        visual = whole.model.visual
        target = dict(visual.named_parameters()) | dict(visual.named_buffers())
        for name, value in unfolded(self.visual, visual, self._folded).items():
            target[name].copy_(value)
        fresh = TextTower(whole)
        for name, value in TextTower(self.encoder).named():
            fresh.get(name).copy_(value)
        image, text = self.projections()
        join(whole, "image", image)
        join(whole, "text", text)

    def _statistics(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, value in self.visual.named_buffers():
            if value.is_floating_point():
                yield name, value

    @torch.no_grad()
    def projections(self) -> tuple[Projection, Projection]:
        """The (image, text) projections, on the CPU."""
        return _projection(self.image), _projection(self.text)

    @torch.no_grad()
    def instance_map(self) -> InstanceMap | None:
        """The instance map as it is now."""
        if self.instance is None:
            return None
        layer = self.instance
        return InstanceMap(
            widths=self.trunk.widths,
            center=layer.center.cpu().numpy().astype(np.float32).copy(),
            weight=layer.map.weight.detach().cpu().numpy().copy(),
            offset=layer.map.bias.detach().cpu().numpy().copy(),
        )


class TextTower:
    """A text tower's parameters: a module of its own, or in open_clip's own CLIP all but the image tower."""

    def __init__(self, encoder: DualEncoder) -> None:
        text = getattr(encoder.model, "text", None)
        self._whole = isinstance(text, nn.Module)
        self._holder: nn.Module = text if isinstance(text, nn.Module) else encoder.model

    def named(self) -> Iterator[tuple[str, nn.Parameter]]:
        """By name; a projection that was taken out is not among them."""
        for name, parameter in self._holder.named_parameters():
            if self._whole or not name.startswith("visual."):
                yield name, parameter

    def get(self, name: str) -> nn.Parameter:
        """One of them."""
        return self._holder.get_parameter(name)


def _linear(projection: Projection) -> nn.Linear:
    layer = nn.Linear(projection.weight.shape[1], projection.weight.shape[0], projection.bias is not None)
    with torch.no_grad():
        layer.weight.copy_(projection.weight)
        if projection.bias is not None:
            layer.bias.copy_(projection.bias)
    return layer


def _projection(layer: nn.Linear) -> Projection:
    bias = None if layer.bias is None else layer.bias.detach().cpu().clone()
    return Projection(layer.weight.detach().cpu().clone(), bias)
