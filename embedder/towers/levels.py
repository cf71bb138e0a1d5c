"""What an image tower sees on its way: the output of each of its blocks, pooled to one vector a picture.

Deep levels know what kind of thing a picture shows, shallow ones its texture, colours and lines; the instance part
needs some of each.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from itertools import groupby

import torch
from open_clip.timm_model import TimmModel
from torch import nn

from embedder.errors import ModelError
from embedder.instance_map import LEAST_LENGTH, InstanceMap, level_indicator
from embedder.towers.dual_encoder import DualEncoder
from embedder.towers.projection import Trunk

_log = logging.getLogger(__name__)

MAX_WIDTH = 4096
"""Most values of all levels together: the instance map is solved for in the square of it, and stored for each."""

_LEAST = 1e-18
"""A mean third power below it counts as it where gradients are wanted: the root's is infinite at 0."""

_AGREEMENT = 1e-3
"""Largest difference, relative to the features' largest value, between a tower's features on either way through it."""


class LeveledTrunk(nn.Module):
    """An image tower without its projection that gives its levels too, in one run.

    Where all levels together are wider than `MAX_WIDTH`, some are left out (see `kept_levels`).

    Attributes:
        widths: length of each level. Of a tower that does not give its blocks' outputs the features are the one level.
    """

    def __init__(self, trunk: Trunk, encoder: DualEncoder) -> None:
        """Take an image trunk that `split` made of `encoder`, and see which levels it gives."""
        super().__init__()
        self.trunk = trunk
        height, width = encoder.preprocessing.size
        probe = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
        self._gives_blocks = self._agrees(probe, encoder.base)
        with torch.no_grad():
            features, maps = _run(trunk.model.visual, probe) if self._gives_blocks else (trunk(probe), [])
            self._adds_features = not maps or _adds_features(features, maps)
            added = [int(features.shape[1])] if self._adds_features else []
            widths = [int(block.shape[1]) for block in maps]
            self._kept = kept_levels(widths, MAX_WIDTH - sum(added))
            self.widths = (*(widths[place] for place in self._kept), *added)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, 3, h, w) pixels to features (n, width) and levels (n, sum of widths), neither normalized."""
        if self._gives_blocks:
            features, maps = _run(self.trunk.model.visual, pixels)
        else:
            features, maps = self.trunk(pixels), []
        levels = [pool([maps[place] for place in self._kept])] if self._kept else []
        return features, torch.cat([*levels, features] if self._adds_features else levels, dim=1)

    def instance_layer(self, instance: InstanceMap) -> InstanceLayer:
        """What makes the instance part of these levels.

        Raises:
            ModelError: the map was solved for on other levels.
        """
        if instance.widths != self.widths:
            made_of, given = (", ".join(map(str, widths)) for widths in (instance.widths, self.widths))
            raise ModelError(
                f"the instance part was made of levels of {made_of} values, the image tower gives {given}; next step: "
                "train again from the base model"
            )
        return InstanceLayer(instance)

    @torch.no_grad()
    def _agrees(self, probe: torch.Tensor, base: str) -> bool:
        try:
            features, maps = _run(self.trunk.model.visual, probe)
            expected = self.trunk(probe)
            if features.shape == expected.shape and maps:
                difference = float((features - expected).abs().max())
                if difference <= _AGREEMENT * float(expected.abs().max().clamp_min(1e-6)):
                    return True
            reason = "they lead to other features than its plain run" if maps else "there is no block's output in them"
        # Towers of many makers: whatever goes wrong in taking one apart, it still has its features.
        except Exception as error:  # noqa: BLE001
            reason = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
        _log.warning(
            "the image tower of %s does not give its blocks' outputs (%s); the instance part is made of its last "
            "features alone, which tell products of one kind apart less well",
            base,
            reason,
        )
        return False


class InstanceLayer(nn.Module):
    """`InstanceMap` in torch: levels (n, sum of widths) to unit vectors (n, dim)."""

    center: torch.Tensor
    belongs: torch.Tensor

    def __init__(self, instance: InstanceMap) -> None:
        super().__init__()
        self.register_buffer("center", torch.from_numpy(instance.center.copy()))
        # Two small products with it in place of a split, a norm and a division for each level: half of the time.
        self.register_buffer("belongs", torch.from_numpy(level_indicator(instance.widths)))
        self.map = nn.Linear(sum(instance.widths), instance.dim)
        with torch.no_grad():
            self.map.weight.copy_(torch.from_numpy(instance.weight))
            self.map.bias.copy_(torch.from_numpy(instance.offset))

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        """See the class."""
        return nn.functional.normalize(self.map(standardized(levels, self.center, self.belongs)), dim=1)


def standardized(levels: torch.Tensor, center: torch.Tensor, belongs: torch.Tensor) -> torch.Tensor:
    """`standardize_levels` in torch, for levels (n, sum of widths).

    Args:
        center: (sum of widths,), subtracted.
        belongs: (sum of widths, levels), see `level_indicator`.
    """
    centered = levels - center
    squared_lengths = ((centered * centered) @ belongs).clamp_min(LEAST_LENGTH**2)
    return centered * (squared_lengths.pow(-0.5) @ belongs.t())


def kept_levels(widths: Sequence[int], most: int) -> list[int]:
    """Which of a tower's blocks are levels, first to last: all where they fit, else every second, third, ... of them.

    They are counted from the last one, which is always kept, also where it alone is too wide.

    Args:
        widths: of each block, first to last; may be empty.
        most: how wide those kept may be together.
    """
    count = len(widths)
    for step in range(1, count + 1):
        kept = list(range(count - 1, -1, -step))[::-1]
        if sum(widths[place] for place in kept) <= most:
            return kept
    return [count - 1] if count else []


def pool(maps: Sequence[torch.Tensor]) -> torch.Tensor:
    """Generalized means of maps (n, c, h, w) over their positions, power 3: (n, sum of c). Below 0 counts as 0.

    Operations are chosen for how they run once exported: ONNX Runtime does these in the layout that its convolutions
    leave a map in, where a clamp or a mean over two axes would have every map copied into another one first.
    """
    powers = []
    for size, alike in groupby(maps, key=lambda block: block.shape[-2:]):
        # In half precision, as on a GPU, the third power of an activation of 41 is infinite.
        positive = nn.functional.relu(torch.cat([block.float() for block in alike], dim=1))
        powers.append(nn.functional.avg_pool2d(positive * positive * positive, size))
    means = torch.cat(powers, dim=1).flatten(1)
    # Without gradients there is one operation less.
    return (means.clamp_min(_LEAST) if torch.is_grad_enabled() else means).pow(1.0 / 3.0)


def _run(visual: nn.Module, pixels: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """One way through a tower: its features, and its blocks' outputs as maps (n, c, h, w)."""
    if isinstance(visual, TimmModel):
        trunk = visual.trunk
        # Some of timm's towers give the outputs of their stages only, unless they are asked for all blocks.
        extra = {"extra_blocks": True} if "extra_blocks" in _parameters(trunk) else {}
        final, maps = trunk.forward_intermediates(pixels, **extra)
        features = visual.head(trunk.forward_head(final))
        # The first of all blocks of an EfficientNet or MobileNet is the stem, which is none: its map takes the longest
        # to pool of all, and finds no more products.
        maps = list(maps[1:] if extra else maps)
        if final.ndim == 4 and final.shape[1] == trunk.num_features:
            maps.append(final)
    else:
        # open_clip's own towers.
        found = visual.forward_intermediates(pixels)  # type: ignore[operator]
        features, maps = found["image_features"], list(found["image_intermediates"])
    return features, [block for block in maps if block.ndim == 4]


def _parameters(trunk: nn.Module) -> Sequence[str]:
    return list(inspect.signature(trunk.forward_intermediates).parameters)  # type: ignore[arg-type]


def _adds_features(features: torch.Tensor, maps: Sequence[torch.Tensor]) -> bool:
    """Whether the features are more than the average of the last map, which is pooled already."""
    last = maps[-1]
    if last.shape[1] != features.shape[1]:
        return True
    scale = float(features.abs().max().clamp_min(1.0))
    return not torch.allclose(last.mean(dim=(2, 3)), features, rtol=1e-3, atol=1e-4 * scale)
