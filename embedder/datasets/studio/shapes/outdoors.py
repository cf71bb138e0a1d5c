"""Garden, workshop, music and sports."""

from __future__ import annotations

import random

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    blob,
    box,
    curve,
    ellipse,
    mirrored,
    moved,
    petals,
    polygon,
    regular,
    ring,
    star,
    stroke,
    turned,
)


def draw_plant(form: Form, kind: str, r: random.Random) -> None:
    """Plants in pots; the plant has the first colour, so that shops sell them dyed."""
    pot, rim = r.uniform(0.28, 0.42), r.uniform(0.2, 0.4)
    if kind == "potted cactus":
        tall, wide = r.uniform(0.75, 1.05), r.uniform(0.18, 0.3)
        form.main(box(-wide, 0.4 - tall - 0.3, wide, 0.5, wide))
        for side in (-1, 1)[: r.randint(0, 2)]:
            y = r.uniform(-0.3, 0.1)
            form.main(
                stroke(
                    [
                        (side * wide * 0.8, y),
                        (side * (wide + 0.22), y),
                        (side * (wide + 0.22), y - r.uniform(0.25, 0.45)),
                    ],
                    0.2,
                )
            )
        for index in range(r.randint(0, 3)):
            form.accent(petals(-0.12 + 0.12 * index, 0.1 - tall - 0.02, 0.1, 5))
    elif kind == "potted palm":
        form.dark(stroke(curve([(0, 0.5), (r.uniform(-0.15, 0.15), 0.1), (0, -0.4)]), 0.13, 0.09))
        fronds = r.randint(5, 9)
        for index in range(fronds):
            angle = -80 + 160 * index / (fronds - 1)
            leaf = turned(blob((0, 0), (0.09, -0.35), (0.0, -r.uniform(0.5, 0.65)), (-0.09, -0.35)), angle)
            form.main(moved(leaf, 0, -0.38))
    elif kind == "potted tree":
        form.dark(stroke([(0, 0.5), (0, -0.2)], r.uniform(0.07, 0.13)))
        style, size = r.randrange(4), r.uniform(0.42, 0.6)
        if style == 0:
            form.main(ellipse(0, -0.4, size, size))
        elif style == 1:
            form.main(polygon((0, -1.0), (size, 0.2), (-size, 0.2)))
        elif style == 2:
            for y, width in ((0.0, size), (-0.4, size * 0.75), (-0.75, size * 0.5)):
                form.main(ellipse(0, y, width, 0.24))
        else:
            form.main(petals(0, -0.4, size + 0.1, r.choice((6, 7, 9)), 0.25))
        for _ in range(r.randint(0, 6)):
            form.accent(ellipse(r.uniform(-0.25, 0.25), r.uniform(-0.6, -0.1), 0.07, 0.07))
    elif kind == "potted tulip":
        for index in range(r.randint(1, 3)):
            x, y = -0.3 + 0.3 * index + r.uniform(-0.05, 0.05), -r.uniform(0.45, 0.7)
            form.dark(stroke(curve([(0, 0.5), (x * 0.6, 0.0), (x, y)]), 0.05))
            form.main(
                polygon(
                    (x - 0.16, y - 0.3),
                    (x - 0.07, y - 0.15),
                    (x, y - 0.34),
                    (x + 0.07, y - 0.15),
                    (x + 0.16, y - 0.3),
                    (x + 0.12, y + 0.05),
                    (x - 0.12, y + 0.05),
                )
            )
        leaf = blob((0, 0.5), (0.3, -0.05), (0.36, -0.25), (0.12, 0.3))
        form.second(leaf, mirrored(leaf))
    else:
        count = r.randint(1, 3)
        for index in range(count):
            x, y = (-0.35 + 0.7 * index / (count - 1) if count > 1 else 0.0), -r.uniform(0.3, 0.6)
            form.dark(stroke(curve([(0, 0.5), (x * 0.6, 0.1), (x, y)]), 0.05))
            form.main(petals(x, y, r.uniform(0.25, 0.36), r.choice((5, 6, 8, 10)), r.uniform(0.3, 0.6)))
            form.accent(ellipse(x, y, 0.11, 0.11))
        form.second(turned(ellipse(0.2, 0.25, 0.2, 0.08), -30, 0.2, 0.25))
    form.second(polygon((-pot, rim), (pot, rim), (pot * r.uniform(0.6, 0.9), 0.95), (-pot * 0.75, 0.95)))
    form.accent(box(-pot - 0.05, rim - 0.06, pot + 0.05, rim + r.uniform(0.06, 0.16), 0.03))


def draw_umbrella(form: Form, kind: str, r: random.Random) -> None:
    """Umbrellas, parasols, fans, tents."""
    wide = r.uniform(0.8, 0.95)
    if kind == "folding fan":
        ribs, spread, inner = r.randint(5, 9), r.uniform(60, 85), r.uniform(0.4, 0.6)
        form.main(moved(ellipse(0, 0, 1.2, 1.2, -90 - spread, -90 + spread), 0, 0.6))
        form.light(moved(ellipse(0, 0, inner, inner, -90 - spread, -90 + spread), 0, 0.6))
        for index in range(ribs):
            form.second(moved(turned(box(-0.03, -1.2, 0.03, 0.12), -spread + 2 * spread * index / (ribs - 1)), 0, 0.6))
        form.accent(ellipse(0, 0.62, 0.08, 0.08))
    elif kind == "ridge tent":
        peak, lean = r.uniform(-0.75, -0.5), r.uniform(-0.3, 0.3)
        form.second(polygon((-0.95, 0.7), (lean - 0.1, peak), (0.95, 0.7)))
        form.main(polygon((-0.95, 0.7), (lean - 0.5, peak), (lean, peak), (0.5, 0.7)))
        form.dark(polygon((lean + 0.35, 0.7), (lean, peak + 0.2), (0.75, 0.7)))
        form.accent(stroke([(-0.95, 0.7), (0.95, 0.7)], 0.06))
    elif kind == "tipi":
        for x in (-0.25, 0.0, 0.25):
            form.dark(stroke([(-x * 0.5, -0.6), (x, -1.0)], 0.05))
        half = r.uniform(0.65, 0.85)
        form.main(polygon((0, -0.8), (half, 0.85), (-half, 0.85)))
        form.dark(polygon((0, r.uniform(-0.1, 0.2)), (0.25, 0.85), (-0.25, 0.85)))
        for index in range(r.randint(1, 3)):
            y = -0.3 + 0.25 * index
            form.accent(stroke([(-half * (y + 0.8) / 1.65, y), (half * (y + 0.8) / 1.65, y)], 0.08))
    else:
        top, scallops = r.uniform(-0.75, -0.6), r.randint(3, 6)
        if kind == "umbrella":
            hook = curve([(0, 0.7), (0.05, 0.9), (0.2, 0.92), (0.26, 0.75)])
            form.second(stroke([(0, top), (0, 0.72)], 0.06), stroke(hook, 0.08))
        else:
            form.second(stroke([(0, top), (0, 0.98)], 0.08), ellipse(0, 0.95, 0.3, 0.06))
        high = r.uniform(0.6, 0.8) if kind == "umbrella" else r.uniform(0.35, 0.5)
        form.main(ellipse(0, top + high, wide, high, 180, 360))
        for index in range(scallops):
            x = -wide + wide * (2 * index + 1) / scallops
            (form.second if index % 2 else form.main)(ellipse(x, top + high, wide / scallops, r.uniform(0.06, 0.14)))
        form.accent(polygon((-0.05, top + 0.03), (0.05, top + 0.03), (0, top - 0.2)))


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
            form.metal(
                ellipse(-0.14, -0.98 + 0.08 * index, 0.04, 0.03), ellipse(0.14, -0.98 + 0.08 * index, 0.04, 0.03)
            )
    elif kind == "drum":
        wide, high = r.uniform(0.6, 0.78), r.uniform(0.3, 0.5)
        form.main(box(-wide, -high, wide, high))
        count = r.randint(3, 6)
        zigzag = [
            (-wide + 2 * wide * index / (2 * count), -high if index % 2 else high) for index in range(2 * count + 1)
        ]
        form.accent(stroke(zigzag, 0.05))
        form.second(
            box(-wide - 0.05, -high - 0.08, wide + 0.05, -high + 0.08, 0.06),
            box(-wide - 0.05, high - 0.08, wide + 0.05, high + 0.08, 0.06),
        )
        form.light(ellipse(0, -high - 0.06, wide * 0.97, 0.12))
        for x in (-0.2, 0.25)[: r.randint(0, 2)]:
            form.dark(stroke([(x, -high - 0.1), (x + r.uniform(-0.6, 0.6), -0.95)], 0.06))
    elif kind == "trumpet":
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
    elif kind == "xylophone":
        bars = r.randint(4, 7)
        form.dark(stroke([(-0.9, -0.25), (0.9, -0.12)], 0.08), stroke([(-0.9, 0.25), (0.9, 0.12)], 0.08))
        for index in range(bars):
            x = -0.8 + 1.6 * index / (bars - 1)
            half = 0.75 - 0.4 * index / bars
            (form.main, form.second, form.accent)[index % 3](box(x - 0.1, -half, x + 0.1, half, r.choice((0.0, 0.08))))
        form.metal(stroke([(-0.6, 0.95), (r.uniform(0, 0.4), 0.7)], 0.05), ellipse(0.3, 0.72, 0.09, 0.09))
    else:
        count, wide = r.randint(3, 6), r.uniform(0.75, 0.95)
        form.second(box(-wide * 0.95, -0.5, -wide * 0.55, 0.5, 0.05), box(wide * 0.55, -0.5, wide * 0.95, 0.5, 0.05))
        for index in range(count):
            x = -wide * 0.5 + wide * index / (count - 1)
            form.main(
                polygon((x - 0.08, -0.5), (x, -0.58), (x + 0.08, -0.5), (x + 0.08, 0.5), (x, 0.58), (x - 0.08, 0.5))
            )
        for index in range(4):
            form.light(box(wide * 0.72, -0.4 + 0.2 * index, wide * 0.93, -0.24 + 0.2 * index))
            form.accent(ellipse(-wide * 0.75, -0.3 + 0.2 * index, 0.06, 0.06))


def draw_sports(form: Form, kind: str, r: random.Random) -> None:
    """Balls, rackets and boards."""
    if kind == "racket":
        a, b = r.uniform(0.4, 0.5), r.uniform(0.45, 0.58)
        form.second(stroke([(0, 0.2), (0, 0.98)], r.uniform(0.1, 0.16)))
        form.light(ellipse(0, -0.4, a, b))
        for index in range(5):
            x = -a * 0.66 + a * 0.33 * index
            form.metal(
                stroke([(x, -0.4 - b * 0.75), (x, -0.4 + b * 0.75)], 0.02),
                stroke([(-a * 0.75, -0.7 + 0.15 * index), (a * 0.75, -0.7 + 0.15 * index)], 0.02),
            )
        form.main(
            ring(0, -0.4, a, b, r.uniform(0.09, 0.14)), polygon((-0.2, 0.05), (0.2, 0.05), (0.06, 0.35), (-0.06, 0.35))
        )
        form.accent(box(-0.09, 0.6, 0.09, 0.98, 0.03))
    elif kind == "table tennis bat":
        form.second(stroke([(0, 0.3), (0, 0.95)], 0.2, 0.26))
        form.main(ellipse(0, -0.25, r.uniform(0.5, 0.62), r.uniform(0.55, 0.7)))
        form.second(polygon((-0.3, 0.3), (0.3, 0.3), (0.14, 0.5), (-0.14, 0.5)))
        form.accent(r.choice((star(0, -0.25, 0.25, 5), ellipse(0, -0.25, 0.2, 0.2), box(-0.3, -0.32, 0.3, -0.18))))
    elif kind == "beach ball":
        form.main(ellipse(0, 0, 0.85, 0.85))
        panels, tilt = r.choice((3, 4, 5)), r.uniform(0, 90)
        for index in range(panels):
            wedge = curve([(0, -0.1), (0.5, -0.6), (0.15, -0.83), (-0.1, -0.84)], steps=5)
            (form.second if index % 2 else form.accent)(turned(wedge, tilt + 360 * index / panels))
        form.light(turned(ellipse(0, -0.05, 0.13, 0.13), tilt))
    elif kind == "football":
        form.main(ellipse(0, 0, 0.85, 0.85))
        tilt = r.uniform(0, 72)
        form.second(regular(0, 0, r.uniform(0.22, 0.32), 5, tilt))
        for index in range(5):
            angle = tilt + 72 * index + 90
            form.second(turned(polygon((-0.2, -0.8), (0.2, -0.8), (0.12, -0.6), (-0.12, -0.6)), angle + 36))
            form.dark(turned(stroke([(0, -0.3), (0, -0.6)], 0.03), angle))
    elif kind == "skateboard":
        form.main(
            blob(
                (-0.98, -0.15),
                (-0.6, 0.05),
                (0.6, 0.05),
                (0.98, -0.15),
                (0.9, 0.12),
                (0.5, 0.2),
                (-0.5, 0.2),
                (-0.9, 0.12),
            )
        )
        for x in (-0.55, 0.55):
            form.metal(polygon((x - 0.12, 0.2), (x + 0.12, 0.2), (x, 0.32)))
            form.accent(ellipse(x - r.uniform(0, 0.1), 0.4, r.uniform(0.12, 0.18), 0.15))
        form.second(stroke([(-0.6, 0.08), (0.6, 0.08)], r.uniform(0.03, 0.08)))
    elif kind == "surfboard":
        half, tail = r.uniform(0.24, 0.34), r.uniform(0.05, 0.22)
        form.main(
            blob(
                (0, -1.0),
                (half, -0.3),
                (half, 0.4),
                (tail, 0.95),
                (0, 0.98 - tail * r.uniform(-0.2, 1.0)),
                (-tail, 0.95),
                (-half, 0.4),
                (-half, -0.3),
            )
        )
        form.second(stroke([(0, -0.85), (0, 0.85)], r.uniform(0.04, 0.12)))
        for _ in range(r.randint(1, 3)):
            y = r.uniform(-0.6, 0.6)
            form.accent(
                polygon((-half * 0.85, y), (half * 0.85, y - 0.2), (half * 0.85, y - 0.05), (-half * 0.85, y + 0.15))
            )
    else:
        y = r.uniform(-0.8, -0.6)
        form.metal(stroke([(0.55, 0.65), (0.4, y)], 0.07))
        form.second(stroke([(0.15, y), (0.65, y)], 0.09))
        form.main(box(-0.7, 0.5, 0.6, 0.62, 0.05))
        for x in (-0.65, 0.6):
            size = r.uniform(0.16, 0.24)
            form.dark(ellipse(x, 0.72, size, size))
            form.accent(ellipse(x, 0.72, size * 0.55, size * 0.55))
        form.accent(ellipse(0.2, y, 0.07, 0.07))


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


def draw_bicycle(form: Form, kind: str, r: random.Random) -> None:
    """Two wheels and a frame; prams and carts."""
    size = r.uniform(0.34, 0.42)
    low = 0.4
    if kind == "wheelbarrow":
        form.second(stroke([(-0.98, -0.1), (0.55, 0.55)], 0.07), stroke([(-0.3, 0.3), (-0.35, 0.8)], 0.07))
        form.main(polygon((-0.6, -r.uniform(0.25, 0.45)), (0.8, -0.35), (0.4, 0.35), (-0.3, 0.3)))
        form.dark(ellipse(0.62, 0.58, 0.24, 0.24))
        form.accent(ellipse(0.62, 0.58, 0.11, 0.11))
        return
    if kind == "pram":
        form.metal(stroke(curve([(0.4, 0.1), (0.8, -0.3), (0.98, -0.35)]), 0.06))
        form.main(ellipse(0, 0.0, 0.7, 0.5, 0, 180))
        form.second(ellipse(-0.1, 0.0, 0.6, r.uniform(0.6, 0.8), 180, 285))
        form.accent(stroke([(-0.7, 0.0), (0.7, 0.0)], r.uniform(0.05, 0.1)))
        for x in (-0.4, 0.4):
            form.dark(ring(x, 0.68, 0.2, 0.2, 0.06))
            form.accent(ellipse(x, 0.68, 0.06, 0.06))
        return
    back, front = (-0.55, 0.58) if kind == "bicycle" else (-0.45, 0.5)
    wheels = ((back, size), (front, size)) if kind == "bicycle" else ((-0.65, 0.18), (0.3, 0.62))
    if kind == "penny-farthing":
        low = 0.3
    for x, radius in wheels:
        y = low + size - radius if kind == "bicycle" else 0.92 - radius
        form.dark(ring(x, y, radius, radius, r.uniform(0.05, 0.1)))
        for spoke in range(4):
            form.metal(turned(stroke([(x - radius, y), (x + radius, y)], 0.015), 45 * spoke, x, y))
        form.accent(ellipse(x, y, 0.06, 0.06))
    if kind == "bicycle":
        saddle, bar, crank = (-0.25, -r.uniform(0.35, 0.5)), (0.42, -r.uniform(0.4, 0.6)), (-0.05, low)
        thick = r.uniform(0.06, 0.1)
        top = 0.0 if r.random() < 0.5 else 0.3
        for start, end in (
            (saddle, crank),
            (crank, (0.45, -0.25)),
            ((back, low), crank),
            ((back, low), (-0.2, -0.2)),
            ((-0.2, -0.25 + top), (0.45, -0.25)),
            ((front, low), bar),
        ):
            form.main(stroke([start, end], thick))
        form.second(
            ellipse(saddle[0], saddle[1] - 0.03, 0.2, 0.07),
            stroke(curve([(bar[0] - 0.1, bar[1]), (bar[0] + 0.1, bar[1] - 0.04), (bar[0] + 0.2, bar[1] + 0.12)]), 0.07),
        )
        if r.random() < 0.4:
            form.accent(polygon((0.5, -0.35), (0.9, -0.35), (0.82, 0.0), (0.56, 0.0)))
            form.has("with a basket")
    else:
        form.main(stroke(curve([(0.3, 0.25), (0.1, -0.55), (-0.4, 0.1), (-0.65, 0.7)]), 0.08))
        form.second(
            ellipse(-0.05, -0.58, 0.2, 0.07),
            stroke([(0.3, -0.7), (0.5, -0.6)], 0.07),
            stroke([(0.3, 0.3), (0.35, -0.7)], 0.06),
        )
