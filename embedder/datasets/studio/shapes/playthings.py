"""Toys to play with indoors, and sports."""

from __future__ import annotations

import random

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    blob,
    box,
    curve,
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


def draw_house(form: Form, kind: str, r: random.Random) -> None:
    """Dolls' houses, bird houses, castles, windmills."""
    wide, eaves, top = r.uniform(0.5, 0.7), r.uniform(-0.25, 0.0), r.uniform(-0.9, -0.65)
    if kind == "toy castle":
        towers = r.choice((2, 3))
        form.main(box(-0.7, -0.1, 0.7, 0.85))
        for index in range(towers):
            x = -0.7 + 1.4 * index / (towers - 1)
            high = -r.uniform(0.3, 0.6)
            form.main(box(x - 0.2, high, x + 0.2, 0.85))
            if r.random() < 0.5:
                form.second(polygon((x - 0.28, high), (x, high - 0.45), (x + 0.28, high)))
            else:
                for step in (-0.16, 0.0, 0.16):
                    form.second(box(x + step - 0.06, high - 0.13, x + step + 0.06, high + 0.03))
            form.dark(box(x - 0.05, high + 0.2, x + 0.05, high + 0.42, 0.05))
        form.dark(box(-0.18, 0.35, 0.18, 0.85, 0.17))
        return
    if kind == "windmill":
        form.main(polygon((-0.45, 0.9), (-0.28, -0.4), (0.28, -0.4), (0.45, 0.9)))
        form.second(ellipse(0, -0.4, 0.32, 0.3, 180, 360), box(-0.12, 0.5, 0.12, 0.9, 0.08))
        tilt = r.uniform(0, 90)
        for quarter in range(r.choice((4, 4, 6))):
            blade = box(-0.02, -0.75, r.uniform(0.16, 0.24), -0.1)
            form.accent(moved(turned(blade, tilt + quarter * 90), 0, -0.35))
        form.metal(ellipse(0, -0.35, 0.09, 0.09))
        return
    if kind == "bird house":
        form.dark(stroke([(0, 0.5), (0, 1.0)], 0.12))
        form.main(polygon((-wide * 0.8, eaves), (0, top), (wide * 0.8, eaves), (wide * 0.7, 0.65), (-wide * 0.7, 0.65)))
        form.second(stroke([(-wide * 1.1, eaves + 0.15), (0, top), (wide * 1.1, eaves + 0.15)], r.uniform(0.1, 0.18)))
        form.dark(r.choice((ellipse(0, 0.05, 0.17, 0.17), heart(0, 0.05, 0.18), box(-0.14, -0.1, 0.14, 0.25, 0.13))))
        form.accent(stroke([(0, 0.42), (0.0, 0.5)], 0.3))
        return
    form.main(box(-wide, eaves, wide, 0.85))
    if kind == "doll's house":
        form.second(
            polygon(
                (-wide - 0.12, eaves + 0.03),
                (-wide * r.uniform(0.0, 0.7), top),
                (wide * r.uniform(0.0, 0.7), top),
                (wide + 0.12, eaves + 0.03),
            )
        )
        form.accent(box(wide * 0.4, top - 0.15, wide * 0.4 + 0.16, top + 0.25))
    else:
        form.second(blob((-wide - 0.25, eaves + 0.1), (0, top - 0.1), (wide + 0.25, eaves + 0.1), (0, eaves + 0.05)))
        for x, y in ((-0.3, -0.2), (0.25, -0.35), (0.05, -0.55)):
            form.light(ellipse(x, y + eaves + 0.15, 0.1, 0.08))
    door = r.choice((-0.5, 0.0, 0.5)) * wide
    form.accent(box(door - 0.13, 0.35, door + 0.13, 0.85, r.choice((0.0, 0.13))))
    for x in (-wide * 0.6, wide * 0.6) if door == 0 else (-door,):
        form.light(box(x - 0.13, 0.2, x + 0.13, 0.5, 0.02))
        form.dark(stroke([(x, 0.2), (x, 0.5)], 0.03), stroke([(x - 0.13, 0.35), (x + 0.13, 0.35)], 0.03))


def draw_spinner(form: Form, kind: str, r: random.Random) -> None:
    """Small toys with a turning symmetry."""
    if kind == "spinning top":
        wide = r.uniform(0.6, 0.8)
        form.metal(stroke([(0, -0.9), (0, -0.3)], 0.09), ellipse(0, -0.9, 0.13, 0.1))
        form.main(blob((-0.2, -0.4), (-wide, 0.0), (-0.1, 0.75), (0.1, 0.75), (wide, 0.0), (0.2, -0.4)))
        form.second(box(-wide * 0.95, -0.08, wide * 0.95, 0.1, 0.08))
        form.accent(polygon((-0.12, 0.7), (0.12, 0.7), (0, 0.95)))
    elif kind == "pinwheel":
        vanes, tilt = r.choice((4, 5, 6, 8)), r.uniform(0, 60)
        form.second(stroke([(0, -0.3), (0, 1.0)], 0.07))
        for index in range(vanes):
            vane = polygon((0, 0), (0.62, -0.12), (0.5, 0.25))
            (form.main if index % 2 else form.accent)(moved(turned(vane, tilt + 360 * index / vanes), 0, -0.3))
        form.metal(ellipse(0, -0.3, 0.09, 0.09))
    elif kind == "rattle":
        size = r.uniform(0.35, 0.48)
        form.second(stroke([(0, 0), (0, 0.75)], 0.13), ring(0, 0.82, 0.14, 0.14, 0.08))
        form.main(petals(0, -0.4, size + 0.1, r.choice((1, 5, 6, 8)), r.uniform(0, 0.25)))
        form.accent(ellipse(0, -0.4, size * 0.5, size * 0.5))
        form.light(star(0, -0.4, size * 0.4, r.choice((4, 5, 6))))
    elif kind == "yo-yo":
        form.dark(stroke(curve([(0, -0.3), (0.1, -0.7), (-0.1, -1.0)]), 0.04))
        form.main(ellipse(0, 0.2, 0.7, 0.7))
        form.second(ellipse(0, 0.2, r.uniform(0.42, 0.55), 0.48))
        form.accent(
            r.choice(
                (
                    star(0, 0.2, 0.35, r.choice((5, 6, 7))),
                    regular(0, 0.2, 0.33, r.choice((3, 4, 5, 6))),
                    petals(0, 0.2, 0.35, 5),
                )
            )
        )
    else:
        form.dark(stroke(curve([(0.7, 0.7), (0.9, 0.85), (1.0, 0.95)]), 0.04))
        count = r.randint(3, 5)
        for index in range(count):
            y = 0.7 - 0.3 * index
            half = r.uniform(0.25, 0.6)
            outline = box(-half, y - 0.15, half, y + 0.13, r.choice((0.02, 0.14)))
            (form.main, form.second, form.accent)[index % 3](outline)
        form.accent(ellipse(0, 0.7 - 0.3 * count, 0.2, 0.2))


def draw_sports(form: Form, kind: str, r: random.Random) -> None:
    """Balls, rackets and boards."""
    if kind == "racket":
        _draw_racket(form, r)
    elif kind == "table tennis bat":
        _draw_table_tennis_bat(form, r)
    elif kind == "beach ball":
        _draw_beach_ball(form, r)
    elif kind == "football":
        _draw_football(form, r)
    elif kind == "skateboard":
        _draw_skateboard(form, r)
    elif kind == "surfboard":
        _draw_surfboard(form, r)
    else:
        _draw_scooter(form, r)


def _draw_racket(form: Form, r: random.Random) -> None:
    """A racket."""
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


def _draw_table_tennis_bat(form: Form, r: random.Random) -> None:
    """A table tennis bat."""
    form.second(stroke([(0, 0.3), (0, 0.95)], 0.2, 0.26))
    form.main(ellipse(0, -0.25, r.uniform(0.5, 0.62), r.uniform(0.55, 0.7)))
    form.second(polygon((-0.3, 0.3), (0.3, 0.3), (0.14, 0.5), (-0.14, 0.5)))
    form.accent(r.choice((star(0, -0.25, 0.25, 5), ellipse(0, -0.25, 0.2, 0.2), box(-0.3, -0.32, 0.3, -0.18))))


def _draw_beach_ball(form: Form, r: random.Random) -> None:
    """A beach ball."""
    form.main(ellipse(0, 0, 0.85, 0.85))
    panels, tilt = r.choice((3, 4, 5)), r.uniform(0, 90)
    for index in range(panels):
        wedge = curve([(0, -0.1), (0.5, -0.6), (0.15, -0.83), (-0.1, -0.84)], steps=5)
        (form.second if index % 2 else form.accent)(turned(wedge, tilt + 360 * index / panels))
    form.light(turned(ellipse(0, -0.05, 0.13, 0.13), tilt))


def _draw_football(form: Form, r: random.Random) -> None:
    """A football."""
    form.main(ellipse(0, 0, 0.85, 0.85))
    tilt = r.uniform(0, 72)
    form.second(regular(0, 0, r.uniform(0.22, 0.32), 5, tilt))
    for index in range(5):
        angle = tilt + 72 * index + 90
        form.second(turned(polygon((-0.2, -0.8), (0.2, -0.8), (0.12, -0.6), (-0.12, -0.6)), angle + 36))
        form.dark(turned(stroke([(0, -0.3), (0, -0.6)], 0.03), angle))


def _draw_skateboard(form: Form, r: random.Random) -> None:
    """A skateboard."""
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


def _draw_surfboard(form: Form, r: random.Random) -> None:
    """A surfboard."""
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


def _draw_scooter(form: Form, r: random.Random) -> None:
    """A scooter."""
    y = r.uniform(-0.8, -0.6)
    form.metal(stroke([(0.55, 0.65), (0.4, y)], 0.07))
    form.second(stroke([(0.15, y), (0.65, y)], 0.09))
    form.main(box(-0.7, 0.5, 0.6, 0.62, 0.05))
    for x in (-0.65, 0.6):
        size = r.uniform(0.16, 0.24)
        form.dark(ellipse(x, 0.72, size, size))
        form.accent(ellipse(x, 0.72, size * 0.55, size * 0.55))
    form.accent(ellipse(0.2, y, 0.07, 0.07))
