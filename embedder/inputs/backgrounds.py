"""What a customer's photo shows behind a product: clutter, drawn from a seed, and plain grounds."""

from __future__ import annotations

import colorsys
import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from embedder.inputs.foreground import Color

_DRAWN_SIDE = 160
"""Larger backgrounds are drawn at this side and scaled: a background is out of focus anyway."""

_ONE_STROKE = 0.012


def draw_clutter(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Draw a busy background: a ground, things of many shapes, and what looks like writing.

    Args:
        size: (width, height) in pixels.
        rng: decides everything.

    Returns:
        RGB, of that size.
    """
    scale = min(1.0, _DRAWN_SIDE / max(size))
    drawn = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    image = rng.choice((_gradient, _clouds, _stripes, _tiles))(drawn, rng)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(8, 26)):
        _draw_thing(draw, drawn, rng)
    for _ in range(rng.randint(1, 4)):
        _draw_writing(draw, drawn, rng)
    image = _with_grain(image.filter(ImageFilter.BoxBlur(rng.uniform(0.0, 0.8))), rng)
    return image if drawn == size else image.resize(size, Image.Resampling.BILINEAR)


def draw_grey(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """A grey ground without anything on it, RGB."""
    level = rng.randint(95, 185)
    return Image.new("RGB", size, (level, level, level))


def any_color(rng: random.Random) -> Color:
    """A colour of any hue, pale to strong and dark to light."""
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.05, 0.95), rng.uniform(0.15, 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)


def _gradient(size: tuple[int, int], rng: random.Random) -> Image.Image:
    mask = Image.linear_gradient("L") if rng.random() < 0.5 else Image.radial_gradient("L")
    turned = mask.rotate(rng.choice((0, 90, 180, 270))).resize(size, Image.Resampling.BILINEAR)
    return Image.composite(Image.new("RGB", size, any_color(rng)), Image.new("RGB", size, any_color(rng)), turned)


def _clouds(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Soft spots of many colours around one."""
    side = rng.randint(3, 14)
    noise = Image.frombytes("RGB", (side, side), rng.randbytes(3 * side * side))
    spots = noise.resize(size, Image.Resampling.BICUBIC)
    return Image.blend(Image.new("RGB", size, any_color(rng)), spots, rng.uniform(0.35, 0.9))


def _stripes(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Planks, a blind, a striped cloth."""
    image = Image.new("RGB", size, any_color(rng))
    draw, colors = ImageDraw.Draw(image), [any_color(rng) for _ in range(rng.randint(1, 3))]
    width, height = size
    upright, step = rng.random() < 0.5, max(2, round(max(size) * rng.uniform(0.03, 0.15)))
    thickness = max(1, round(step * rng.uniform(0.15, 0.6)))
    for index, start in enumerate(range(0, width if upright else height, step)):
        box = (start, 0, start + thickness, height) if upright else (0, start, width, start + thickness)
        draw.rectangle(box, fill=colors[index % len(colors)])
    return image


def _tiles(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """A floor of tiles, no two of quite the same colour."""
    first, second = any_color(rng), any_color(rng)
    columns, rows = rng.randint(3, 10), rng.randint(3, 10)
    image = Image.new("RGB", (columns, rows))
    for row in range(rows):
        for column in range(columns):
            color = first if (row + column) % 2 else second
            image.putpixel((column, row), _varied(color, 18, rng))
    return image.resize(size, Image.Resampling.NEAREST)


def _varied(color: Color, by: int, rng: random.Random) -> Color:
    red, green, blue = (min(255, max(0, value + rng.randint(-by, by))) for value in color)
    return red, green, blue


def _draw_thing(draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: random.Random) -> None:
    side = max(size)
    x, y, radius = rng.uniform(0, size[0]), rng.uniform(0, size[1]), side * rng.uniform(0.03, 0.22)
    color, line = any_color(rng), max(1, round(side * rng.uniform(0.005, 0.03)))
    fill, outline = (None, color) if rng.random() < 0.25 else (color, any_color(rng) if rng.random() < 0.3 else None)
    shape = rng.choice(("ellipse", "rectangle", "polygon", "line", "arc"))
    stretch = rng.uniform(0.4, 1.6)
    box = (x - radius, y - radius * stretch, x + radius, y + radius * stretch)
    if shape == "ellipse":
        draw.ellipse(box, fill, outline, line)
    elif shape == "rectangle":
        draw.rounded_rectangle(box, radius * rng.choice((0.0, 0.1, 0.3)), fill, outline, line)
    elif shape == "polygon":
        corners, turn = rng.randint(3, 7), rng.uniform(0, 360)
        draw.polygon(_star(x, y, radius, corners, turn, rng), fill, outline, line)
    elif shape == "line":
        draw.line((x, y, rng.uniform(0, size[0]), rng.uniform(0, size[1])), color, line)
    else:
        start = rng.uniform(0, 360)
        draw.arc(box, start, start + rng.uniform(60, 300), color, line)


def _star(
    x: float, y: float, radius: float, corners: int, turn: float, rng: random.Random
) -> list[tuple[float, float]]:
    """A ragged polygon around a point."""
    angles = [math.radians(turn + 360 * corner / corners) for corner in range(corners)]
    return [
        (x + radius * reach * math.cos(angle), y + radius * reach * math.sin(angle))
        for angle, reach in ((angle, rng.uniform(0.5, 1.2)) for angle in angles)
    ]


def _draw_writing(draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: random.Random) -> None:
    """Lines of strokes as long and as dense as letters: a label, a page, a sign."""
    side = max(size)
    letter = max(2.0, side * rng.uniform(0.02, 0.06))
    left, top = rng.uniform(-0.1, 0.8) * size[0], rng.uniform(-0.1, 0.9) * size[1]
    color, line = any_color(rng), max(1, round(side * _ONE_STROKE * rng.uniform(0.5, 1.2)))
    letters = rng.randint(4, 14)
    if rng.random() < 0.5:
        draw.rectangle((left - letter, top - letter, left + letters * letter, top + 3 * letter), any_color(rng))
    for row in range(rng.randint(1, 3)):
        for column in range(letters):
            if rng.random() < 0.15:
                continue
            x, y = left + column * letter * 0.9, top + row * letter * 1.4
            ends = [(x + rng.uniform(0, 0.7) * letter, y + rng.uniform(0, 1) * letter) for _ in range(3)]
            draw.line([(x, y), *ends], color, line)


def _with_grain(image: Image.Image, rng: random.Random) -> Image.Image:
    """The noise of a camera in a dim room, about 2 to 10 of 255."""
    noise = np.frombuffer(rng.randbytes(image.width * image.height), dtype=np.uint8)
    grain = Image.fromarray(noise.reshape(image.height, image.width)).convert("RGB")
    return Image.blend(image, grain, rng.uniform(0.01, 0.06))
