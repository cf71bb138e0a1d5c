"""Pictures that show nothing in particular: overlapping shapes, strokes of a brush, things put together from parts.

They are drawn from a number alone, so they cost no download and are of no shop. What a tower makes of shapes, lines,
colours and textures can be held on to with them, whatever the catalog shows (Baradad et al., "Learning to See by
Looking at Noise", 2021, arXiv:2106.05963, train whole towers on such pictures).
"""

from __future__ import annotations

import colorsys

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

SIDE = 320
"""Of a picture, pixels."""

_SEED = 77
_WHITE = (255, 255, 255)

Color = tuple[int, int, int]
Point = tuple[float, float]


def draw_procedural(number: int) -> npt.NDArray[np.uint8]:
    """One of the pictures, uint8 (SIDE, SIDE, 3): a quarter are shapes, a quarter strokes, half of them things."""
    rng = np.random.default_rng([_SEED, number])
    canvas = _Canvas(rng)
    kind = number % 4
    if kind == 0:
        canvas.shapes(int(rng.integers(5, 60)))
    elif kind == 1:
        canvas.strokes(int(rng.integers(2, 30)), SIDE * rng.uniform(0.004, 0.03))
    else:
        if rng.random() < 0.3:
            canvas.strokes(int(rng.integers(1, 8)), SIDE * 0.01)
        for _ in range(1 if rng.random() < 0.75 else int(rng.integers(2, 5))):
            canvas.thing()
    return np.asarray(_worn(canvas.image, rng), dtype=np.uint8)


class _Canvas:
    """A ground, and what is drawn on it from one stream of random numbers."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.image = self._ground()
        self._draw = ImageDraw.Draw(self.image)

    def shapes(self, count: int) -> None:
        """Shapes in front of each other, most of them small."""
        for _ in range(count):
            x, y = self._rng.random(2) * SIDE
            radius = SIDE * 0.4 * self._rng.random() ** 2 + 4
            self._draw.polygon(_outline(self._rng, x, y, radius), fill=_color(self._rng))

    def strokes(self, count: int, width: float) -> None:
        """Lines that wander, each in a colour of its own; `width` in pixels, about."""
        rng = self._rng
        for _ in range(count):
            place, step = rng.random(2) * SIDE, rng.normal(size=2) * SIDE * 0.08
            points: list[Point] = [(float(place[0]), float(place[1]))]
            for _ in range(int(rng.integers(3, 25))):
                step = 0.85 * step + rng.normal(size=2) * SIDE * 0.02
                place = place + step
                points.append((float(place[0]), float(place[1])))
            thickness = max(1, round(width * float(np.exp(0.4 * rng.normal()))))
            self._draw.line(points, fill=_color(rng), width=thickness, joint="curve")

    def thing(self) -> None:
        """Parts in few colours around one middle, more often mirrored than not, as made and grown things are."""
        rng = self._rng
        x, y = SIDE * (0.5 + 0.06 * rng.normal(size=2))
        size = SIDE * rng.uniform(0.12, 0.3)
        edge = _color(rng) if rng.random() < 0.6 else None
        width = int(SIDE * rng.uniform(0.004, 0.02)) + 1
        palette = [_color(rng) for _ in range(int(rng.integers(1, 4)))]
        sides = (False, True) if rng.random() < 0.6 else (False,)
        for _ in range(int(rng.integers(2, 9))):
            left, top = x + size * rng.normal(), y + size * rng.normal()
            extent, fill = size * rng.uniform(0.15, 0.9), palette[int(rng.integers(len(palette)))]
            kind, seed = int(rng.integers(5)), int(rng.integers(1 << 31))
            for mirrored in sides:
                part = _Part(self._draw, 2 * x if mirrored else None, np.random.default_rng(seed), fill, edge, width)
                part.draw(kind, left, top, extent)

    def _ground(self) -> Image.Image:
        rng = self._rng
        if rng.random() >= 0.3:
            kind = rng.random()
            plain = _WHITE if kind < 0.3 else _color(rng, pale=kind < 0.7)
            return Image.new("RGB", (SIDE, SIDE), plain)
        line, angle = np.linspace(0, 1, SIDE), rng.random() * 2 * np.pi
        columns, rows = np.meshgrid(line, line)
        share = ((columns * np.cos(angle) + rows * np.sin(angle)) % 1)[..., None]
        near, far = (np.array(_color(rng, pale)) for pale in (True, bool(rng.random() < 0.7)))
        return Image.fromarray((near * (1 - share) + far * share).astype(np.uint8))


class _Part:
    """One part of a thing, at its place or mirrored there."""

    def __init__(
        self,
        draw: ImageDraw.ImageDraw,
        axis: float | None,
        rng: np.random.Generator,
        fill: Color,
        edge: Color | None,
        width: int,
    ) -> None:
        self._draw = draw
        self._axis = axis
        self._rng = rng
        self._fill = fill
        self._edge = edge
        self._width = width

    def draw(self, kind: int, x: float, y: float, extent: float) -> None:
        """A polygon or smooth shape, an ellipse, a rounded box, a bar or an arc around (x, y)."""
        rng, draw = self._rng, self._draw
        if kind == 0:
            points = [(self._x(left), top) for left, top in _outline(rng, x, y, extent)]
            draw.polygon(points, fill=self._fill, outline=self._edge, width=self._width)
        elif kind == 1:
            draw.ellipse(self._box(x, y, extent, 0.5), fill=self._fill, outline=self._edge, width=self._width)
        elif kind == 2:
            box, radius = self._box(x, y, extent, 0.7), extent * 0.3 * rng.random()
            draw.rounded_rectangle(box, radius, fill=self._fill, outline=self._edge, width=self._width)
        elif kind == 3:
            end = (self._x(x + extent * 2 * rng.normal()), y + extent * 2 * rng.normal())
            draw.line([(self._x(x), y), end], fill=self._fill, width=int(self._width * rng.uniform(1, 6)))
        else:
            start = rng.random() * 360
            width = int(self._width * rng.uniform(1, 5))
            draw.arc(self._box(x, y, extent, 0.0), start, start + rng.random() * 270 + 90, self._fill, width)

    def _x(self, x: float) -> float:
        return x if self._axis is None else self._axis - x

    def _box(self, x: float, y: float, extent: float, flatness: float) -> tuple[float, float, float, float]:
        ratio = float(np.exp(flatness * self._rng.normal()))
        left, right = sorted((self._x(x - extent * ratio), self._x(x + extent * ratio)))
        return left, y - extent / ratio, right, y + extent / ratio


def _outline(rng: np.random.Generator, x: float, y: float, radius: float) -> list[Point]:
    """A star-shaped polygon of 3 to 13 corners, stretched and turned; six of ten have their corners cut round."""
    corners = int(rng.integers(3, 14))
    angles = np.sort(rng.random(corners)) * 2 * np.pi
    lengths = radius * (1 + 0.35 * rng.normal(size=corners)).clip(0.2, 2)
    stretch, turn = float(np.exp(0.5 * rng.normal())), rng.random() * np.pi
    along, across = np.cos(angles) * lengths * stretch, np.sin(angles) * lengths / stretch
    points = np.stack(
        [
            x + along * np.cos(turn) - across * np.sin(turn),
            y + along * np.sin(turn) + across * np.cos(turn),
        ],
        axis=1,
    )
    if rng.random() < 0.6:
        for _ in range(3):
            # Corners are cut at a quarter of each side (Chaikin, 1974).
            after = np.roll(points, -1, axis=0)
            points = np.stack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after], axis=1).reshape(-1, 2)
    return [(float(left), float(top)) for left, top in points]


def _color(rng: np.random.Generator, pale: bool = False) -> Color:
    hue, saturation, value = rng.random(), rng.random() ** 0.7, rng.random() ** 0.5
    if pale:
        saturation, value = saturation * 0.25, 0.75 + 0.25 * value
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue


def _worn(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Three of ten with noise of a grain of their own, two of ten blurred."""
    if rng.random() < 0.3:
        grains = SIDE // int(rng.integers(1, 16)) + 1
        noise = (rng.normal(size=(grains, grains)) * rng.uniform(5, 40)).astype(np.float32)
        spread = np.asarray(Image.fromarray(noise).resize((SIDE, SIDE)))[..., None]
        image = Image.fromarray((np.asarray(image, dtype=np.float32) + spread).clip(0, 255).astype(np.uint8))
    if rng.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3)))
    return image
