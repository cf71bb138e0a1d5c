"""Sketches of streets, fences and landscapes."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from embedder.training.retention.sketches.pen import DARK, LIGHT, METAL, Pen, Sketch, around, near, shade


def _traffic_light(pen: Pen, r: random.Random) -> None:
    pen.box(0.46, 0.7, 0.54, 1.0, shade(METAL, 0.6))
    pen.box(0.34, 0.08, 0.66, 0.8, near((40, 44, 40), r), 0.01, 0.06)
    lit = r.randrange(3)
    for place, color in enumerate(((226, 40, 36), (250, 190, 40), (40, 190, 90))):
        pen.disc(0.5, 0.2 + 0.24 * place, 0.1, color if place == lit else shade(color, 0.35), 0.008)


def _street_sign(pen: Pen, r: random.Random) -> None:
    pen.box(0.47, 0.6, 0.53, 1.0, METAL)
    turn, red = 22.5 + r.uniform(-3, 3), near((200, 30, 36), r)
    pen.shape(around(0.5, 0.4, 0.38, 8, turn), LIGHT)
    pen.shape(around(0.5, 0.4, 0.35, 8, turn), red)
    for index, letter in enumerate("STOP"):
        _letter(pen, letter, 0.24 + 0.14 * index)


def _letter(pen: Pen, letter: str, x: float) -> None:
    t, m, b, w = 0.31, 0.4, 0.49, 0.09
    lines = {
        "S": [(x + w, t), (x, t), (x, m), (x + w, m), (x + w, b), (x, b)],
        "T": [(x, t), (x + w, t), (x + w / 2, t), (x + w / 2, b)],
        "O": [(x, t), (x + w, t), (x + w, b), (x, b), (x, t)],
        "P": [(x, b), (x, t), (x + w, t), (x + w, m), (x, m)],
    }
    pen.line(lines[letter], LIGHT, 0.026)


def _stone_wall(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, (70, 66, 60))
    rows = r.randint(6, 8)
    for row in range(rows):
        x = -r.uniform(0, 0.15)
        while x < 1:
            width = r.uniform(0.12, 0.26)
            stone = near((150, 142, 130), r, 34)
            pen.box(x + 0.008, row / rows + 0.008, x + width - 0.008, (row + 1) / rows - 0.008, stone, 0, 0.025)
            x += width


def _chain_link_fence(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((120, 160, 120), r, 40))
    step = r.uniform(0.11, 0.16)
    for index in range(-int(1 / step) - 1, int(1 / step) + 2):
        start = index * step
        pen.line([(start, 0), (start + 1, 1)], METAL, 0.014)
        pen.line([(start + 1, 0), (start, 1)], METAL, 0.014)


def _picket_fence(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 0.62, near((150, 200, 240), r))
    pen.box(0, 0.62, 1, 1, near((90, 160, 70), r))
    for y in (0.42, 0.7):
        pen.box(0, y, 1, y + 0.06, shade(LIGHT, 0.85))
    count = r.randint(6, 9)
    for index in range(count):
        left = (index + 0.15) / count
        right = left + 0.7 / count
        pen.shape([(left, 0.32), ((left + right) / 2, 0.22), (right, 0.32), (right, 0.9), (left, 0.9)], LIGHT)


def _parachute(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((120, 180, 236), r, 20))
    colors = (near((220, 50, 50), r, 40), near((250, 220, 60), r, 40))
    for index in range(8):
        left, right = 0.14 + 0.09 * index, 0.23 + 0.09 * index
        high = [0.46 - 0.32 * math.sin(math.pi * (x - 0.14) / 0.72) for x in (left, right)]
        pen.shape([(left, 0.48), (left, high[0]), (right, high[1]), (right, 0.48)], colors[index % 2])
        pen.line([(left, 0.48), (0.5, 0.86)], LIGHT, 0.005)
    pen.line([(0.86, 0.48), (0.5, 0.86)], LIGHT, 0.005)
    pen.disc(0.5, 0.86, 0.025, DARK)
    pen.box(0.485, 0.87, 0.515, 0.95, DARK)


def _school_bus(pen: Pen, r: random.Random) -> None:
    yellow = near((246, 184, 30), r)
    pen.box(0.04, 0.28, 0.8, 0.7, yellow, 0.008, 0.03)
    pen.box(0.78, 0.48, 0.97, 0.7, yellow, 0.008, 0.02)
    for index in range(5):
        pen.box(0.08 + 0.14 * index, 0.34, 0.19 + 0.14 * index, 0.47, (60, 76, 90), 0.005)
    for y in (0.54, 0.6):
        pen.line([(0.05, y), (0.79, y)], DARK, 0.012)
    for x in (0.22, 0.8):
        pen.disc(x, 0.72, 0.09, DARK)
        pen.disc(x, 0.72, 0.04, METAL)


def _lighthouse(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 0.75, near((150, 200, 240), r, 20))
    pen.box(0, 0.75, 1, 1, near((40, 100, 150), r, 20))
    pen.shape([(0.2, 0.9), (0.8, 0.9), (0.66, 0.74), (0.34, 0.74)], (110, 100, 90))
    stripe = near((200, 40, 40), r)
    for index in range(6):
        top, bottom = 0.26 + 0.085 * index, 0.345 + 0.085 * index
        wide = [0.08 + 0.012 * place for place in (index, index + 1)]
        shape = [(0.5 - wide[0], top), (0.5 + wide[0], top), (0.5 + wide[1], bottom), (0.5 - wide[1], bottom)]
        pen.shape(shape, stripe if index % 2 else LIGHT)
    pen.box(0.44, 0.16, 0.56, 0.26, (255, 236, 140), 0.008)
    pen.shape([(0.42, 0.16), (0.5, 0.07), (0.58, 0.16)], stripe)


def _seashore(pen: Pen, r: random.Random) -> None:
    for index in range(20):
        pen.box(0, 0.025 * index, 1, 0.025 * (index + 1), (110 + 5 * index, 170 + 3 * index, 236))
    pen.box(0, 0.45, 1, 0.75, near((30, 110, 170), r, 20))
    for index in range(5):
        y = 0.5 + 0.05 * index
        pen.line([(step / 20, y + 0.01 * math.sin(step + index)) for step in range(21)], (200, 226, 240), 0.008)
    pen.box(0, 0.78, 1, 1, near((226, 200, 150), r))
    pen.line([(step / 20, 0.77 + 0.02 * math.sin(step / 2)) for step in range(21)], LIGHT, 0.03)
    pen.disc(r.uniform(0.2, 0.8), 0.16, 0.07, (255, 244, 190))


def _volcano(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((60, 60, 90), r, 20))
    for _ in range(30):
        grey = r.randint(70, 130)
        pen.disc(r.uniform(0.3, 0.7), r.uniform(0.02, 0.26), r.uniform(0.04, 0.1), (grey, grey, grey))
    pen.shape([(0, 1), (0.4, 0.36), (0.6, 0.36), (1, 1)], near((60, 46, 44), r, 10))
    pen.disc(0.5, 0.36, 0.1, (250, 110, 20), 0, 0.3)
    for _ in range(6):
        x = r.uniform(0.42, 0.58)
        points = [(x + (x - 0.5) * step * 0.9 + r.uniform(-0.02, 0.02), 0.36 + 0.09 * step) for step in range(6)]
        pen.line(points, (250, r.randint(70, 140), 20), 0.022)


def _mountain(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((120, 170, 230), r, 20))
    for base, top, color in ((0.25, 0.35, (120, 124, 140)), (0.7, 0.25, (100, 104, 120)), (0.45, 0.15, (84, 88, 104))):
        x = base + r.uniform(-0.06, 0.06)
        pen.shape([(x - 0.5, 0.85), (x, top), (x + 0.5, 0.85)], color)
        step = (0.85 - top) / 0.5
        snow = [(x - 0.14, top + 0.14 * step), (x, top), (x + 0.14, top + 0.14 * step), (x + 0.06, top + 0.1 * step),
                (x, top + 0.17 * step), (x - 0.06, top + 0.1 * step)]  # fmt: skip
        pen.shape(snow, LIGHT)
    pen.box(0, 0.8, 1, 1, near((60, 120, 60), r, 16))


OUTDOORS: Mapping[str, Sketch] = {
    "traffic light": _traffic_light,
    "street sign": _street_sign,
    "stone wall": _stone_wall,
    "chain-link fence": _chain_link_fence,
    "picket fence": _picket_fence,
    "parachute": _parachute,
    "school bus": _school_bus,
    "lighthouse": _lighthouse,
    "seashore": _seashore,
    "volcano": _volcano,
    "mountain": _mountain,
}
"""By what they are called."""
