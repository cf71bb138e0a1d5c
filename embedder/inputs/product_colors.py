"""Which colours a picture's product has: measured where the product is, as far as that can be told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.inputs.foreground import border_color, foreground_mask
from embedder.recognition.attribute_model import GROUND
from embedder.recognition.palette import color_count, color_shares, to_lab

_SIDE = 80
_INNER = 200
"""From this opacity on a pixel is the product's alone: along the edge its colour is mixed with the ground's."""


def product_colors(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Colours of a picture, float32 (`width_of_colors`,).

    First the shares of the palette's colours inside the product, which sum to 1: on a plain ground the product is what
    the ground does not reach; elsewhere pixels count the more, the nearer they are to the middle. Then what is behind
    it, by which the light can be told: lightness, a and b of the border's colour in CIELAB, each divided by 100, and 1
    where the ground is plain, else 0.

    Args:
        pixels: RGB as the image tower takes it, uint8 (3, height, width).
    """
    image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    small = np.asarray(image)
    mask = foreground_mask(image)
    inner = None if mask is None else np.asarray(mask) >= _INNER
    if inner is None or not inner.any():
        shares = color_shares(small, _middle(*small.shape[:2]))
    else:
        shares = color_shares(small, inner.astype(np.float64))
    ground = to_lab(np.asarray([border_color(image)]))[0] / 100
    return np.concatenate([shares, ground, [float(mask is not None)]]).astype(np.float32)


def width_of_colors() -> int:
    """How many values `product_colors` gives."""
    return color_count() + GROUND


def _middle(height: int, width: int) -> npt.NDArray[np.float64]:
    """Weights: a bell with a standard deviation of a fifth of the sides, float64 (height, width)."""
    rows, columns = (np.linspace(-1.0, 1.0, side) for side in (height, width))
    return np.exp(-0.5 * (rows[:, None] ** 2 + columns[None, :] ** 2) / 0.4**2)
