"""What products are made of, as far as it can be seen: grain and gloss."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Finish = Literal["smooth", "woolly", "grained", "brushed", "leathery", "woven"]

_FINISHES: Mapping[Finish, tuple[str, ...]] = {
    "woolly": ("wool", "felt", "plush", "velvet", "suede"),
    "grained": ("wood", "bamboo", "cardboard", "marble"),
    "brushed": ("steel", "brass", "copper", "tin", "silver", "gold"),
    "leathery": ("leather", "stoneware", "rubber", "sugar", "chocolate", "marzipan"),
    "woven": ("canvas", "denim", "straw", "cotton", "nylon"),
    "smooth": ("silk", "ceramic", "enamel", "glass", "crystal", "lacquer", "plastic", "paper"),
}

FINISH_OF: Mapping[str, Finish] = {material: finish for finish, names in _FINISHES.items() for material in names}
"""Material, as titles name it, to how its surface looks."""

GLOSS: Mapping[Finish, float] = {
    "smooth": 0.75,
    "woolly": 0.0,
    "grained": 0.25,
    "brushed": 1.0,
    "leathery": 0.35,
    "woven": 0.1,
}
"""How strong a surface's highlights are, 0 to 1."""

_TILE = 320


@cache
def grain(finish: Finish) -> Image.Image:
    """A tile of a surface's texture: mode L, 255 where the colour stays, less where it is darker."""
    # The legacy generator's stream is fixed for good, so that pictures are the same under any NumPy.
    random = np.random.RandomState(len(finish))
    noise = random.uniform(0, 1, (_TILE, _TILE)).astype(np.float32)
    y, x = np.mgrid[0:_TILE, 0:_TILE].astype(np.float32)
    if finish == "woolly":
        values = 0.72 + 0.28 * _blurred(noise, 1.2)
    elif finish == "grained":
        streaks = _blurred(np.repeat(random.uniform(0, 1, (_TILE // 4, 1)), 4, axis=0) + 0 * noise, 2)
        values = 0.8 + 0.2 * np.sin(40 * streaks + 6 * _blurred(noise, 14) + x / 60)
    elif finish == "brushed":
        values = 0.86 + 0.14 * _blurred(np.repeat(random.uniform(0, 1, (_TILE, 1)), _TILE, axis=1), 0.7)
    elif finish == "leathery":
        values = 0.82 + 0.18 * _blurred(noise, 2.2)
    elif finish == "woven":
        values = 0.9 + 0.1 * np.sin(x * 1.6) * np.sin(y * 1.6)
    else:
        values = np.ones((_TILE, _TILE), dtype=np.float32)
    return Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))


@cache
def clouds() -> Image.Image:
    """A tile of soft, large blotches over all of 0 to 255, for washes and papers."""
    noise = np.random.RandomState(99).uniform(0, 1, (_TILE, _TILE)).astype(np.float32)
    values = 0.6 * _blurred(noise, 18) + 0.4 * _blurred(noise, 5)
    return Image.fromarray((values * 255).astype(np.uint8))


@cache
def hatching() -> Image.Image:
    """A tile of slanted strokes, as crayons leave them; 255 where there is colour."""
    noise = np.random.RandomState(7).uniform(0, 1, (_TILE, _TILE)).astype(np.float32)
    y, x = np.mgrid[0:_TILE, 0:_TILE].astype(np.float32)
    values = 0.92 + 0.4 * np.sin((x + y) * 0.9 + 3 * _blurred(noise, 6)) + 0.5 * (_blurred(noise, 0.8) - 0.5)
    return Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))


def _blurred(values: npt.NDArray[np.floating], radius: float) -> npt.NDArray[np.float32]:
    """Blurred and stretched to 0..1 again."""
    low, high = float(values.min()), float(values.max())
    image = Image.fromarray(((values - low) / (high - low) * 255).astype(np.uint8))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32)
    low, high = (float(value) for value in np.percentile(blurred, (1, 99)))
    stretched: npt.NDArray[np.float32] = np.clip((blurred - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    return stretched


def piece(tile: Image.Image, x: float, y: float, side: int) -> Image.Image:
    """A square of a tile; `x` and `y` from 0 to 1 say which."""
    left, top = int(x * (_TILE - side)), int(y * (_TILE - side))
    return tile.crop((left, top, left + side, top + side))
