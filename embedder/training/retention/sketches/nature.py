"""Sketches of animals, plants and food."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from embedder.training.retention.sketches.pen import DARK, LIGHT, Pen, Sketch, around, near, shade


def _honeycomb(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((150, 90, 20), r))
    radius = r.uniform(0.06, 0.09)
    for row in range(int(1 / (1.5 * radius)) + 2):
        for column in range(int(1 / (1.73 * radius)) + 2):
            x, y = (column + 0.5 * (row % 2)) * 1.73 * radius, row * 1.5 * radius
            pen.shape(around(x, y, radius * 0.86, 6), near((236, 170, 40), r, 22))
            pen.shape(around(x, y, radius * 0.6, 6), near((190, 120, 20), r, 22))


def _spider_web(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((40, 60, 50), r, 20))
    spokes, x, y = r.randint(12, 18), r.uniform(0.42, 0.58), r.uniform(0.42, 0.58)
    for point in around(x, y, 0.8, spokes):
        pen.line([(x, y), point], LIGHT, 0.005)
    for ring in range(1, 11):
        points = around(x, y, 0.045 * ring, spokes)
        pen.line([*points, points[0]], LIGHT, 0.004)


def _zebra(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, LIGHT)
    step, bend = r.uniform(0.09, 0.13), r.uniform(0.05, 0.12)
    for index in range(-3, int(1 / step) + 3):
        y = [index * step + bend * math.sin(4 * place / 20 + index * 0.35) for place in range(21)]
        pen.line([(place / 20, y[place]) for place in range(21)], DARK, step * 0.5)


def _ladybird(pen: Pen, r: random.Random) -> None:
    for side in (-1, 1):
        for y in (0.4, 0.55, 0.7):
            pen.line([(0.5, y), (0.5 + side * 0.42, y + r.uniform(-0.06, 0.06))], DARK, 0.02)
    pen.disc(0.5, 0.24, 0.15, DARK)
    pen.disc(0.5, 0.57, 0.34, near((210, 36, 30), r), 0.01, 1.05)
    pen.line([(0.5, 0.22), (0.5, 0.92)], DARK, 0.014)
    for x, y in ((0.33, 0.44), (0.3, 0.64), (0.41, 0.8)):
        radius = r.uniform(0.045, 0.065)
        pen.disc(x, y, radius, DARK)
        pen.disc(1 - x, y, radius, DARK)


def _starfish(pen: Pen, r: random.Random) -> None:
    color, turn = near((226, 120, 60), r, 25), r.uniform(0, 72)
    tips, notches = around(0.5, 0.5, 0.46, 5, turn), around(0.5, 0.5, 0.17, 5, turn + 36)
    pen.shape([point for pair in zip(tips, notches, strict=True) for point in pair], color)
    for x, y in tips:
        for share in range(1, 7):
            pen.disc(0.5 + (x - 0.5) * share / 8, 0.5 + (y - 0.5) * share / 8, 0.012, shade(color, 1.3))


def _jellyfish(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((16, 40, 110), r))
    color = near((220, 150, 200), r, 30)
    for index in range(9):
        x = 0.28 + 0.055 * index
        points = [(x + 0.03 * math.sin(step / 2 + index), 0.42 + 0.045 * step) for step in range(12)]
        pen.line(points, shade(color, 0.8), 0.012)
    pen.disc(0.5, 0.34, 0.3, color, 0, 0.8)
    pen.disc(0.5, 0.3, 0.2, shade(color, 1.2), 0, 0.7)


def _goldfish(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((120, 190, 220), r, 25))
    orange = near((244, 120, 24), r)
    pen.shape([(0.66, 0.5), (0.95, 0.26), (0.88, 0.5), (0.95, 0.76)], shade(orange, 1.1))
    pen.shape([(0.36, 0.36), (0.52, 0.16), (0.62, 0.38)], shade(orange, 1.1))
    pen.disc(0.42, 0.5, 0.3, orange, 0, 0.6)
    for row in range(3):
        for column in range(4):
            x, y = 0.38 + 0.075 * column, 0.42 + 0.08 * row
            pen.arc(x, y, 0.04, 270, 90, shade(orange, 0.75), 0.006)
    pen.disc(0.23, 0.45, 0.035, LIGHT)
    pen.disc(0.23, 0.45, 0.018, DARK)


def _butterfly(pen: Pen, r: random.Random) -> None:
    orange = near((236, 130, 30), r, 20)
    for side in (-1, 1):
        for x, y, radius, flat in ((0.22, 0.34, 0.22, 0.95), (0.17, 0.66, 0.16, 1.1)):
            pen.disc(0.5 + side * x, y, radius, DARK, 0, flat)
            pen.disc(0.5 + side * x, y, radius * 0.82, orange, 0, flat)
            for point in around(0.5 + side * x, y, radius * 0.9, 9):
                pen.line([(0.5, 0.5), point], DARK, 0.01)
                pen.disc(*point, 0.011, LIGHT)
        pen.line([(0.5, 0.3), (0.5 + side * 0.1, 0.08)], DARK, 0.008)
    pen.disc(0.5, 0.52, 0.03, DARK, 0, 7.5)


def _daisy(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((70, 140, 60), r, 20))
    count = r.randint(14, 20)
    for point in around(0.5, 0.5, 0.42, count, r.uniform(0, 20)):
        pen.line([(0.5, 0.5), point], (250, 250, 250), 0.06)
        pen.disc(*point, 0.03, (250, 250, 250))
    pen.disc(0.5, 0.5, 0.14, near((244, 190, 30), r), 0.006)


def _lemon(pen: Pen, r: random.Random) -> None:
    yellow = near((250, 220, 50), r)
    pen.shape([(0.06, 0.5), (0.22, 0.4), (0.22, 0.6)], yellow)
    pen.shape([(0.94, 0.5), (0.78, 0.4), (0.78, 0.6)], yellow)
    pen.disc(0.5, 0.5, 0.37, yellow, 0, 0.75)
    for _ in range(60):
        angle, far = r.uniform(0, 6.28), 0.33 * math.sqrt(r.random())
        pen.disc(0.5 + far * math.cos(angle), 0.5 + 0.7 * far * math.sin(angle), 0.006, shade(yellow, 0.85))
    pen.disc(0.38, 0.38, 0.08, shade(yellow, 1.3), 0, 0.5)


def _orange_fruit(pen: Pen, r: random.Random) -> None:
    color = near((244, 140, 24), r)
    pen.disc(0.5, 0.52, 0.4, (236, 160, 60))
    pen.disc(0.5, 0.52, 0.36, LIGHT)
    for index in range(10):
        left, right = (around(0.5, 0.52, 0.34, 1, 36 * index + turn)[0] for turn in (2, 34))
        pen.shape([(0.5, 0.52), left, right], color)


def _banana(pen: Pen, r: random.Random) -> None:
    yellow, start = near((250, 216, 60), r), r.uniform(15, 35)
    for place in range(3):
        pen.arc(0.5, 0.2 + 0.05 * place, 0.46 + 0.02 * place, start, 150, shade(yellow, 1 - 0.12 * place), 0.13)
    for angle in (start, 150):
        x, y = around(0.5, 0.25, 0.42, 1, angle + 90)[0]
        pen.disc(x, y, 0.035, (90, 70, 30))


def _strawberry(pen: Pen, r: random.Random) -> None:
    red = near((220, 36, 44), r)
    pen.disc(0.34, 0.4, 0.22, red)
    pen.disc(0.66, 0.4, 0.22, red)
    pen.shape([(0.13, 0.45), (0.87, 0.45), (0.62, 0.84), (0.5, 0.95), (0.38, 0.84)], red)
    for row in range(6):
        for column in range(7 - row):
            x = 0.5 + (column - (6 - row) / 2) * 0.11
            pen.disc(x, 0.34 + 0.095 * row, 0.011, (250, 224, 120), 0, 1.6)
    tips, notches = around(0.5, 0.2, 0.2, 7), around(0.5, 0.2, 0.08, 7, 26)
    pen.shape([point for pair in zip(tips, notches, strict=True) for point in pair], near((60, 140, 50), r))


def _pretzel(pen: Pen, r: random.Random) -> None:
    brown = near((160, 90, 40), r)
    pen.arc(0.33, 0.4, 0.23, 60, 330, brown, 0.09)
    pen.arc(0.67, 0.4, 0.23, 210, 120, brown, 0.09)
    pen.line([(0.47, 0.3), (0.68, 0.72)], brown, 0.085)
    pen.line([(0.53, 0.3), (0.32, 0.72)], brown, 0.085)
    pen.arc(0.5, 0.42, 0.4, 30, 150, brown, 0.09)
    for _ in range(26):
        pen.disc(r.uniform(0.2, 0.8), r.uniform(0.22, 0.78), 0.01, LIGHT)


def _broccoli(pen: Pen, r: random.Random) -> None:
    stem = near((150, 190, 90), r)
    pen.shape([(0.42, 0.5), (0.58, 0.5), (0.56, 0.95), (0.44, 0.95)], stem)
    for x in (0.3, 0.7):
        pen.line([(0.5, 0.72), (x, 0.45)], stem, 0.07)
    for _ in range(90):
        x, y = around(0.5, 0.36, 0.3 * math.sqrt(r.random()), 1, r.uniform(0, 360))[0]
        pen.disc(0.5 + (x - 0.5) * 1.25, y, r.uniform(0.035, 0.06), near((60, 120, 44), r, 24))


NATURE: Mapping[str, Sketch] = {
    "honeycomb": _honeycomb,
    "spider web": _spider_web,
    "zebra": _zebra,
    "ladybird": _ladybird,
    "starfish": _starfish,
    "jellyfish": _jellyfish,
    "goldfish": _goldfish,
    "butterfly": _butterfly,
    "daisy": _daisy,
    "lemon": _lemon,
    "orange fruit": _orange_fruit,
    "banana": _banana,
    "strawberry": _strawberry,
    "pretzel": _pretzel,
    "broccoli": _broccoli,
}
"""By what they are called."""
