"""Catalog pictures as a customer's photo would show them: to measure with, and to learn from.

Nothing here is downloaded or trained: what stands behind, in front of and around the product is drawn. A view depends
on the picture, its kind and a seed only; Python's own generator draws, since its numbers are the same in all releases.

Views to measure with and views to learn from are drawn apart: with other salts, so that no background occurs in both,
and training's strengths are ranges where the measured kinds are narrow. Some kinds are never used in training, so that
what a model has learnt can be told from what it has seen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from PIL import Image, ImageOps

from embedder.inputs.backgrounds import draw_clutter, draw_grey
from embedder.inputs.distortions import (
    add_flare,
    brighten,
    compress,
    crop_window,
    defocus,
    rotate,
    scale_channels,
    smear,
    tilt,
)
from embedder.inputs.foreground import foreground_mask
from embedder.inputs.occluders import occlude

MIN_SIDE, MAX_PIXELS, MAX_SIDE = 128, 640 * 640, 4096
"""A view's shorter side where that is possible; its most pixels; its longest side."""

_LAMPS = ((1.1, 0.92, 0.62), (0.68, 0.95, 1.12), (0.8, 1.05, 0.72), (1.08, 0.72, 0.95))
"""What a bulb, an open shade, a fluorescent tube and a shop's coloured light make of red, green and blue."""

View = Callable[[Image.Image, random.Random], Image.Image]
"""Makes a view of an RGB picture; the generator decides the rest."""


@dataclass(frozen=True, slots=True)
class ViewKind:
    """One way in which a photo differs from a catalog's picture.

    Attributes:
        view: makes it.
        label: what a report calls it.
        in_training: whether training draws views of this kind, or of the kinds that it is made of.
    """

    view: View
    label: str
    in_training: bool


def street_view(image: Image.Image, kind: str, seed: int) -> Image.Image:
    """Show a picture as a photo of one kind would, to measure with.

    Args:
        image: RGB, any size.
        kind: one of `KINDS`.
        seed: another one gives another background, place, side, strength.

    Returns:
        RGB. A small picture is enlarged first and a large one reduced, as a camera would: to `MIN_SIDE` pixels or more
        on the shorter side, `MAX_PIXELS` or fewer in all. Same picture, kind and seed: same pixels (JPEG: with the same
        release of Pillow).

    Raises:
        ValueError: an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"view kind {kind!r}; permitted: {', '.join(KINDS)}")
    return KINDS[kind].view(in_view_size(image), random.Random(f"measured {kind} {seed}"))  # noqa: S311


def training_view(image: Image.Image, seed: int) -> Image.Image:
    """Show a picture as a photo would, to learn from: one to three of `TRAINING_KINDS` together, at random strengths.

    Cropped to 60 to 100 % of each side, rotated by up to 25° either way, on clutter or small on grey (35 to 90 % of the
    side), at 25 to 115 % of the light. Nothing of `UNSEEN_KINDS` is in it, and no background of `street_view`.

    Args:
        image: RGB, any size.
        seed: decides everything.

    Returns:
        RGB, of a size as `street_view`'s.
    """
    rng = random.Random(f"training {seed}")  # noqa: S311
    chosen = rng.sample(sorted(_TRAINING_VIEWS), rng.randint(1, 3))
    view = in_view_size(image)
    # In the table's order: the product is turned before it is put somewhere, and lit at last.
    for name, make in _TRAINING_VIEWS.items():
        if name in chosen:
            view = make(view, rng)
    return view


def in_view_size(image: Image.Image) -> Image.Image:
    """Enlarge a small picture and reduce a large one, as `street_view` does first.

    Who makes several views of one picture does it once; a picture that has a view's size comes back as it is.
    """
    width, height = image.size
    scale = max(1.0, MIN_SIDE / min(image.size))
    scale = min(scale, MAX_SIDE / max(image.size), (MAX_PIXELS / (width * height)) ** 0.5)
    # Whole pixels may leave room for one more.
    if 1 <= scale < 1.01:
        return image
    size = (max(1, int(width * scale + 1e-6)), max(1, int(height * scale + 1e-6)))
    return image.resize(size, Image.Resampling.BICUBIC)


def _placed(
    image: Image.Image, rng: random.Random, share: float, draw: Callable[[tuple[int, int], random.Random], Image.Image]
) -> Image.Image:
    """The product at that share of its size, anywhere on a square that is drawn.

    A square, so that a model which looks at the middle only sees all of it. Where no plain ground tells the product
    from what is around it, the whole picture is put there.
    """
    mask = foreground_mask(image)
    side = min(max(image.size), round(MAX_PIXELS**0.5))
    scale = share * side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    ground = draw((side, side), rng)
    at = (rng.randint(0, side - size[0]), rng.randint(0, side - size[1]))
    scaled = image.resize(size, Image.Resampling.BICUBIC)
    ground.paste(scaled, at, None if mask is None else mask.resize(size, Image.Resampling.BILINEAR))
    return ground


def _busy_background(image: Image.Image, rng: random.Random) -> Image.Image:
    mask = foreground_mask(image)
    if mask is None:
        return _placed(image, rng, rng.uniform(0.65, 0.8), draw_clutter)
    return Image.composite(image, draw_clutter(image.size, rng), mask)


def _small_on_grey(image: Image.Image, rng: random.Random) -> Image.Image:
    return _placed(image, rng, rng.uniform(0.35, 0.5), draw_grey)


def _rotated(image: Image.Image, rng: random.Random) -> Image.Image:
    return rotate(image, rng.choice((-15, 15)))


def _darkened(image: Image.Image, rng: random.Random) -> Image.Image:
    return brighten(image, 0.35)


def _cropped(image: Image.Image, rng: random.Random) -> Image.Image:
    return crop_window(image, 0.8, rng)


def _street(image: Image.Image, rng: random.Random) -> Image.Image:
    turned = rotate(image, rng.uniform(-12, 12))
    shown = _placed(turned, rng, rng.uniform(0.75, 0.95), draw_clutter)
    # A share of the whole photo: on clutter nothing tells where the product is.
    hidden = occlude(shown, rng, 0.05, 0.12)
    return brighten(crop_window(hidden, rng.uniform(0.85, 0.95), rng), rng.uniform(0.55, 1.15))


def _occluded(image: Image.Image, rng: random.Random) -> Image.Image:
    return occlude(image, rng, 0.15, 0.3)


def _color_cast(image: Image.Image, rng: random.Random) -> Image.Image:
    red, green, blue = rng.choice(_LAMPS)
    return scale_channels(image, (_near(red, rng), _near(green, rng), _near(blue, rng)))


def _near(factor: float, rng: random.Random) -> float:
    return factor * rng.uniform(0.92, 1.08)


def _jpeg(image: Image.Image, rng: random.Random) -> Image.Image:
    return compress(image, rng.uniform(0.35, 0.6), rng.randint(10, 25))


def _blurred(image: Image.Image, rng: random.Random) -> Image.Image:
    side = min(image.size)
    if rng.random() < 0.5:
        return defocus(image, side * rng.uniform(0.012, 0.025))
    return smear(image, max(1, round(side * rng.uniform(0.05, 0.1))), rng.uniform(0, 180))


def _perspective(image: Image.Image, rng: random.Random) -> Image.Image:
    return tilt(image, rng.uniform(0.15, 0.25), rng)


def _overexposed(image: Image.Image, rng: random.Random) -> Image.Image:
    return add_flare(brighten(image, rng.uniform(1.2, 1.7)), rng)


def _mirrored(image: Image.Image, rng: random.Random) -> Image.Image:
    return ImageOps.mirror(image)


KINDS: Mapping[str, ViewKind] = MappingProxyType(
    {
        "busy_background": ViewKind(_busy_background, "busy background", True),
        "small_on_grey": ViewKind(_small_on_grey, "small on grey", True),
        "rotated": ViewKind(_rotated, "rotated by 15°", True),
        "darkened": ViewKind(_darkened, "darkened to 35 %", True),
        "cropped": ViewKind(_cropped, "cropped to 80 %", True),
        "street": ViewKind(_street, "street", True),
        "occluded": ViewKind(_occluded, "occluded by 15 to 30 %", False),
        "color_cast": ViewKind(_color_cast, "colour cast", False),
        "jpeg": ViewKind(_jpeg, "small, strongly compressed JPEG", False),
        "blurred": ViewKind(_blurred, "blurred", False),
        "perspective": ViewKind(_perspective, "perspective", False),
        "overexposed": ViewKind(_overexposed, "overexposed, with flare", False),
        "mirrored": ViewKind(_mirrored, "mirrored", False),
    }
)
"""The measured kinds by name. `street` is several at moderate strength (background, place, rotation, light, crop, and
an occlusion, which training never shows): it counts as used in training, since most of its parts are."""

TRAINING_KINDS = tuple(name for name, kind in KINDS.items() if kind.in_training)
"""Kinds that training draws too, or that are made of such."""

UNSEEN_KINDS = tuple(name for name, kind in KINDS.items() if not kind.in_training)
"""Kinds that are never used in training."""


def _crop_to_learn(image: Image.Image, rng: random.Random) -> Image.Image:
    return crop_window(image, rng.uniform(0.6, 1.0), rng)


def _rotation_to_learn(image: Image.Image, rng: random.Random) -> Image.Image:
    return rotate(image, rng.uniform(-25, 25))


def _ground_to_learn(image: Image.Image, rng: random.Random) -> Image.Image:
    # Clutter twice as often: photos on one grey are rare.
    return _placed(image, rng, rng.uniform(0.35, 0.9), rng.choice((draw_clutter, draw_clutter, draw_grey)))


def _light_to_learn(image: Image.Image, rng: random.Random) -> Image.Image:
    return brighten(image, rng.uniform(0.25, 1.15))


_TRAINING_VIEWS: Mapping[str, View] = MappingProxyType(
    {"crop": _crop_to_learn, "rotation": _rotation_to_learn, "ground": _ground_to_learn, "light": _light_to_learn}
)
