"""Any image tower of timm beside the starter's text tower.

Such a model is named `timm:TOWER`, with random weights, the same each time; or `timm:TOWER/pretrained`, with the
weights that timm downloads. What links its towers is then the starter's closed form where the weights come with an
ImageNet classifier, else a random projection, which training has to make something of.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import timm
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from embedder.errors import ModelError
from embedder.setting_names import nearest
from embedder.towers.dual_encoder import DualEncoder, trunk_takes_any_size
from embedder.towers.starter import HALF, align, beside_text_tower

PREFIX = "timm:"
PRETRAINED = "/pretrained"

_SEED = 0
_CLASSES = 1000
_STATISTICS_SIDE, _STATISTICS_PICTURES, _STATISTICS_BATCHES = 96, 16, 4


def model_name(tower: str, pretrained: bool = False) -> str:
    """The name by which every command takes such a model."""
    return f"{PREFIX}{tower}{PRETRAINED if pretrained else ''}"


def check_tower(tower: str, others: tuple[str, ...] = ()) -> None:
    """Refuse a name that timm does not know, with or without a tag of its weights.

    Args:
        tower: the name.
        others: further names that are permitted where it came from, for the message.

    Raises:
        ModelError: no such tower, or no such tag.
    """
    if not timm.is_model(tower):
        known = [*others, *timm.list_models()]
        close = difflib.get_close_matches(tower, known, n=5, cutoff=0.3)
        raise ModelError(
            f"tower {tower!r} is not known; {nearest(tower, close or others or timm.list_models()[:5])}, and all other "
            f"{len(known) - len(close):,} names of timm.list_models()"
        )
    try:
        timm.get_pretrained_cfg(tower, allow_unregistered=False)
    except RuntimeError as error:
        tags = [name.rpartition(".")[2] for name in timm.list_pretrained(f"{tower.partition('.')[0]}.*")]
        # What has no weights at all is built all the same.
        if tags or "." in tower:
            raise ModelError(f"tower {tower!r}: {error} Permitted: {', '.join(tags) or 'no tag'}") from error


def takes_any_size(tower: str) -> bool:
    """Whether a tower of timm takes square pictures of any side; see `DualEncoder.takes_any_size`."""
    return trunk_takes_any_size(timm.create_model(tower, pretrained=False))


def build_assembled(name: str, image_size: int | None = None) -> DualEncoder:
    """Put a tower of timm beside the starter's text tower.

    Random weights of towers with BatchNorm get statistics that fit them, estimated on drawn noise: with those that
    timm begins with, features of a deep tower vanish.

    Args:
        name: `timm:TOWER` or `timm:TOWER/pretrained`.
        image_size: side of its square pictures, pixels; None: the tower's own.

    Raises:
        ModelError: there is no such tower, or it does not take that size.
        Exception: whatever timm and its hub raise where the tower cannot be built, or its weights cannot be had.
    """
    rest = name.removeprefix(PREFIX)
    tower, pretrained = rest.removesuffix(PRETRAINED), rest.endswith(PRETRAINED)
    check_tower(tower)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        source = timm.create_model(tower, pretrained=pretrained)
        own = source.pretrained_cfg
        mean, deviation = (own["mean"], own["std"]) if pretrained else (HALF, HALF)
        vision = {"timm_model_name": tower, **_ends(source)}
        encoder = beside_text_tower(vision, own["input_size"][-1], tuple(mean), tuple(deviation), name)
        if image_size is not None:
            encoder = encoder.with_image_size(image_size)
        if pretrained:
            _take_weights(encoder, source)
        else:
            _estimate_statistics(encoder)
    return encoder


def _ends(tower: nn.Module) -> dict[str, object]:
    """Pooling and projection, as open_clip's `vision_cfg` has them."""
    if getattr(tower, "head_hidden_size", tower.num_features) == tower.num_features:
        # Without a pooling named, each tower pools as timm has it do.
        return {"timm_pool": "", "timm_proj": "linear", "timm_proj_bias": True}
    # Behind the pooling MobileNets widen their features, which open_clip's own projection is not made for: timm's
    # classifier takes its place.
    return {"timm_pool": "avg", "timm_proj": ""}


def _projection(encoder: DualEncoder) -> nn.Linear:
    visual = encoder.model.visual
    found = visual.head.proj if len(visual.head) else visual.trunk.get_classifier()
    assert isinstance(found, nn.Linear)
    return found


def _take_weights(encoder: DualEncoder, source: nn.Module) -> None:
    """Copy all but the classifier, which goes into the projection where it is ImageNet's."""
    trunk, projection = encoder.model.visual.trunk, _projection(encoder)
    ours = {id(value) for value in projection.parameters()}
    values = source.state_dict()
    for name, value in trunk.state_dict(keep_vars=True).items():
        if id(value) not in ours:
            value.data.copy_(values[name])
    classifier = source.get_classifier()  # type: ignore[operator]
    if isinstance(classifier, nn.Linear) and tuple(classifier.weight.shape) == (_CLASSES, projection.in_features):
        align(encoder, classifier.weight.detach().float(), projection)


def _estimate_statistics(encoder: DualEncoder) -> None:
    visual = encoder.model.visual
    if not any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in visual.modules()):
        return
    own = encoder.preprocessing.size[0]
    side = min(own, _STATISTICS_SIDE) if encoder.takes_any_size else own

    def noise() -> Iterator[torch.Tensor]:
        """Soft blots with some grain, about as bright and as varied as pictures are."""
        for _ in range(_STATISTICS_BATCHES):
            blots = torch.rand(_STATISTICS_PICTURES, 3, 6, 6)
            soft = functional.interpolate(blots, (side, side), mode="bilinear", align_corners=False)
            yield (soft + 0.1 * torch.randn_like(soft)).clamp(0, 1) * 2 - 1

    update_bn(noise(), visual)
    visual.eval()
