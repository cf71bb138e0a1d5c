"""Plants, umbrellas and tents."""

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
