"""What light, lens and way of taking do to a picture, one at a time; each takes and returns RGB of any size."""

from __future__ import annotations

import io
import math
import random

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from embedder.inputs.foreground import border_color

_FILTER = Image.Resampling.BILINEAR
"""Bicubic takes three times as long, and no camera is sharper than this."""


def rotate(image: Image.Image, degrees: float) -> Image.Image:
    """Turn it counter-clockwise around its middle; corners that come into view get the border's colour."""
    return image.rotate(degrees, _FILTER, fillcolor=border_color(image))


def crop_window(image: Image.Image, share: float, rng: random.Random) -> Image.Image:
    """Keep a window of that share of each side (above 0, up to 1), anywhere."""
    width, height = max(1, round(image.width * share)), max(1, round(image.height * share))
    left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
    return image.crop((left, top, left + width, top + height))


def brighten(image: Image.Image, factor: float) -> Image.Image:
    """Multiply all values; below 1 it gets darker."""
    return scale_channels(image, (factor, factor, factor))


def scale_channels(image: Image.Image, factors: tuple[float, float, float]) -> Image.Image:
    """Multiply red, green and blue: the cast of a lamp."""
    return image.point([min(255, round(value * factor)) for factor in factors for value in range(256)])


def add_flare(image: Image.Image, rng: random.Random) -> Image.Image:
    """A window or a lamp that shines into the lens: a bright spot that fades with the distance."""
    strength = rng.uniform(1.0, 1.4)
    extent = max(2, round(max(image.size) * rng.uniform(0.9, 1.8)))
    # Pillow's gradient is 181 where its circle touches the sides.
    fading = [min(255, round(max(0, 181 - value) * strength)) for value in range(256)]
    spot = Image.radial_gradient("L").point(fading).resize((extent, extent), Image.Resampling.BILINEAR)
    light = Image.new("L", image.size)
    left = -extent // 3
    # Of a tall picture even that may be further right than its middle should be.
    rightmost = max(left, image.width - extent // 2)
    light.paste(spot, (rng.randint(left, rightmost), rng.randint(-extent // 2, 0)))
    return ImageChops.screen(image, light.convert("RGB"))


def defocus(image: Image.Image, radius: float) -> Image.Image:
    """Out of focus by a blur of that radius, in pixels."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def smear(image: Image.Image, length: int, degrees: float) -> Image.Image:
    """Moved while the shutter was open: the mean along a line of `length` pixels (1 or more)."""
    x, y = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    reach = length // 2 + 1
    pixels = np.pad(np.asarray(image), ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    total = np.zeros((image.height, image.width, 3), dtype=np.uint32 if length > 256 else np.uint16)
    for step in range(length):
        at = step - (length - 1) / 2
        left, top = reach + round(at * x), reach + round(at * y)
        total += pixels[top : top + image.height, left : left + image.width]
    return Image.fromarray((total // length).astype(np.uint8))


def compress(image: Image.Image, share: float, quality: int) -> Image.Image:
    """Sent through a messenger: scaled to that share of each side, saved as JPEG, scaled back."""
    small = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    data = io.BytesIO()
    image.resize(small, Image.Resampling.BILINEAR).save(data, "JPEG", quality=quality)
    with Image.open(data) as read:
        return read.convert("RGB").resize(image.size, Image.Resampling.BILINEAR)


def tilt(image: Image.Image, depth: float, rng: random.Random) -> Image.Image:
    """Seen from the side: each corner moves inwards by up to `depth` of the side (0 to 0.4).

    Args:
        image: RGB.
        depth: the most that a corner moves; one corner moves all of it.
        rng: decides which corners move how far.
    """
    moves = [(rng.uniform(0, depth), rng.uniform(0, depth)) for _ in range(4)]
    moves[rng.randrange(4)] = (depth, depth)
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = moves
    corners = [(ax, ay), (1 - bx, by), (1 - cx, 1 - cy), (dx, 1 - dy)]
    coefficients = _inverse_projection(corners, image.width, image.height)
    return image.transform(
        image.size, Image.Transform.PERSPECTIVE, coefficients, _FILTER, fillcolor=border_color(image)
    )


def _inverse_projection(corners: list[tuple[float, float]], width: int, height: int) -> tuple[float, ...]:
    """Pillow's eight coefficients that put the picture's corners at the given places (0..1, clockwise from top left).

    The square's projection in closed form, inverted (Heckbert, 1989, "Fundamentals of Texture Mapping and Image
    Warping", section 2.2.3).
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    across_x, across_y, down_x, down_y = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    rest_x, rest_y = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    area = across_x * down_y - down_x * across_y
    g = (rest_x * down_y - down_x * rest_y) / area
    h = (across_x * rest_y - rest_x * across_y) / area
    a, b, c = x1 - x0 + g * x1, x3 - x0 + h * x3, x0
    d, e, f = y1 - y0 + g * y1, y3 - y0 + h * y3, y0
    # The adjugate of ((a, b, c), (d, e, f), (g, h, 1)); its scale does not matter.
    rows = (
        (e - f * h, c * h - b, b * f - c * e),
        (f * g - d, a - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    # From pixels to 0..1 and back.
    (p, q, r), (s, t, u), (v, w, z) = rows
    return (
        *(value / z for value in (p, q * width / height, r * width)),
        *(value / z for value in (s * height / width, t, u * height)),
        *(value / z for value in (v / width, w / height)),
    )
