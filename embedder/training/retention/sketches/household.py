"""Sketches of things that lie or stand in a house."""

from __future__ import annotations

import random
from collections.abc import Mapping

from embedder.training.retention.sketches.pen import DARK, LIGHT, METAL, Pen, Sketch, around, near, shade


def _crossword_puzzle(pen: Pen, r: random.Random) -> None:
    cells = r.randint(9, 13)
    for row in range(cells):
        for column in range(cells):
            x, y = 0.06 + 0.88 * column / cells, 0.06 + 0.88 * row / cells
            black = r.random() < 0.25
            pen.box(x, y, x + 0.88 / cells, y + 0.88 / cells, DARK if black else LIGHT, 0.004)
            if not black and r.random() < 0.4:
                pen.line([(x + 0.015, y + 0.01), (x + 0.015, y + 0.025)], DARK, 0.004)


def _wall_clock(pen: Pen, r: random.Random) -> None:
    pen.disc(0.5, 0.5, r.uniform(0.4, 0.46), near((120, 60, 40), r, 40), 0.01)
    pen.disc(0.5, 0.5, 0.36, LIGHT, 0.008)
    for inner, outer in zip(around(0.5, 0.5, 0.29, 12), around(0.5, 0.5, 0.34, 12), strict=True):
        pen.line([inner, outer], DARK, 0.016)
    for length, width in ((0.19, 0.026), (0.28, 0.016)):
        pen.line([(0.5, 0.5), around(0.5, 0.5, length, 1, r.uniform(0, 360))[0]], DARK, width)
    pen.disc(0.5, 0.5, 0.025, DARK)


def _digital_clock(pen: Pen, r: random.Random) -> None:
    pen.box(0.05, 0.28, 0.95, 0.74, near((30, 30, 34), r), 0.012, 0.05)
    lit = r.choice(((255, 50, 40), (60, 240, 110), (80, 200, 255)))
    for place in range(4):
        left = 0.13 + 0.19 * place + (0.04 if place > 1 else 0)
        _digit(pen, r.randrange(10), left, 0.36, lit)
    for y in (0.45, 0.57):
        pen.disc(0.51, y, 0.014, lit)


def _digit(pen: Pen, value: int, left: float, top: float, color: tuple[int, int, int]) -> None:
    right, middle, bottom = left + 0.12, top + 0.15, top + 0.3
    segments = (
        ((left, top), (right, top)), ((left, top), (left, middle)), ((right, top), (right, middle)),
        ((left, middle), (right, middle)), ((left, middle), (left, bottom)), ((right, middle), (right, bottom)),
        ((left, bottom), (right, bottom)),
    )  # fmt: skip
    lit = (0x77, 0x24, 0x5D, 0x6D, 0x2E, 0x6B, 0x7B, 0x25, 0x7F, 0x6F)[value]
    for index, points in enumerate(segments):
        if lit >> index & 1:
            pen.line(points, color, 0.024)


def _computer_keyboard(pen: Pen, r: random.Random) -> None:
    body = near(r.choice((DARK, (214, 212, 204))), r)
    pen.box(0.02, 0.26, 0.98, 0.74, body, 0.008, 0.03)
    key = shade(body, 1.25) if body[0] > 100 else shade(body, 2.0)
    for row in range(4):
        for column in range(13):
            x, y = 0.05 + 0.069 * column, 0.3 + 0.084 * row
            pen.box(x, y, x + 0.058, y + 0.07, key, 0.004, 0.008)
    pen.box(0.26, 0.64, 0.74, 0.71, key, 0.004, 0.008)


def _ruler(pen: Pen, r: random.Random) -> None:
    wood = near((226, 190, 120), r, 20)
    pen.box(0.02, 0.38, 0.98, 0.62, wood, 0.006)
    for index in range(46):
        pen.line([(0.05 + index * 0.02, 0.38), (0.05 + index * 0.02, 0.5 if index % 5 == 0 else 0.44)], DARK, 0.004)


def _abacus(pen: Pen, r: random.Random) -> None:
    frame = near((130, 76, 40), r, 20)
    for index in range(7):
        y = 0.2 + 0.1 * index
        pen.line([(0.08, y), (0.92, y)], METAL, 0.01)
        color, left = near((200, 50, 40), r, 60), r.randint(2, 8)
        for bead in range(10):
            pen.disc(0.15 + 0.055 * bead + (0.2 if bead >= left else 0), y, 0.03, color, 0.004, 1.3)
    for points in (((0.08, 0.12), (0.08, 0.88)), ((0.92, 0.12), (0.92, 0.88))):
        pen.line(points, frame, 0.05)
    for y in (0.12, 0.88):
        pen.line([(0.055, y), (0.945, y)], frame, 0.05)


def _remote_control(pen: Pen, r: random.Random) -> None:
    pen.box(0.33, 0.04, 0.67, 0.96, near((44, 44, 50), r), 0.008, 0.06)
    pen.disc(0.42, 0.12, 0.035, (210, 40, 40))
    for row in range(6):
        for column in range(3):
            color = near((150, 150, 156), r, 30)
            pen.disc(0.41 + 0.09 * column, 0.24 + 0.085 * row, 0.028, color, 0, 0.8)
    pen.disc(0.5, 0.82, 0.09, (96, 96, 104))
    pen.disc(0.5, 0.82, 0.035, (150, 150, 156))


def _television(pen: Pen, r: random.Random) -> None:
    pen.box(0.04, 0.14, 0.96, 0.76, DARK, 0.01, 0.03)
    pen.box(0.08, 0.18, 0.92, 0.71, near((60, 110, 190), r, 50))
    pen.shape([(0.08, 0.71), (0.3, r.uniform(0.3, 0.5)), (0.5, 0.71)], near((60, 130, 80), r, 30))
    pen.box(0.44, 0.76, 0.56, 0.84, DARK)
    pen.box(0.3, 0.84, 0.7, 0.88, DARK)


def _laptop(pen: Pen, r: random.Random) -> None:
    body = near((190, 192, 198), r, 25)
    pen.box(0.16, 0.16, 0.84, 0.6, shade(body, 0.5), 0.008, 0.02)
    pen.box(0.19, 0.19, 0.81, 0.57, near((50, 110, 190), r, 50))
    pen.shape([(0.16, 0.61), (0.84, 0.61), (0.98, 0.84), (0.02, 0.84)], body)
    for row in range(4):
        y, wide = 0.635 + 0.038 * row, 0.31 + 0.033 * row
        for column in range(11):
            x = 0.5 - wide + 2 * wide * column / 11
            pen.box(x, y, x + 1.7 * wide / 11, y + 0.027, DARK)
    pen.box(0.4, 0.79, 0.6, 0.83, shade(body, 0.8))


def _loudspeaker(pen: Pen, r: random.Random) -> None:
    pen.box(0.22, 0.04, 0.78, 0.96, near(r.choice((DARK, (110, 66, 40))), r), 0.01, 0.02)
    for y, radius in ((0.26, 0.12), (0.66, 0.22)):
        pen.disc(0.5, y, radius, (70, 70, 74), 0.02)
        pen.disc(0.5, y, radius * 0.75, (44, 44, 48))
        pen.disc(0.5, y, radius * 0.35, near((110, 110, 116), r))


def _piano_keys(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 0.3, near(r.choice((DARK, (80, 40, 24))), r, 8))
    count = r.randint(10, 14)
    for index in range(count):
        pen.box(index / count, 0.3, (index + 1) / count, 0.96, LIGHT, 0.005)
    for index in range(1, count):
        if index % 7 not in (0, 3):
            pen.box((index - 0.3) / count, 0.3, (index + 0.3) / count, 0.7, DARK)


def _jigsaw_puzzle(pen: Pen, r: random.Random) -> None:
    cells = r.randint(4, 6)
    step = 1 / cells
    colors = [[near((120, 150, 170), r, 60) for _ in range(cells)] for _ in range(cells)]
    for row in range(cells):
        for column in range(cells):
            pen.box(column * step, row * step, (column + 1) * step, (row + 1) * step, colors[row][column], 0.006)
    for row in range(cells):
        for column in range(cells):
            x, y = column * step, row * step
            pen.disc(x + step * r.choice((0.9, 1.1)), y + step / 2, step * 0.16, colors[row][column], 0.006)
            pen.disc(x + step / 2, y + step * r.choice((0.9, 1.1)), step * 0.16, colors[row][column], 0.006)


def _dumbbell(pen: Pen, r: random.Random) -> None:
    color = near(r.choice((DARK, (40, 60, 130), (150, 30, 50))), r)
    pen.box(0.3, 0.45, 0.7, 0.55, METAL, 0.006)
    for left, right in ((0.04, 0.14), (0.14, 0.3), (0.7, 0.86), (0.86, 0.96)):
        high = 0.16 if left in (0.04, 0.86) else 0.25
        pen.box(left, 0.5 - high, right, 0.5 + high, color, 0.008, 0.03)


def _candle(pen: Pen, r: random.Random) -> None:
    pen.box(0, 0, 1, 1, near((40, 26, 24), r, 10))
    for index in range(8, 0, -1):
        pen.disc(0.5, 0.26, 0.05 * index, shade((150, 90, 40), 0.25 + 0.1 * (9 - index)))
    pen.box(0.41, 0.42, 0.59, 0.95, near((236, 224, 196), r), 0, 0.02)
    pen.line([(0.5, 0.42), (0.5, 0.35)], DARK, 0.01)
    pen.disc(0.5, 0.28, 0.045, (255, 190, 60), 0, 2.0)
    pen.disc(0.5, 0.31, 0.022, (255, 244, 200), 0, 2.0)


def _screw(pen: Pen, r: random.Random) -> None:
    metal = near(METAL, r, 20)
    pen.box(0.3, 0.06, 0.7, 0.18, metal, 0.008, 0.03)
    pen.box(0.44, 0.18, 0.56, 0.86, metal)
    for index in range(14):
        y = 0.26 + 0.044 * index
        pen.line([(0.4, y + 0.02), (0.6, y)], shade(metal, 0.5), 0.016)
    pen.shape([(0.44, 0.86), (0.56, 0.86), (0.5, 0.97)], metal)


def _billiard_table(pen: Pen, r: random.Random) -> None:
    pen.box(0.02, 0.2, 0.98, 0.8, near((110, 62, 32), r), 0, 0.03)
    pen.box(0.08, 0.26, 0.92, 0.74, near((20, 130, 70), r))
    for x in (0.08, 0.5, 0.92):
        for y in (0.26, 0.74):
            pen.disc(x, y, 0.035, DARK)
    for _ in range(r.randint(6, 10)):
        pen.disc(r.uniform(0.15, 0.85), r.uniform(0.32, 0.68), 0.024, near((180, 120, 80), r, 75))
    pen.line([(0.2, 0.36), (0.7, r.uniform(0.5, 0.7))], (220, 180, 120), 0.012)


def _web_site(pen: Pen, r: random.Random) -> None:
    pen.box(0.02, 0.04, 0.98, 0.96, (255, 255, 255), 0.006)
    pen.box(0.02, 0.04, 0.98, 0.16, near((50, 100, 180), r, 40))
    pen.box(0.02, 0.16, 0.98, 0.21, shade(METAL, 1.2))
    pen.box(0.05, 0.25, 0.25, 0.9, (226, 232, 240))
    for index in range(r.randint(6, 9)):
        pen.box(0.07, 0.28 + 0.06 * index, r.uniform(0.15, 0.23), 0.295 + 0.06 * index, (40, 80, 190))
    for index in range(13):
        pen.box(0.29, 0.27 + 0.035 * index, r.uniform(0.6, 0.94), 0.283 + 0.035 * index, (90, 90, 96))
    for index in range(3):
        pen.box(0.29 + 0.22 * index, 0.75, 0.49 + 0.22 * index, 0.9, near((150, 150, 130), r, 70))


def _comic_book(pen: Pen, r: random.Random) -> None:
    pen.box(0.04, 0.03, 0.96, 0.97, LIGHT, 0.006)
    y = 0.06
    for high in (0.27, 0.3, 0.27):
        x, cut = 0.07, r.uniform(0.3, 0.65)
        for right in (0.07 + 0.86 * cut, 0.93):
            pen.box(x, y, right - 0.015, y + high, near((170, 130, 110), r, 85), 0.008)
            middle = (x + right) / 2
            pen.box(middle - 0.06, y + 0.12, middle + 0.06, y + high, near((120, 90, 120), r, 85), 0.006)
            pen.disc(middle, y + 0.11, 0.045, (240, 200, 170), 0.006)
            pen.disc(middle + 0.07, y + 0.05, 0.07, (255, 255, 255), 0.006, 0.5)
            x = right + 0.005
        y += high + 0.03


HOUSEHOLD: Mapping[str, Sketch] = {
    "crossword puzzle": _crossword_puzzle,
    "wall clock": _wall_clock,
    "digital clock": _digital_clock,
    "computer keyboard": _computer_keyboard,
    "ruler": _ruler,
    "abacus": _abacus,
    "remote control": _remote_control,
    "television": _television,
    "laptop": _laptop,
    "loudspeaker": _loudspeaker,
    "piano keys": _piano_keys,
    "jigsaw puzzle": _jigsaw_puzzle,
    "dumbbell": _dumbbell,
    "candle": _candle,
    "screw": _screw,
    "billiard table": _billiard_table,
    "web site": _web_site,
    "comic book": _comic_book,
}
"""By what they are called."""
