"""Closed outlines, from which every shape is put together.

An outline is float64 (n, 2): x to the right, y downwards, about -1 to 1 for a whole product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Outline = npt.NDArray[np.float64]
Point = tuple[float, float]


def polygon(*points: Point) -> Outline:
    """The corners as they are."""
    return np.array(points, dtype=np.float64)


def ellipse(x: float, y: float, width: float, height: float, start: float = 0, end: float = 360) -> Outline:
    """An ellipse around (x, y), or a piece of it between two angles in degrees, closed by a chord.

    `width` and `height` are the half axes; 0 degrees are to the right, 90 below.
    """
    angles = np.radians(np.linspace(start, end, 33 if end - start > 180 else 19))
    return np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], axis=1)


def box(left: float, top: float, right: float, bottom: float, radius: float = 0) -> Outline:
    """A rectangle whose corners are rounded."""
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    if radius <= 0:
        return polygon((left, top), (right, top), (right, bottom), (left, bottom))
    angles = np.radians(np.linspace(0, 90, 6))
    corner = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centers = (
        (right - radius, bottom - radius),
        (left + radius, bottom - radius),
        (left + radius, top + radius),
        (right - radius, top + radius),
    )
    return np.concatenate([turned(corner, 90 * quarter) + center for quarter, center in enumerate(centers)])


def curve(points: Sequence[Point], steps: int = 6, closed: bool = False) -> Outline:
    """A smooth line through the points (Catmull-Rom, chordal), with `steps` pieces between each two."""
    given = np.array(points, dtype=np.float64)
    around = (
        np.concatenate([given[-1:], given, given[:2]]) if closed else np.concatenate([given[:1], given, given[-1:]])
    )
    lengths = np.maximum(np.linalg.norm(np.diff(around, axis=0), axis=1), 1e-6)[:, None]
    tangents = (around[2:] - around[:-2]) / (lengths[1:] + lengths[:-1])
    # Tangents in proportion to a piece's length, so that a short piece beside a long one makes no loop.
    start, end = around[1:-2, None], around[2:-1, None]
    leaving, arriving = (tangents[:-1] * lengths[1:-1])[:, None], (tangents[1:] * lengths[1:-1])[:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    pieces = (
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * leaving
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * arriving
    )
    line = pieces.reshape(-1, 2)
    return line if closed else np.concatenate([line, given[-1:]])


def blob(*points: Point) -> Outline:
    """A smooth closed outline through the points."""
    return curve(points, steps=6, closed=True)


def stroke(line: Outline | Sequence[Point], width: float, end_width: float | None = None) -> Outline:
    """A line of a width, which may change from its start to its end."""
    points = np.asarray(line, dtype=np.float64)
    direction = np.gradient(points, axis=0)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    half = np.linspace(width, width if end_width is None else end_width, len(points))[:, None] / 2
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1) * half
    return np.concatenate([points + normal, (points - normal)[::-1]])


def ring(x: float, y: float, width: float, height: float, thickness: float) -> Outline:
    """An ellipse's rim; `width` and `height` are the half axes of its middle line."""
    half = thickness / 2
    outer = ellipse(x, y, width + half, height + half, 180, 540)
    inner = ellipse(x, y, max(width - half, 0.01), max(height - half, 0.01), 180, 540)
    return np.concatenate([outer, inner[::-1]])


def turned_profile(profile: Sequence[Point], smooth: bool = True) -> Outline:
    """What a lathe makes: (y, half width) from top to bottom, mirrored at the axis."""
    side = curve([(width, y) for y, width in profile], steps=5) if smooth else polygon(*((w, y) for y, w in profile))
    return np.concatenate([side, mirrored(side)[::-1]])


def star(x: float, y: float, radius: float, points: int, inner: float = 0.45, angle: float = -90) -> Outline:
    """A star; `inner` is where its notches are, as a share of the radius."""
    angles = np.radians(angle + np.arange(2 * points) * 180 / points)
    radii = np.where(np.arange(2 * points) % 2 == 0, radius, radius * inner)
    return np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], axis=1)


def regular(x: float, y: float, radius: float, corners: int, angle: float = -90) -> Outline:
    """A regular polygon."""
    angles = np.radians(angle + np.arange(corners) * 360 / corners)
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)


def petals(x: float, y: float, radius: float, count: int, depth: float = 0.35, angle: float = 0) -> Outline:
    """A flower's outline with `count` petals; `depth` 0 is a circle."""
    angles = np.linspace(0, 2 * math.pi, 73)
    radii = radius * (1 - depth + depth * np.abs(np.cos(count * angles / 2 + math.radians(angle))))
    return np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], axis=1)


def heart(x: float, y: float, size: float) -> Outline:
    """A heart, `size` half its width."""
    t = np.linspace(0, 2 * math.pi, 40)
    across = 16 * np.sin(t) ** 3
    up = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x + across * size / 16, y - up * size / 16], axis=1)


def drop(x: float, y: float, size: float, sharpness: float = 1.4) -> Outline:
    """A drop with its tip above, `size` half its height."""
    t = np.linspace(0, 2 * math.pi, 40)
    across = np.sin(t) * np.sin(t / 2) ** sharpness
    return np.stack([x + 0.8 * size * across, y - size * np.cos(t)], axis=1)


def crescent(x: float, y: float, size: float, thickness: float) -> Outline:
    """A moon that is open to the right; `thickness` is a share of its size."""
    outer = ellipse(x, y, size, size, 50, 310)
    inner = ellipse(x + size * thickness * 0.2, y, size * (1 - thickness), size * 0.78, 50, 310)
    return np.concatenate([outer, inner[::-1]])


def mirrored(outline: Outline) -> Outline:
    """Left and right exchanged."""
    flipped: Outline = outline * np.array((-1.0, 1.0))
    return flipped


def moved(outline: Outline, x: float, y: float) -> Outline:
    """Shifted."""
    shifted: Outline = outline + np.array((x, y))
    return shifted


def turned(outline: Outline, degrees: float, x: float = 0, y: float = 0) -> Outline:
    """Turned clockwise, as seen, around (x, y)."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    middle = np.array((x, y))
    found: Outline = (outline - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + middle
    return found
