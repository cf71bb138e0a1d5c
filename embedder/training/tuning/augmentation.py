"""What is done to a batch of pictures before the tower sees it, beside the views that are drawn picture by picture.

All of it is drawn from one generator on the CPU, so that a batch is the same on every device and in a resumed run.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch.nn import functional
from torchvision.transforms import v2

from embedder.training.settings import TuneSettings

_TURNED = 0.2
"""Logarithm of the most that a crop's sides differ from the picture's in their ratio."""

_GROUPS = 4
"""RandAugment draws its operations once for a group of pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """How pictures of a batch are mixed.

    Attributes:
        partner: int64 (n,), which picture each is mixed with.
        share: float32 (n,), how much of each is its own.
    """

    partner: torch.Tensor
    share: torch.Tensor


def compress(pixels: torch.Tensor, settings: TuneSettings, generator: torch.Generator) -> torch.Tensor:
    """JPEG at a quality of 15 to 70, for `jpeg_share` of the pictures; uint8 (n, 3, h, w) on the CPU."""
    chosen = _chosen(len(pixels), settings.jpeg_share, generator).nonzero().flatten()
    if not len(chosen):
        return pixels
    pixels = pixels.clone()
    qualities = torch.randint(15, 71, (len(chosen),), generator=generator).tolist()
    for row, quality in zip(chosen.tolist(), qualities, strict=True):
        buffer = io.BytesIO()
        Image.fromarray(pixels[row].permute(1, 2, 0).numpy()).save(buffer, "JPEG", quality=quality)
        pixels[row] = torch.from_numpy(np.asarray(Image.open(buffer)).copy()).permute(2, 0, 1)
    return pixels


def augment(
    pixels: torch.Tensor, side: int, settings: TuneSettings, generator: torch.Generator
) -> tuple[torch.Tensor, Mix | None]:
    """Crop, flip, change colours, blur, erase and mix.

    Args:
        pixels: uint8 (n, 3, h, w), on the device of the model.
        side: of the result.
        settings: shares and strengths.
        generator: on the CPU; of everything drawn here.

    Returns:
        float32 (n, 3, side, side), 0..1; and how pictures were mixed, if they were.
    """
    if settings.rand_augment:
        pixels = _rand_augment(pixels, settings.rand_augment, generator)
    images = pixels.float() / 255.0
    images = _window(images, side, settings, generator)
    images = _colors(images, settings.color_share, generator)
    images = _blur(images, settings.blur_share, generator)
    images = _erase(images, settings.erase_share, generator)
    return _mix(images, settings, generator)


def _chosen(count: int, share: float, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(count, generator=generator) < share


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _window(images: torch.Tensor, side: int, settings: TuneSettings, generator: torch.Generator) -> torch.Tensor:
    """A random part of each picture, mirrored or not, at the wanted size."""
    count = len(images)
    flipped = _chosen(count, settings.flip_share, generator)
    area = _uniform(count, settings.crop, 1.0, generator)
    most = _TURNED if settings.crop < 1.0 else 0.0
    turned = _uniform(count, -most, most, generator).exp().sqrt()
    places = torch.rand(count, 2, generator=generator) * 2 - 1
    if settings.crop >= 1.0 and not bool(flipped.any()):
        if images.shape[-1] == side:
            return images
        return functional.interpolate(images, (side, side), mode="bilinear", antialias=True)
    if images.shape[-1] > side:
        # Sampling alone would skip pixels.
        images = functional.interpolate(images, (side, side), mode="bilinear", antialias=True)
    width, height = (area.sqrt() * turned).clamp_max(1.0), (area.sqrt() / turned).clamp_max(1.0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = width * torch.where(flipped, -1.0, 1.0)
    theta[:, 1, 1] = height
    theta[:, 0, 2] = places[:, 0] * (1 - width)
    theta[:, 1, 2] = places[:, 1] * (1 - height)
    grid = functional.affine_grid(theta.to(images.device), [count, 3, side, side], align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _colors(images: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Another light: brightness, contrast, saturation and the colour of the lamp."""
    count = len(images)
    chosen = _chosen(count, share, generator)
    brightness, contrast, saturation = (_uniform(count, low, 1.4, generator) for low in (0.6, 0.7, 0.5))
    lamp = torch.rand(count, 3, generator=generator) * 0.3 + 0.85
    if not bool(chosen.any()):
        return images

    def shaped(values: torch.Tensor, neutral: float = 1.0) -> torch.Tensor:
        kept = torch.where(chosen.view(-1, *[1] * (values.ndim - 1)), values, torch.tensor(neutral))
        return kept.view(count, -1, 1, 1).to(images.device)

    lit = images * shaped(brightness) * shaped(lamp)
    mean = lit.mean(dim=(1, 2, 3), keepdim=True)
    lit = mean + (lit - mean) * shaped(contrast)
    grey = lit.mean(dim=1, keepdim=True)
    return (grey + (lit - grey) * shaped(saturation)).clamp(0.0, 1.0)


def _blur(images: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    chosen = _chosen(len(images), share, generator).nonzero().flatten()
    sigma = float(_uniform(1, 0.01, 0.03, generator)) * images.shape[-1]
    if not len(chosen):
        return images
    images = images.clone()
    chosen = chosen.to(images.device)
    size = 2 * math.ceil(2 * sigma) + 1
    images[chosen] = v2.functional.gaussian_blur(images[chosen], [size, size], [sigma, sigma])
    return images


def _erase(images: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """A box of one random colour in front of 2 to 25 % of a picture (random erasing: Zhong et al., 2020)."""
    count, side = len(images), images.shape[-1]
    chosen = _chosen(count, share, generator)
    area, ratio = _uniform(count, 0.02, 0.25, generator), _uniform(count, -0.7, 0.7, generator).exp()
    places, colors = torch.rand(count, 2, generator=generator), torch.rand(count, 3, 1, 1, generator=generator)
    if not bool(chosen.any()):
        return images
    width, height = (area * ratio).sqrt().clamp_max(0.9) * side, (area / ratio).sqrt().clamp_max(0.9) * side
    left, top = places[:, 0] * (side - width), places[:, 1] * (side - height)
    line = torch.arange(side)
    columns = (line >= left[:, None]) & (line < (left + width)[:, None])
    rows = (line >= top[:, None]) & (line < (top + height)[:, None])
    hidden = (rows[:, None, :, None] & columns[:, None, None, :] & chosen.view(-1, 1, 1, 1)).to(images.device)
    return torch.where(hidden, colors.to(images.device), images)


def _mix(images: torch.Tensor, settings: TuneSettings, generator: torch.Generator) -> tuple[torch.Tensor, Mix | None]:
    """Mixup (Zhang et al., 2018) or cutmix (Yun et al., 2019) for the whole batch, or neither."""
    draw, share = torch.rand(1, generator=generator).item(), torch.rand(1, generator=generator).item()
    partner = torch.randperm(len(images), generator=generator)
    left, top = torch.rand(2, generator=generator).tolist()
    if draw < settings.mixup_share:
        # The larger share stays a picture's own, between one half and all of it.
        own = 0.5 + 0.5 * share
        mixed = images * own + images[partner.to(images.device)] * (1 - own)
        return mixed, Mix(partner, torch.full((len(images),), own))
    if draw < settings.mixup_share + settings.cutmix_share:
        side = images.shape[-1]
        cut = max(1, round(side * math.sqrt(0.5 * share)))
        x, y = int(left * (side - cut + 1)), int(top * (side - cut + 1))
        mixed = images.clone()
        mixed[:, :, y : y + cut, x : x + cut] = images[partner.to(images.device)][:, :, y : y + cut, x : x + cut]
        return mixed, Mix(partner, torch.full((len(images),), 1 - cut * cut / (side * side)))
    return images, None


def _rand_augment(pixels: torch.Tensor, magnitude: int, generator: torch.Generator) -> torch.Tensor:
    policy = v2.RandAugment(num_ops=2, magnitude=magnitude, fill=255)
    seed = int(torch.randint(2**31, (1,), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.cat([policy(group) for group in pixels.chunk(_GROUPS)])


def trained_kinds(settings: TuneSettings) -> tuple[str, ...]:
    """Kinds of views (`embedder.inputs.street_views.KINDS`) that these settings show in training too."""
    shown = {
        "mirrored": settings.flip_share,
        "color_cast": settings.color_share,
        "occluded": settings.erase_share,
        "jpeg": settings.jpeg_share,
        "blurred": settings.blur_share,
    }
    return tuple(name for name, share in shown.items() if share > 0)
