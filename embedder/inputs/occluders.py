"""What hides a part of a product in a customer's photo: a hand that holds it, a price label, something in front."""

from __future__ import annotations

import math
import random
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from embedder.inputs.backgrounds import any_color
from embedder.inputs.foreground import Color, foreground_mask

_SKIN: tuple[Color, ...] = ((255, 224, 196), (234, 192, 160), (198, 140, 105), (141, 92, 63), (92, 58, 40))
_PAPER: tuple[Color, ...] = ((250, 250, 245), (255, 235, 60), (255, 140, 40), (225, 30, 45), (180, 215, 240))

_MEASURED_SIDE = 96
_HALVINGS = 7
_LARGEST = 1.6

Point = tuple[float, float]
"""A place in a picture, 0..1 along each side."""


class _Thing(Protocol):
    def draw(self, draw: ImageDraw.ImageDraw, size: tuple[int, int], extent: float, mask: bool) -> None:
        """Draw it in its colours, or white as a mask; it covers more with a larger extent, 0 to `_LARGEST`."""


def occlude(image: Image.Image, rng: random.Random, least: float, most: float) -> Image.Image:
    """Hide a part of the product behind one thing.

    Args:
        image: RGB, any size.
        rng: decides what hides it, where, and how much.
        least, most: the share of the product's pixels to hide, 0..1; of all pixels where no plain ground shows which
            they are.

    Returns:
        RGB, of the same size.
    """
    share = rng.uniform(least, most)
    product = _product_pixels(image)
    thing: _Thing = rng.choice((_Hand, _Label, _Blob))(rng, _one_of(product, rng))
    low, high = 0.0, _LARGEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _hidden_share(thing, middle, product) < share else (low, middle)
    hidden = image.copy()
    thing.draw(ImageDraw.Draw(hidden), image.size, (low + high) / 2, mask=False)
    return hidden


def _product_pixels(image: Image.Image) -> npt.NDArray[np.bool_]:
    """The product, bool (height, width), measured on no more than `_MEASURED_SIDE` pixels a side."""
    small = image.copy()
    small.thumbnail((_MEASURED_SIDE, _MEASURED_SIDE), Image.Resampling.BILINEAR)
    mask = foreground_mask(small)
    if mask is None:
        return np.ones((small.height, small.width), dtype=np.bool_)
    return np.asarray(mask) >= 128


def _one_of(product: npt.NDArray[np.bool_], rng: random.Random) -> Point:
    rows, columns = np.nonzero(product)
    if not len(rows):
        return 0.5, 0.5
    pick = rng.randrange(len(rows))
    return (float(columns[pick]) + 0.5) / product.shape[1], (float(rows[pick]) + 0.5) / product.shape[0]


def _hidden_share(thing: _Thing, extent: float, product: npt.NDArray[np.bool_]) -> float:
    mask = Image.new("L", (product.shape[1], product.shape[0]))
    thing.draw(ImageDraw.Draw(mask), mask.size, extent, mask=True)
    return float((np.asarray(mask) > 0)[product].mean()) if product.any() else 1.0


class _Hand:
    """Fingers that reach over the product from one side of the picture, with the hand behind them."""

    def __init__(self, rng: random.Random, target: Point) -> None:
        self.target = target
        self.angle = rng.uniform(0, 360)
        self.color = rng.choice(_SKIN)
        self.fingers = [rng.uniform(0.75, 1.0) for _ in range(rng.randint(2, 4))]

    def draw(self, draw: ImageDraw.ImageDraw, size: tuple[int, int], extent: float, mask: bool) -> None:
        """Draw it, at this extent, into a picture of that size; as a mask all of it is white."""
        side, angle = min(size), math.radians(self.angle)
        along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
        tip_x, tip_y = self.target[0] * size[0], self.target[1] * size[1]
        thickness = max(2, round(side * 0.16 * extent))
        color, shade = (255, 255) if mask else (self.color, _darker(self.color))
        for index, length in enumerate(self.fingers):
            offset = (index - (len(self.fingers) - 1) / 2) * thickness * 1.05
            reach = side * extent * length * 0.45
            start = (tip_x + across[0] * offset + along[0] * reach, tip_y + across[1] * offset + along[1] * reach)
            end = (start[0] - along[0] * 3 * max(size), start[1] - along[1] * 3 * max(size))
            for line, width in ((shade, thickness), (color, max(1, round(thickness * 0.86)))):
                draw.line((*start, *end), line, width)
                radius = width / 2
                draw.ellipse((start[0] - radius, start[1] - radius, start[0] + radius, start[1] + radius), line)


class _Label:
    """A price label or sticker, with writing on it."""

    def __init__(self, rng: random.Random, target: Point) -> None:
        self.target = target
        self.turn = math.radians(rng.uniform(-35, 35))
        self.flat = rng.uniform(0.45, 0.9)
        self.color = rng.choice(_PAPER)
        self.lines = [rng.uniform(0.4, 1.0) for _ in range(rng.randint(2, 4))]

    def draw(self, draw: ImageDraw.ImageDraw, size: tuple[int, int], extent: float, mask: bool) -> None:
        """Draw it, at this extent, into a picture of that size; as a mask all of it is white."""
        half = min(size) * extent * 0.6
        corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
        paper = [self._place(size, half, x, y) for x, y in corners]
        if mask:
            draw.polygon(paper, 255)
            return
        ink = (25, 25, 25) if sum(self.color) > 380 else (250, 250, 250)
        draw.polygon(paper, self.color, _darker(self.color))
        for index, length in enumerate(self.lines):
            y = (index + 1) / (len(self.lines) + 1) * 2 - 1
            start, end = self._place(size, half, -0.85, y), self._place(size, half, -0.85 + 1.6 * length, y)
            draw.line((*start, *end), ink, max(1, round(half * 0.12)))

    def _place(self, size: tuple[int, int], half: float, x: float, y: float) -> Point:
        x, y = x * half, y * half * self.flat
        cosine, sine = math.cos(self.turn), math.sin(self.turn)
        return self.target[0] * size[0] + x * cosine - y * sine, self.target[1] * size[1] + x * sine + y * cosine


class _Blob:
    """Something of one colour in front of the product, round or ragged."""

    def __init__(self, rng: random.Random, target: Point) -> None:
        self.target = target
        self.color = any_color(rng)
        corners = rng.randint(5, 24)
        self.reaches = [rng.uniform(0.75, 1.15) for _ in range(corners)]

    def draw(self, draw: ImageDraw.ImageDraw, size: tuple[int, int], extent: float, mask: bool) -> None:
        radius, count = min(size) * extent * 0.6, len(self.reaches)
        points = [
            (
                self.target[0] * size[0] + radius * reach * math.cos(2 * math.pi * corner / count),
                self.target[1] * size[1] + radius * reach * math.sin(2 * math.pi * corner / count),
            )
            for corner, reach in enumerate(self.reaches)
        ]
        draw.polygon(points, 255 if mask else self.color)


def _darker(color: Color) -> Color:
    red, green, blue = (round(value * 0.78) for value in color)
    return red, green, blue
