"""Furniture and lamps."""

from __future__ import annotations

import random

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    blob,
    box,
    curve,
    ellipse,
    mirrored,
    polygon,
    ring,
    stroke,
    turned,
    turned_profile,
)


def draw_lamp(form: Form, kind: str, r: random.Random) -> None:
    """A shade, a stem and a foot."""
    wide, narrow = r.uniform(0.45, 0.62), r.uniform(0.15, 0.42)
    if kind == "desk lamp":
        joint, head = (-0.45, r.uniform(-0.3, 0.0)), (0.3, r.uniform(-0.75, -0.55))
        form.metal(stroke([(-0.2, 0.85), joint, head], 0.08))
        form.second(ellipse(*joint, 0.09, 0.09), box(-0.55, 0.8, 0.15, 0.92, 0.05))
        form.main(
            turned(polygon((-0.14, -0.2), (0.14, -0.2), (wide * 0.7, 0.3), (-wide * 0.7, 0.3)), -r.uniform(20, 45))
            + head
        )
        return
    shade_top, shade_low = {"floor lamp": (-1.0, -0.45), "pendant lamp": (-0.2, 0.45)}.get(kind, (-0.85, -0.1))
    if kind == "pendant lamp":
        form.dark(stroke([(0, -1.0), (0, shade_top)], 0.03))
        form.light(ellipse(0, shade_low, 0.17, 0.17))
    elif kind == "lantern":
        form.metal(ring(0, -0.7, 0.25, 0.25, 0.05))
        form.main(box(-wide * 0.8, -0.5, wide * 0.8, 0.75, 0.05))
        form.light(box(-wide * 0.6, -0.35, wide * 0.6, 0.55))
        form.accent(blob((0, r.uniform(-0.2, 0.0)), (0.1, 0.3), (0, 0.45), (-0.1, 0.3)))
        form.second(
            polygon((-wide, -0.45), (-0.15, -0.75), (0.15, -0.75), (wide, -0.45)), box(-wide, 0.65, wide, 0.82, 0.03)
        )
        for x in (-0.2, 0.2)[: r.randint(0, 2)]:
            form.second(stroke([(x, -0.4), (x, 0.6)], 0.04))
        return
    elif kind == "floor lamp":
        form.metal(stroke([(0, shade_low), (0, 0.95)], r.uniform(0.05, 0.09)))
        form.second(ellipse(0, 0.94, r.uniform(0.3, 0.42), 0.07))
    else:
        foot = r.uniform(0.2, 0.4)
        profile = [
            (-0.15, 0.06),
            (0.1, r.uniform(0.06, 0.3)),
            (0.4, r.uniform(0.08, 0.36)),
            (0.7, r.uniform(0.06, 0.2)),
            (0.8, foot),
            (0.9, foot),
        ]
        form.second(turned_profile(profile))
    if r.random() < 0.3 and kind != "mushroom lamp":
        form.main(ellipse(0, shade_low, wide, shade_low - shade_top, 180, 360))
        form.has("with a round shade")
    elif kind == "mushroom lamp":
        form.main(ellipse(0, shade_low + 0.05, wide * 1.3, r.uniform(0.5, 0.75), 180, 360))
    else:
        form.main(polygon((-narrow, shade_top), (narrow, shade_top), (wide, shade_low), (-wide, shade_low)))
    form.accent(stroke([(-wide, shade_low), (wide, shade_low)], r.uniform(0.05, 0.12)))


def draw_chair(form: Form, kind: str, r: random.Random) -> None:
    """Seats, seen from the front or the side."""
    wide, seat, back = r.uniform(0.38, 0.52), r.uniform(0.1, 0.25), r.uniform(-0.95, -0.7)
    splay = r.uniform(0.0, 0.15)
    legs = [stroke([(x * wide, seat), (x * (wide + splay), 0.95)], r.uniform(0.07, 0.12), 0.07) for x in (-0.9, 0.9)]
    if kind == "stool":
        seat = r.uniform(-0.5, -0.1)
        legs = [stroke([(x * wide * 0.7, seat), (x * (wide + splay), 0.95)], 0.09) for x in (-1, 0, 1)]
        form.second(*legs, stroke([(-wide * 0.85, 0.45), (wide * 0.85, 0.45)], 0.06))
        form.main(box(-wide, seat - r.uniform(0.08, 0.25), wide, seat + 0.04, 0.08))
        return
    if kind == "armchair":
        wide += 0.2
        form.dark(box(-wide + 0.1, 0.7, -wide + 0.25, 0.9), box(wide - 0.25, 0.7, wide - 0.1, 0.9))
        form.main(
            blob(
                (-wide * 0.85, 0.5),
                (-wide * 0.8, back + 0.1),
                (0, back - r.uniform(0, 0.15)),
                (wide * 0.8, back + 0.1),
                (wide * 0.85, 0.5),
            )
        )
        form.second(box(-wide * 0.8, seat, wide * 0.8, seat + 0.3, 0.1))
        arm = box(wide * 0.75, seat - r.uniform(0.15, 0.35), wide * 1.1, 0.75, 0.15)
        form.main(box(-wide, seat + 0.28, wide, 0.75, 0.05), arm, mirrored(arm))
        return
    if kind == "office chair":
        form.dark(stroke([(0, seat), (0, 0.75)], 0.1))
        for x in (-0.5, 0, 0.5):
            form.dark(stroke([(0, 0.7), (x, 0.88)], 0.07), ellipse(x, 0.92, 0.07, 0.07))
        form.main(box(-wide * 0.85, back, wide * 0.85, seat - r.uniform(0.1, 0.2), r.uniform(0.1, 0.3)))
        form.second(box(-wide, seat - 0.08, wide, seat + 0.12, 0.1))
        return
    if kind == "rocking chair":
        form.second(stroke(curve([(-0.95, 0.8), (-0.4, 0.97), (0.4, 0.97), (0.95, 0.8)]), 0.09))
    form.second(*legs)
    rails = r.randint(2, 5)
    if r.random() < 0.5:
        posts = [box(-wide, back, -wide + 0.1, seat), box(wide - 0.1, back, wide, seat)]
        form.second(*posts)
        for index in range(rails):
            y = back + 0.04 + (seat - back - 0.2) * index / rails
            form.main(box(-wide, y, wide, y + 0.12, 0.03))
        form.has("with a ladder back")
    else:
        form.main(blob((-wide, seat), (-wide, back + 0.15), (0, back - 0.05), (wide, back + 0.15), (wide, seat)))
        if r.random() < 0.5:
            form.light(ellipse(0, (seat + back) / 2, wide * 0.5, 0.22))
            form.has("with an open back")
    form.main(box(-wide * 1.08, seat - 0.05, wide * 1.08, seat + 0.12, 0.05))


def draw_cabinet(form: Form, kind: str, r: random.Random) -> None:
    """Tables, shelves and chests."""
    wide, top = r.uniform(0.65, 0.95), r.uniform(-0.4, -0.15)
    if kind in ("table", "desk"):
        low = 0.75
        for x in (-wide * 0.85, wide * 0.85):
            form.second(stroke([(x, top), (x * r.uniform(0.9, 1.1), low)], r.uniform(0.08, 0.16), 0.07))
        if kind == "desk":
            form.second(box(wide * 0.1, top, wide * 0.85, low - r.uniform(0.1, 0.4)))
            for index in range(r.randint(1, 3)):
                y = top + 0.14 + 0.24 * index
                form.accent(box(wide * 0.15, y, wide * 0.8, y + 0.18, 0.02))
                form.metal(ellipse(wide * 0.47, y + 0.09, 0.04, 0.04))
        form.main(box(-wide, top - r.uniform(0.06, 0.14), wide, top + 0.05, 0.03))
        return
    tall = {"wardrobe": 0.95, "bookshelf": 0.95, "chest of drawers": 0.6, "bedside table": 0.5}[kind] * r.uniform(
        0.9, 1.0
    )
    half = wide * {"bedside table": 0.6, "chest of drawers": 1.0}.get(kind, 0.75)
    for x in (-half * 0.8, half * 0.8):
        form.second(stroke([(x, tall - 0.1), (x, tall + 0.08)], 0.1, 0.06))
    form.main(box(-half, -tall, half, tall, 0.03))
    rows = {"bedside table": r.randint(1, 2), "wardrobe": 1}.get(kind, r.randint(3, 5))
    step = (2 * tall - 0.1) / rows
    for index in range(rows):
        y = -tall + 0.07 + step * index
        if kind == "bookshelf":
            form.dark(box(-half + 0.07, y, half - 0.07, y + step - 0.07))
            x = -half + 0.1
            while x < half - 0.2:
                book = r.uniform(0.06, 0.14)
                (form.accent, form.second, form.light)[r.randrange(3)](
                    box(x, y + r.uniform(0.02, 0.4) * step, x + book, y + step - 0.08)
                )
                x += book + (r.uniform(0.1, 0.4) if r.random() < 0.15 else 0.01)
        elif kind == "wardrobe":
            for side in (-1, 1):
                left, right = sorted((side * 0.03, side * (half - 0.06)))
                form.second(box(left, y + 0.05, right, y + step * r.uniform(0.85, 0.93), 0.02))
                form.metal(ellipse(side * 0.12, 0.1, 0.04, 0.09))
        else:
            form.second(box(-half + 0.07, y, half - 0.07, y + step - 0.06, 0.02))
            for x in (-half * 0.4, half * 0.4) if half > 0.5 else (0.0,):
                form.metal(ellipse(x, y + step / 2 - 0.03, 0.05, 0.04))
    form.accent(box(-half - 0.05, -tall - 0.06, half + 0.05, -tall + 0.04, 0.02))
