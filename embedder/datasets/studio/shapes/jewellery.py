"""Watches and jewellery."""

from __future__ import annotations

import math
import random

import numpy as np

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    Outline,
    blob,
    box,
    crescent,
    curve,
    drop,
    ellipse,
    heart,
    moved,
    petals,
    polygon,
    regular,
    ring,
    star,
    stroke,
    turned,
)


def draw_watch(form: Form, kind: str, r: random.Random) -> None:
    """Watches: a strap, a case, a dial."""
    size, strap = r.uniform(0.34, 0.5), r.uniform(0.18, 0.3)
    if kind == "pocket watch":
        links = r.randint(4, 7)
        for index in range(links):
            form.metal(ring(-0.1 + 0.13 * index, -0.75 - 0.03 * (index % 2), 0.08, 0.05, 0.04))
        form.main(box(-0.09, -0.7, 0.09, -0.4, 0.04), ellipse(0, 0.2, size * 1.45, size * 1.45))
        y, size = 0.2, size * 1.3
    else:
        taper = r.uniform(0.6, 1.0)
        form.second(polygon((-strap, 0), (-strap * taper, -0.98), (strap * taper, -0.98), (strap, 0)))
        form.second(polygon((-strap, 0), (-strap * taper, 0.98), (strap * taper, 0.98), (strap, 0)))
        for index in range(r.randint(2, 4)):
            form.dark(ellipse(0, 0.6 + 0.12 * index, 0.03, 0.03))
        y = 0.0
        form.metal(box(size * 0.9, -0.07, size + 0.14, 0.07, 0.02))
    if kind == "digital watch":
        form.main(box(-size, -size * 0.9, size, size * 0.9, r.uniform(0.04, 0.2)))
        form.light(box(-size * 0.75, -size * 0.5, size * 0.75, size * 0.4, 0.03))
        for index in range(r.randint(3, 4)):
            x = -size * 0.6 + size * 0.35 * index
            form.dark(stroke([(x, -size * 0.3), (x, size * 0.2)], 0.06))
        for x in (-size * 0.5, size * 0.5):
            form.accent(ellipse(x, size * 0.65, 0.06, 0.05))
        return
    corners = {"diver's watch": 12, "dress watch": 0}.get(kind, 0)
    if kind == "square watch":
        form.main(box(-size, -size, size, size, 0.08))
        form.light(box(-size * 0.75, -size * 0.75, size * 0.75, size * 0.75, 0.04))
    else:
        form.main(star(0, y, size * 1.15, corners, 0.92) if corners else ellipse(0, y, size, size))
        if kind == "diver's watch":
            form.accent(ellipse(0, y, size * 0.95, size * 0.95))
        form.light(ellipse(0, y, size * 0.76, size * 0.76))
    marks = r.choice((4, 8, 12))
    for index in range(marks):
        angle = 2 * math.pi * index / marks
        form.dark(ellipse(size * 0.6 * math.sin(angle), y - size * 0.6 * math.cos(angle), 0.025, 0.025))
    for length, width in ((0.35, 0.05), (0.55, 0.035)):
        angle = r.uniform(0, 2 * math.pi)
        form.dark(stroke([(0, y), (size * length * math.sin(angle), y - size * length * math.cos(angle))], width))
    if r.random() < 0.4:
        form.accent(ellipse(0, y + size * 0.35, size * 0.2, size * 0.2))
        form.has("with a second dial")


def _charm(kind: str, r: random.Random, y: float, size: float) -> Outline:
    return {
        "heart": lambda: heart(0, y, size),
        "star": lambda: star(0, y, size, r.choice((5, 6, 7, 8)), r.uniform(0.35, 0.6)),
        "drop": lambda: drop(0, y, size, r.uniform(0.8, 2.0)),
        "moon": lambda: crescent(0, y, size, r.uniform(0.1, 0.4)),
        "flower": lambda: petals(0, y, size, r.choice((4, 5, 6, 8)), r.uniform(0.25, 0.5)),
        "shield": lambda: blob(
            (-size, y - size * 0.8),
            (0, y - size),
            (size, y - size * 0.8),
            (size * 0.8, y + 0.2),
            (0, y + size),
            (-size * 0.8, y + 0.2),
        ),
        "gem": lambda: polygon(
            (-size * 0.6, y - size * 0.7),
            (size * 0.6, y - size * 0.7),
            (size, y - 0.1),
            (0, y + size),
            (-size, y - 0.1),
        ),
        "leaf": lambda: blob(
            (0, y - size), (size * r.uniform(0.4, 0.7), y), (0, y + size), (-size * r.uniform(0.4, 0.7), y)
        ),
    }[kind]()


def draw_pendant(form: Form, kind: str, r: random.Random) -> None:
    """A charm on a chain."""
    wide, low = r.uniform(0.5, 0.8), r.uniform(-0.2, 0.1)
    chain = curve([(-wide, -0.95), (-wide * 0.75, -0.5), (0, low), (wide * 0.75, -0.5), (wide, -0.95)], steps=8)
    if r.random() < 0.4:
        for x, y in chain[::2]:
            form.metal(ellipse(x, y, 0.055, 0.055))
        form.has("on a bead chain")
    else:
        form.metal(stroke(chain, r.uniform(0.04, 0.07)))
    form.metal(ring(0, low + 0.06, 0.07, 0.08, 0.04))
    size = r.uniform(0.3, 0.4)
    charm = kind.removesuffix(" pendant")
    y = low + size + 0.12
    form.main(_charm(charm, r, y, size))
    if r.random() < 0.7:
        center = np.array((0, y))
        form.second((_charm(charm, r, y, size) - center) * r.uniform(0.5, 0.7) + center)
    form.accent(
        r.choice((ellipse(0, y, 0.1, 0.1), regular(0, y, 0.12, 4), star(0, y, 0.13, 5), ellipse(0, y, 0.07, 0.14)))
    )


def draw_ring(form: Form, kind: str, r: random.Random) -> None:
    """Rings and earrings."""
    size, thick = r.uniform(0.45, 0.58), r.uniform(0.09, 0.2)
    if kind == "signet ring":
        form.main(
            ring(0, 0.3, size, size, thick),
            r.choice((ellipse(0, -0.35, 0.38, 0.3), box(-0.35, -0.65, 0.35, -0.1, 0.06), regular(0, -0.35, 0.38, 6))),
        )
        form.second(
            r.choice(
                (star(0, -0.37, 0.2, 5), heart(0, -0.37, 0.18), crescent(0, -0.37, 0.18, 0.3), petals(0, -0.37, 0.2, 5))
            )
        )
    elif kind == "gem ring":
        gem, y = r.uniform(0.2, 0.34), 0.3 - size - 0.15
        form.metal(ring(0, 0.3, size, size, thick))
        form.metal(polygon((-gem * 0.8, y), (gem * 0.8, y), (0.1, y + 0.3), (-0.1, y + 0.3)))
        form.main(
            r.choice(
                (
                    polygon((-gem, y - 0.1), (-gem * 0.6, y - gem), (gem * 0.6, y - gem), (gem, y - 0.1), (0, y + gem)),
                    ellipse(0, y - 0.05, gem, gem),
                    regular(0, y, gem, 8),
                    heart(0, y, gem),
                )
            )
        )
        for x in (-gem - 0.12, gem + 0.12)[: 2 * r.randint(0, 1)]:
            form.accent(ellipse(x, y + 0.1, 0.09, 0.09))
    else:
        pair = r.uniform(0.35, 0.5)
        for x in (-pair, pair):
            form.metal(stroke(curve([(x - 0.08, -0.7), (x, -0.95), (x + 0.06, -0.6)]), 0.045))
        if kind == "hoop earrings":
            hoop = r.uniform(0.28, 0.4)
            for x in (-pair, pair):
                form.main(ring(x, -0.1, hoop, hoop * r.uniform(1.0, 1.3), thick * 0.7))
                form.accent(ellipse(x, -0.1 + hoop, 0.1, 0.1))
        else:
            shape = r.choice(("heart", "star", "drop", "moon", "flower", "gem", "leaf"))
            charm = _charm(shape, r, 0.05, r.uniform(0.25, 0.34))
            below = r.random() < 0.5
            for x in (-pair, pair):
                form.metal(stroke([(x, -0.6), (x, -0.2)], 0.04))
                form.main(moved(charm, x, 0))
                form.accent(ellipse(x, 0.05, 0.07, 0.07))
                if below:
                    form.second(drop(x, 0.6, 0.2))
            form.has(f"shaped like a {shape}")


def draw_brooch(form: Form, kind: str, r: random.Random) -> None:
    """Layered ornaments whose every layer has a symmetry of its own."""
    count = {
        "rosette brooch": r.choice((7, 8, 9, 10, 12)),
        "trefoil brooch": 3,
        "cross brooch": 4,
        "snowflake brooch": 6,
        "cinquefoil brooch": 5,
    }[kind]
    radius = 0.92
    layers = (form.main, form.second, form.accent, form.main, form.second)
    for layer in layers[: r.randint(3, 5)]:
        style = r.randrange(4)
        if style == 0:
            layer(petals(0, 0, radius, count, r.uniform(0.15, 0.5), 90))
        elif style == 1:
            layer(star(0, 0, radius, count, r.uniform(0.35, 0.75)))
        elif style == 2:
            layer(regular(0, 0, radius, max(3, count), r.choice((-90, 90))))
        else:
            for index in range(count):
                spot = turned(
                    ellipse(0, -radius * 0.68, radius * r.uniform(0.2, 0.22), radius * 0.32), 360 * index / count
                )
                layer(spot)
            layer(ellipse(0, 0, radius * 0.5, radius * 0.5))
        radius *= r.uniform(0.55, 0.78)
    form.metal(ellipse(0, 0, 0.1, 0.1))
