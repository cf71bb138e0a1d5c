"""Draws on a square in shares of its side, whatever its pixels."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

SIDE = 224
"""Of a sketch, pixels."""

_FINER = 2
"""Drawn this much larger and scaled down: lines have smooth edges."""

Color = tuple[int, int, int]
Point = tuple[float, float]

DARK: Color = (32, 30, 34)
LIGHT: Color = (246, 244, 238)
METAL: Color = (168, 172, 178)


class Pen:
    """A square picture to draw on; (0, 0) is its upper left corner, (1, 1) the lower right one."""

    def __init__(self, ground: Color) -> None:
        """Start with a plain ground."""
        self._side = SIDE * _FINER
        self._image = Image.new("RGB", (self._side, self._side), ground)
        self._draw = ImageDraw.Draw(self._image)

    def image(self) -> Image.Image:
        """What was drawn: RGB, `SIDE` pixels a side."""
        return self._image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        fill: Color | None,
        edge: float = 0,
        radius: float = 0,
    ) -> None:
        """A rectangle; `edge`: the width of its dark outline, `radius`: of its corners."""
        outline = DARK if edge else None
        self._draw.rounded_rectangle(
            self._scaled((left, top, right, bottom)), radius * self._side, fill, outline, self._width(edge)
        )

    def disc(self, x: float, y: float, radius: float, fill: Color | None, edge: float = 0, flat: float = 1.0) -> None:
        """A circle around (x, y), or an ellipse `flat` times as high."""
        around = (x - radius, y - radius * flat, x + radius, y + radius * flat)
        self._draw.ellipse(self._scaled(around), fill, DARK if edge else None, self._width(edge))

    def shape(self, points: Sequence[Point], fill: Color) -> None:
        """A polygon, of three corners or more."""
        self._draw.polygon([(x * self._side, y * self._side) for x, y in points], fill)

    def line(self, points: Sequence[Point], color: Color, width: float) -> None:
        """Straight lines from point to point, with round corners."""
        self._draw.line(
            [(x * self._side, y * self._side) for x, y in points], color, self._width(width) or 1, joint="curve"
        )

    def arc(self, x: float, y: float, radius: float, start: float, end: float, color: Color, width: float) -> None:
        """Part of a circle, between two angles in degrees, clockwise from the right."""
        around = (x - radius, y - radius, x + radius, y + radius)
        self._draw.arc(self._scaled(around), start, end, color, self._width(width))

    def _scaled(self, values: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        left, top, right, bottom = (value * self._side for value in values)
        return left, top, right, bottom

    def _width(self, share: float) -> int:
        return max(1, round(share * self._side)) if share else 0


Sketch = Callable[[Pen, random.Random], None]
"""Draws one thing; the generator decides its measures and colours."""


def around(x: float, y: float, radius: float, count: int, turn: float = 0.0) -> list[Point]:
    """Points on a circle, evenly spaced, the first one above the centre at a turn of 0 (degrees, clockwise)."""
    angles = [math.radians(turn + 360 * index / count - 90) for index in range(count)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def shade(color: Color, factor: float) -> Color:
    """A colour that is darker (below 1) or lighter."""
    red, green, blue = (min(255, max(0, round(value * factor))) for value in color)
    return red, green, blue


def near(color: Color, r: random.Random, by: int = 14) -> Color:
    """A colour that is about that one."""
    red, green, blue = (min(255, max(0, value + r.randint(-by, by))) for value in color)
    return red, green, blue
