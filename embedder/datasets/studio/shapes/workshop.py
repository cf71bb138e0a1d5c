"""Tools, hardware and musical instruments."""

from __future__ import annotations

import random

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    blob,
    box,
    curve,
    ellipse,
    mirrored,
    petals,
    polygon,
    regular,
    ring,
    star,
    stroke,
    turned,
)


def draw_tool(form: Form, kind: str, r: random.Random) -> None:
    """Hand tools, the handle below."""
    grip, split = r.uniform(0.09, 0.15), r.uniform(-0.15, 0.15)
    if kind in ("screwdriver", "paint brush", "trowel"):
        form.main(blob((-grip, 0.1), (grip, 0.1), (grip * 1.4, 0.5), (grip, 0.98), (-grip, 0.98), (-grip * 1.4, 0.5)))
        form.metal(stroke([(0, 0.15), (0, -0.5)], 0.1))
        if kind == "screwdriver":
            form.metal(polygon((-0.05, -0.4), (0.05, -0.4), (r.uniform(0.06, 0.12), -0.95), (-0.08, -0.95)))
        elif kind == "trowel":
            form.metal(blob((-0.28, -0.3), (0.28, -0.3), (r.uniform(0.15, 0.28), -0.75), (0, -1.0), (-0.22, -0.75)))
        else:
            half = r.uniform(0.18, 0.34)
            form.metal(box(-half, -0.45, half, -0.1, 0.02))
            form.second(
                polygon(
                    (-half, -0.42),
                    (half, -0.42),
                    (half * 1.1, -0.95),
                    (0, -0.95 + r.uniform(-0.1, 0.15)),
                    (-half * 1.1, -0.95),
                )
            )
        form.accent(box(-grip * 1.2, 0.08, grip * 1.2, r.uniform(0.16, 0.3), 0.03))
        return
    if kind == "saw":
        low = r.uniform(0.2, 0.35)
        teeth = [(x / 10, low + 0.09 * (index % 2)) for index, x in enumerate(range(-9, 5))]
        form.metal(polygon((-0.95, r.uniform(-0.1, 0.1)), (0.45, -0.25), (0.45, low), *reversed(teeth)))
        form.main(blob((0.35, -0.3), (0.8, -0.25), (0.98, 0.2), (0.8, 0.5), (0.4, 0.3)))
        form.light(ellipse(0.66, 0.1, 0.12, r.uniform(0.13, 0.2)))
        form.accent(ellipse(0.42, -0.12, 0.05, 0.05), ellipse(0.42, 0.15, 0.05, 0.05))
        return
    form.main(blob((-grip * 0.7, split - 0.6), (grip * 0.7, split - 0.6), (grip, 0.9), (0, 0.98), (-grip, 0.9)))
    form.accent(box(-grip, r.uniform(0.5, 0.7), grip, 0.82, 0.04))
    if kind == "hammer":
        form.metal(
            box(-0.3, -0.95, 0.5, -0.6, 0.04),
            polygon((-0.3, -0.9), (-0.3, -0.62), (-r.uniform(0.55, 0.8), -0.5 - r.uniform(0, 0.3))),
        )
        form.second(box(0.4, -1.0, 0.56, -0.55, 0.03))
    elif kind == "axe":
        form.metal(
            blob(
                (-0.1, -0.9),
                (0.25, -0.85),
                (0.6, -1.0),
                (r.uniform(0.62, 0.8), -0.5),
                (0.55, -0.2),
                (0.25, -0.55),
                (-0.1, -0.6),
            )
        )
        form.second(box(-0.16, -0.95, 0.12, -0.55, 0.03))
    elif kind == "shovel":
        form.metal(blob((-0.35, -0.3), (0.35, -0.3), (r.uniform(0.25, 0.38), -0.8), (0, -1.05), (-0.32, -0.8)))
        form.second(ring(0, 0.9, 0.2, 0.12, 0.09))
    else:
        form.metal(ellipse(0, -0.65, r.uniform(0.28, 0.36), 0.32))
        form.light(polygon((-0.12, -1.05), (0.12, -1.05), (0.12, -0.62), (0, -0.52), (-0.12, -0.62)))
        form.second(box(-grip, split - 0.2, grip, split, 0.02))


def draw_instrument(form: Form, kind: str, r: random.Random) -> None:
    """Musical instruments."""
    if kind in ("guitar", "violin", "banjo"):
        _draw_stringed(form, kind, r)
    elif kind == "drum":
        _draw_drum(form, r)
    elif kind == "trumpet":
        _draw_trumpet(form, r)
    elif kind == "xylophone":
        _draw_xylophone(form, r)
    else:
        _draw_accordion(form, r)


def _draw_stringed(form: Form, kind: str, r: random.Random) -> None:
    """A guitar, a violin or a banjo."""
    upper, lower = r.uniform(0.28, 0.36), r.uniform(0.42, 0.52)
    form.second(
        box(-0.07, -0.85, 0.07, 0.2),
        polygon((-0.11, -0.82), (0.11, -0.82), (r.uniform(0.08, 0.16), -1.05), (-0.1, -1.05)),
    )
    if kind == "banjo":
        form.main(ellipse(0, 0.4, lower, lower))
        form.light(ellipse(0, 0.4, lower * 0.82, lower * 0.82))
    elif kind == "guitar" and r.random() < 0.4:
        horn = r.uniform(-0.4, -0.2)
        form.main(
            blob(
                (-0.35, horn),
                (-0.12, 0.0),
                (0.12, 0.0),
                (0.4, horn - 0.05),
                (0.32, 0.2),
                (lower, 0.7),
                (0, 0.9),
                (-lower, 0.7),
                (-0.3, 0.2),
            )
        )
        form.has("with horns")
    else:
        form.main(
            blob(
                (0, -0.15),
                (upper, 0.0),
                (upper * 0.65, 0.3),
                (lower, 0.65),
                (0, 0.95),
                (-lower, 0.65),
                (-upper * 0.65, 0.3),
                (-upper, 0.0),
            )
        )
    if kind == "guitar":
        form.dark(ellipse(0, 0.32, 0.16, 0.16))
        form.accent(box(-0.2, 0.65, 0.2, 0.74, 0.02))
    elif kind == "violin":
        hole = stroke(curve([(0.2, 0.2), (0.14, 0.35), (0.2, 0.5)]), 0.05)
        form.dark(hole, mirrored(hole))
        form.accent(polygon((-0.06, 0.4), (0.06, 0.4), (0.1, 0.85), (-0.1, 0.85)))
    for x in (-0.03, 0.03):
        form.metal(stroke([(x, -0.9), (x, 0.66)], 0.015))
    for index in range(r.randint(2, 3)):
        form.metal(ellipse(-0.14, -0.98 + 0.08 * index, 0.04, 0.03), ellipse(0.14, -0.98 + 0.08 * index, 0.04, 0.03))


def _draw_drum(form: Form, r: random.Random) -> None:
    """A drum."""
    wide, high = r.uniform(0.6, 0.78), r.uniform(0.3, 0.5)
    form.main(box(-wide, -high, wide, high))
    count = r.randint(3, 6)
    zigzag = [(-wide + 2 * wide * index / (2 * count), -high if index % 2 else high) for index in range(2 * count + 1)]
    form.accent(stroke(zigzag, 0.05))
    form.second(
        box(-wide - 0.05, -high - 0.08, wide + 0.05, -high + 0.08, 0.06),
        box(-wide - 0.05, high - 0.08, wide + 0.05, high + 0.08, 0.06),
    )
    form.light(ellipse(0, -high - 0.06, wide * 0.97, 0.12))
    for x in (-0.2, 0.25)[: r.randint(0, 2)]:
        form.dark(stroke([(x, -high - 0.1), (x + r.uniform(-0.6, 0.6), -0.95)], 0.06))


def _draw_trumpet(form: Form, r: random.Random) -> None:
    """A trumpet."""
    y = r.uniform(-0.15, 0.05)
    form.main(
        polygon(
            (0.3, y - 0.07),
            (0.75, y - 0.12),
            (0.98, y - r.uniform(0.3, 0.45)),
            (0.98, y + 0.4),
            (0.75, y + 0.12),
            (0.3, y + 0.07),
        )
    )
    form.main(
        stroke([(-0.95, y), (0.5, y)], 0.1), stroke(box(-0.5, y - 0.02, 0.45, y + r.uniform(0.35, 0.5), 0.2), 0.09)
    )
    for index in range(3):
        x = -0.2 + 0.2 * index
        form.second(box(x - 0.07, y - 0.2, x + 0.07, y + 0.42, 0.03))
        form.accent(ellipse(x, y - 0.25, 0.08, 0.05))
    form.metal(ellipse(-0.95, y, 0.05, 0.1))


def _draw_xylophone(form: Form, r: random.Random) -> None:
    """A xylophone."""
    bars = r.randint(4, 7)
    form.dark(stroke([(-0.9, -0.25), (0.9, -0.12)], 0.08), stroke([(-0.9, 0.25), (0.9, 0.12)], 0.08))
    for index in range(bars):
        x = -0.8 + 1.6 * index / (bars - 1)
        half = 0.75 - 0.4 * index / bars
        (form.main, form.second, form.accent)[index % 3](box(x - 0.1, -half, x + 0.1, half, r.choice((0.0, 0.08))))
    form.metal(stroke([(-0.6, 0.95), (r.uniform(0, 0.4), 0.7)], 0.05), ellipse(0.3, 0.72, 0.09, 0.09))


def _draw_accordion(form: Form, r: random.Random) -> None:
    """An accordion."""
    count, wide = r.randint(3, 6), r.uniform(0.75, 0.95)
    form.second(box(-wide * 0.95, -0.5, -wide * 0.55, 0.5, 0.05), box(wide * 0.55, -0.5, wide * 0.95, 0.5, 0.05))
    for index in range(count):
        x = -wide * 0.5 + wide * index / (count - 1)
        form.main(polygon((x - 0.08, -0.5), (x, -0.58), (x + 0.08, -0.5), (x + 0.08, 0.5), (x, 0.58), (x - 0.08, 0.5)))
    for index in range(4):
        form.light(box(wide * 0.72, -0.4 + 0.2 * index, wide * 0.93, -0.24 + 0.2 * index))
        form.accent(ellipse(-wide * 0.75, -0.3 + 0.2 * index, 0.06, 0.06))


def draw_lock(form: Form, kind: str, r: random.Random) -> None:
    """Keys, padlocks, magnets and anchors."""
    if kind == "key":
        size, petal = r.uniform(0.28, 0.38), r.choice((0, 3, 4, 5))
        form.main(stroke([(0, -0.4), (0, 0.95)], r.uniform(0.1, 0.16)))
        for index in range(r.randint(2, 4)):
            y = 0.9 - 0.17 * index
            form.main(box(0, y - 0.1, r.uniform(0.2, 0.4), y))
        form.main(petals(0, -0.6, size + 0.1, petal, 0.35) if petal else ellipse(0, -0.6, size, size))
        form.light(
            r.choice(
                (
                    ellipse(0, -0.6, size * 0.45, size * 0.45),
                    star(0, -0.6, size * 0.5, 5),
                    regular(0, -0.6, size * 0.5, 4),
                )
            )
        )
        form.accent(box(-0.13, -0.2, 0.13, -0.08, 0.03))
    elif kind == "padlock":
        half, low = r.uniform(0.45, 0.62), r.uniform(0.7, 0.85)
        shackle = half * r.uniform(0.55, 0.75)
        form.metal(stroke(curve([(-shackle, 0), (-shackle, -0.55), (0, -0.85), (shackle, -0.55), (shackle, 0)]), 0.14))
        form.main(
            r.choice(
                (
                    box(-half, -0.1, half, low, 0.1),
                    ellipse(0, 0.32, half, 0.48),
                    polygon((-half, -0.1), (half, -0.1), (half * 0.8, low), (0, 0.98), (-half * 0.8, low)),
                )
            )
        )
        form.second(ellipse(0, 0.25, 0.2, 0.2))
        form.dark(ellipse(0, 0.2, 0.08, 0.08), polygon((-0.05, 0.2), (0.05, 0.2), (0.08, 0.42), (-0.08, 0.42)))
    elif kind == "horseshoe magnet":
        line = curve([(-0.5, 0.8), (-r.uniform(0.5, 0.65), 0.0), (0, -0.7), (0.6, 0.0), (0.5, 0.8)], steps=8)
        wide = r.uniform(0.28, 0.4)
        form.main(stroke(line, wide))
        for x in (-0.5, 0.5):
            form.second(box(x - wide / 2, 0.5, x + wide / 2, 0.85))
    elif kind == "anchor":
        form.main(ring(0, -0.75, 0.17, 0.17, 0.1), stroke([(0, -0.55), (0, 0.85)], r.uniform(0.12, 0.18)))
        form.second(stroke([(-0.4, -0.4), (0.4, -0.4)], 0.12))
        reach = r.uniform(0.6, 0.8)
        form.main(stroke(curve([(-reach, 0.35), (-0.4, 0.75), (0, 0.85), (0.4, 0.75), (reach, 0.35)]), 0.15))
        fluke = polygon((reach - 0.2, 0.4), (reach + 0.1, 0.15), (reach + 0.12, 0.55))
        form.accent(fluke, mirrored(fluke))
    else:
        size, teeth = r.uniform(0.62, 0.78), r.randint(7, 14)
        for index in range(teeth):
            form.main(
                turned(
                    polygon((-0.1, -size - 0.18), (0.1, -size - 0.18), (0.15, -size + 0.1), (-0.15, -size + 0.1)),
                    360 * index / teeth,
                )
            )
        form.main(ellipse(0, 0, size, size))
        for index in range(r.randint(3, 6)):
            form.second(turned(ellipse(0, -size * 0.6, 0.13, 0.13), 72 * index))
        form.dark(ellipse(0, 0, r.uniform(0.1, 0.2), 0.15))
