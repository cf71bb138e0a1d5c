"""Kitchen and table ware."""

from __future__ import annotations

import random

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    blob,
    box,
    curve,
    ellipse,
    polygon,
    ring,
    stroke,
    turned_profile,
)


def draw_mug(form: Form, kind: str, r: random.Random) -> None:
    """Cups with a handle."""
    wide = r.uniform(0.42, 0.58)
    top, low = {"espresso cup": (-0.3, 0.4), "beer stein": (-0.85, 0.8)}.get(kind, (-0.6, 0.65))
    foot = wide * {"espresso cup": 0.6, "teacup": 0.45}.get(kind, r.uniform(0.75, 1.15))
    grip = r.uniform(0.22, 0.34)
    center = (top + low) / 2 + r.uniform(-0.1, 0.1)
    if r.random() < 0.5:
        form.second(ring(wide + 0.05, center, grip, (low - top) * 0.28, r.uniform(0.09, 0.16)))
    else:
        form.second(
            stroke(
                [
                    (wide - 0.1, center - 0.25),
                    (wide + grip, center - 0.25),
                    (wide + grip, center + 0.2),
                    (wide - 0.1, center + 0.25),
                ],
                0.12,
            )
        )
        form.has("with a square handle")
    bulge = (wide + foot) / 2 * r.uniform(0.95, 1.2)
    form.main(turned_profile([(top, wide), ((top + low) / 2, bulge), (low, foot)]))
    form.light(ellipse(0, top, wide, r.uniform(0.08, 0.14)))
    form.dark(ellipse(0, top + 0.02, wide * 0.86, 0.07))
    if kind in ("espresso cup", "teacup"):
        form.second(ellipse(0, low + 0.04, wide * r.uniform(1.3, 1.6), 0.11))
    if kind == "beer stein":
        form.metal(blob((-wide, top), (0, top - 0.3), (wide, top)), ellipse(0, top - 0.28, 0.08, 0.08))
    for index in range(r.randint(0, 2)):
        y = top + (low - top) * (0.3 + 0.3 * index)
        form.accent(stroke([(-bulge * 0.97, y), (bulge * 0.97, y)], r.uniform(0.06, 0.16)))
        form.has("with a band")


def draw_bottle(form: Form, kind: str, r: random.Random) -> None:
    """Bottles and flasks by their profile."""
    body, neck = r.uniform(0.28, 0.4), r.uniform(0.09, 0.15)
    shoulder = r.uniform(-0.35, -0.05)
    profiles = {
        "wine bottle": [(-0.95, neck), (shoulder - 0.15, neck), (shoulder + 0.1, body), (0.95, body)],
        "water bottle": [(-0.8, neck * 2), (-0.65, body), (-0.1, body * 0.88), (0.2, body), (0.95, body * 0.9)],
        "perfume bottle": [(-0.3, neck * 1.5), (-0.15, body * 1.6), (0.3, body * 1.8), (0.75, body * 1.4)],
        "flask": [(-0.8, neck), (-0.25, neck), (0.4, body * 1.9), (0.75, body * 1.5)],
        "milk bottle": [(-0.85, neck * 1.8), (-0.4, neck * 1.6), (0.0, body), (0.9, body)],
        "jar": [(-0.55, body * 1.3), (-0.4, body * 1.6), (0.3, body * 1.7), (0.75, body * 1.5)],
    }
    profile = [(y, half * r.uniform(0.9, 1.12)) for y, half in profiles[kind]]
    form.main(turned_profile(profile, smooth=kind != "milk bottle" or r.random() < 0.6))
    top, half = profile[0]
    cork = r.uniform(0.12, 0.28)
    form.second(box(-half * 1.1, top - cork, half * 1.1, top + 0.05, 0.04))
    if kind == "perfume bottle":
        form.accent(ellipse(0, top - cork - 0.1, 0.14, 0.14))
    low, wide = profile[-1][0], min(profile[-1][1], profile[-2][1])
    label = r.uniform(0.3, 0.5)
    if r.random() < 0.8:
        form.light(box(-wide * 0.85, low - 0.15 - label, wide * 0.85, low - 0.15, r.choice((0.0, 0.05, 0.2))))
        form.accent(
            r.choice(
                (ellipse(0, low - 0.15 - label / 2, 0.1, 0.1), box(-wide * 0.6, low - 0.4, wide * 0.6, low - 0.32))
            )
        )
        form.has("with a label")


def draw_pot(form: Form, kind: str, r: random.Random) -> None:
    """What pours: a body, a spout on the left, a handle on the right."""
    wide, top, low = r.uniform(0.5, 0.62), r.uniform(-0.35, -0.2), r.uniform(0.6, 0.75)
    tall = kind == "coffee pot"
    if tall:
        wide, top = wide * 0.75, top - 0.35
    spout = r.uniform(0.85, 1.0)
    if kind == "watering can":
        form.second(stroke([(-wide * 0.8, 0.35), (-spout, -0.5)], 0.16, 0.1), ellipse(-spout, -0.55, 0.2, 0.12))
    else:
        form.main(stroke(curve([(-wide * 0.7, 0.3), (-wide - 0.15, 0.1), (-spout, top - 0.1)]), 0.28, 0.12))
    grip = r.uniform(0.22, 0.34)
    if kind == "kettle":
        form.second(
            stroke(
                curve(
                    [
                        (-wide * 0.8, top + 0.1),
                        (-wide * 0.6, top - 0.55),
                        (wide * 0.6, top - 0.55),
                        (wide * 0.8, top + 0.1),
                    ]
                ),
                0.1,
            )
        )
    else:
        form.second(ring(wide, 0.15, grip, (low - top) * 0.33, 0.11))
    form.main(
        turned_profile(
            [
                (top, wide * 0.55),
                (top + 0.2, wide * r.uniform(0.7, 0.95)),
                (0.35, wide * r.uniform(1.0, 1.15)),
                (low, wide * r.uniform(0.6, 0.95)),
            ]
        )
    )
    if kind != "watering can":
        form.second(ellipse(0, top + 0.03, wide * 0.6, r.uniform(0.14, 0.3), 180, 360))
        form.accent(ellipse(0, top - r.uniform(0.18, 0.28), 0.1, 0.1))
    form.accent(stroke([(-wide, 0.3), (wide, 0.3)], r.uniform(0.05, 0.2)))


def draw_glass(form: Form, kind: str, r: random.Random) -> None:
    """Glasses on a stem."""
    wide, stem = r.uniform(0.38, 0.52), r.uniform(0.2, 0.6)
    bottom = 0.8 - stem
    form.second(stroke([(0, bottom - 0.1), (0, 0.85)], r.uniform(0.06, 0.12)))
    form.second(ellipse(0, 0.86, r.uniform(0.3, 0.42), 0.08))
    profiles = {
        "wine glass": [(-0.9, wide * 0.75), (-0.4, wide), (bottom - 0.15, wide * 0.7), (bottom, 0.05)],
        "cocktail glass": [(-0.7, wide * 1.4), (bottom - 0.1, 0.12), (bottom, 0.05)],
        "champagne flute": [(-0.95, wide * 0.45), (-0.4, wide * 0.5), (bottom, 0.06)],
        "goblet": [(-0.7, wide), (-0.3, wide * 1.1), (bottom, wide * 0.5), (bottom + 0.05, 0.1)],
        "sundae glass": [(-0.8, wide * 1.1), (-0.5, wide * 0.7), (bottom, wide * 0.35), (bottom + 0.05, 0.1)],
    }
    form.main(turned_profile(profiles[kind], smooth=kind != "cocktail glass"))
    form.light(ellipse(0, profiles[kind][0][0], profiles[kind][0][1], 0.08))
    if kind == "goblet":
        for index in range(3):
            form.accent(ellipse(-0.25 + 0.25 * index, -0.3, 0.08, 0.1))
    if kind == "sundae glass":
        for x, y in ((-0.2, -0.95), (0.2, -0.95), (0, -1.1)):
            form.accent(ellipse(x, y, 0.2, 0.2))
    if r.random() < 0.4:
        form.accent(ellipse(0, bottom + stem / 2, 0.1, 0.07))
        form.has("with a knot in its stem")


def draw_pan(form: Form, kind: str, r: random.Random) -> None:
    """Pans and casseroles from their side."""
    wide, deep = (
        r.uniform(0.5, 0.65),
        {"frying pan": 0.18, "wok": 0.4, "saucepan": 0.5, "casserole": 0.6, "stockpot": 0.95}[kind],
    )
    deep *= r.uniform(0.85, 1.15)
    top = 0.5 - deep
    if kind in ("casserole", "stockpot"):
        for side in (-1, 1):
            form.second(ring(side * wide, top + 0.15, r.uniform(0.13, 0.2), 0.09, 0.07))
        form.second(ellipse(0, top, wide * 1.02, r.uniform(0.12, 0.3), 180, 360))
        form.accent(ellipse(0, top - 0.3, 0.11, 0.08))
        shift = 0.0
    else:
        shift = -0.35
        form.second(stroke([(shift + wide * 0.9, top + 0.08), (1.0, top - r.uniform(-0.02, 0.25))], 0.11, 0.15))
        if r.random() < 0.5:
            form.dark(ellipse(0.92, top, 0.04, 0.03))
    if kind == "wok":
        form.main(ellipse(shift, top, wide, deep, 0, 180))
    else:
        form.main(
            polygon((shift - wide, top), (shift + wide, top), (shift + wide * 0.9, 0.5), (shift - wide * 0.9, 0.5))
        )
    form.accent(stroke([(shift - wide * 1.03, top), (shift + wide * 1.03, top)], r.uniform(0.05, 0.1)))
    if kind == "saucepan" and r.random() < 0.5:
        form.metal(ellipse(shift, top, wide, 0.16, 180, 360))
        form.has("with a lid")


def draw_cutlery(form: Form, kind: str, r: random.Random) -> None:
    """Tools with a handle below and a head above."""
    grip, split = r.uniform(0.1, 0.17), r.uniform(-0.1, 0.2)
    form.main(blob((-grip * 0.6, split), (grip * 0.6, split), (grip, 0.9), (0, 1.0), (-grip, 0.9)))
    form.accent(ellipse(0, 0.85, grip * 0.5, grip * 0.5))
    form.metal(stroke([(0, split + 0.05), (0, split - 0.35)], 0.08))
    head, wide = split - 0.3, r.uniform(0.2, 0.32)
    if kind == "spoon":
        form.metal(ellipse(0, head - 0.3, wide, r.uniform(0.3, 0.42)))
    elif kind == "fork":
        form.metal(blob((-wide, head - 0.25), (wide, head - 0.25), (0.07, head + 0.1), (-0.07, head + 0.1)))
        tines = r.choice((2, 3, 4))
        for index in range(tines):
            x = -wide + 0.05 + (2 * wide - 0.1) * index / (tines - 1)
            form.metal(stroke([(x, head - 0.2), (x, head - 0.65)], 0.08, 0.05))
    elif kind == "kitchen knife":
        form.metal(polygon((-0.06, split), (-0.06, -1.0), (wide * 0.7, -0.7 + r.uniform(-0.1, 0.2)), (wide, split)))
        form.second(box(-grip, split - 0.04, grip * 1.5, split + 0.05))
    elif kind == "whisk":
        for spread in (0.15, 0.6, 1.0):
            form.metal(ring(0, head - 0.25, wide * spread, 0.42, 0.035))
        form.second(ellipse(0, head + 0.15, 0.1, 0.1))
    elif kind == "ladle":
        form.metal(stroke([(0, split), (0, -0.6)], 0.07))
        form.second(ellipse(-wide * 0.6, -0.7, wide * 1.3, wide * 1.2, 0, 180))
    else:
        form.second(box(-wide, -1.0, wide, head, 0.06))
        for index in range(r.randint(2, 4)):
            form.dark(box(-wide * 0.7 + 0.16 * index, -0.9, -wide * 0.7 + 0.16 * index + 0.06, head - 0.12, 0.03))


def draw_cake(form: Form, kind: str, r: random.Random) -> None:
    """Pastry on a shop's counter."""
    wide = r.uniform(0.55, 0.75)
    if kind == "cupcake":
        form.second(polygon((-wide * 0.8, 0.15), (wide * 0.8, 0.15), (wide * 0.55, 0.85), (-wide * 0.55, 0.85)))
        for index in range(r.randint(2, 4)):
            size = wide - 0.17 * index
            form.main(ellipse(0, 0.1 - 0.24 * index, size, 0.24))
        form.accent(ellipse(0, -r.uniform(0.45, 0.75), 0.12, 0.12))
    elif kind == "doughnut":
        form.second(ellipse(0, 0, wide + 0.15, wide + 0.1))
        form.main(
            blob(
                *(
                    ((wide + r.uniform(-0.02, 0.12)) * x, (wide + r.uniform(-0.05, 0.08)) * y)
                    for x, y in ((1, 0), (0.7, 0.7), (0, 1), (-0.7, 0.7), (-1, 0), (-0.7, -0.7), (0, -1), (0.7, -0.7))
                )
            )
        )
        for _ in range(r.randint(6, 14)):
            x, y = r.uniform(-0.55, 0.55), r.uniform(-0.55, 0.55)
            form.accent(stroke([(x, y), (x + r.uniform(-0.1, 0.1), y + 0.08)], 0.05))
        form.light(ellipse(0, 0, wide * r.uniform(0.28, 0.42), wide * 0.32))
    elif kind == "layer cake":
        layers = r.choice((2, 3, 4))
        height = r.uniform(1.0, 1.4) / layers
        for index in range(layers):
            half = wide * (1.1 - 0.2 * index * r.choice((0.0, 1.0)))
            y = 0.75 - height * index
            form.main(box(-half, y - height, half, y, 0.05))
            form.second(box(-half, y - height - 0.02, half, y - height * 0.65, 0.06))
        for index in range(r.randint(1, 4)):
            form.accent(box(-0.4 + 0.27 * index, 0.5 - height * layers, -0.34 + 0.27 * index, 0.75 - height * layers))
            form.has("with candles")
        form.metal(ellipse(0, 0.8, wide * 1.3, 0.1))
    else:
        form.second(polygon((-0.3, -0.1), (0.3, -0.1), (0, 1.0)))
        spots = ((-0.2, -0.2), (0.2, -0.2)) if r.random() < 0.5 else ((0.0, -0.25),)
        size = r.uniform(0.28, 0.4)
        for x, y in spots:
            form.main(ellipse(x, y, size, size))
        form.accent(ellipse(0, -0.25 - size, size * 0.8, size * 0.8))
        if r.random() < 0.5:
            form.dark(ellipse(0.1, -0.35 - 1.7 * size, 0.08, 0.08))
            form.has("with a cherry")
