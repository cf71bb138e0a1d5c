"""Toy figures: robots and animals."""

from __future__ import annotations

import random

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    blob,
    box,
    curve,
    ellipse,
    heart,
    mirrored,
    polygon,
    regular,
    ring,
    stroke,
    turned,
)


def draw_robot(form: Form, kind: str, r: random.Random) -> None:
    """Robots from a head, a body, arms and feet."""
    body, head, low = r.uniform(0.3, 0.5), r.uniform(0.22, 0.42), r.uniform(0.3, 0.5)
    neck = -r.uniform(0.25, 0.4)
    if kind == "wheeled robot":
        for x in (-body * 0.7, body * 0.7):
            form.dark(ellipse(x, 0.75, 0.2, 0.2))
            form.metal(ellipse(x, 0.75, 0.08, 0.08))
    elif kind == "tracked robot":
        form.dark(box(-body - 0.15, low, body + 0.15, 0.9, 0.2))
        for index in range(r.randint(2, 4)):
            form.metal(ellipse(-body * 0.8 + 0.3 * index, (low + 0.9) / 2, 0.1, 0.1))
    else:
        leg = box(body * 0.3, low - 0.05, body * 0.75, 0.85, 0.04)
        foot = box(body * 0.15, 0.8, body * 1.05, 0.95, 0.07)
        form.second(leg, mirrored(leg), foot, mirrored(foot))
    reach = r.uniform(-0.5, 0.6)
    arm = stroke(
        curve([(body, neck + 0.15), (body + 0.3, neck + 0.25 + reach * 0.3), (body + r.uniform(0.25, 0.45), reach)]),
        r.uniform(0.1, 0.16),
    )
    other = mirrored(arm)
    hand = ring(body + 0.36, reach, 0.1, 0.1, 0.07)
    form.metal(arm, other)
    form.second(hand, mirrored(hand))
    round_body = r.random() < 0.4
    form.main(
        ellipse(0, (neck + low) / 2, body * 1.15, (low - neck) / 2 + 0.08)
        if round_body
        else box(-body, neck, body, low, r.uniform(0, 0.2))
    )
    form.light(box(-body * 0.6, neck + 0.15, body * 0.6, r.uniform(0.0, 0.2), 0.04))
    for index in range(r.randint(1, 4)):
        form.accent(ellipse(-body * 0.45 + 0.2 * index, neck + 0.25, 0.06, 0.06))
    top = neck - r.uniform(0.4, 0.6)
    head_outline = r.choice(
        (
            box(-head, top, head, neck + 0.02, 0.05),
            ellipse(0, (top + neck) / 2, head, (neck - top) / 2),
            box(-head, top, head, neck, 0.3),
            polygon((-head, neck), (head, neck), (head * 0.6, top), (-head * 0.6, top)),
        )
    )
    aerials = r.choice((1, 2))
    for x in (-head * 0.6, head * 0.6) if aerials == 2 else (0.0,):
        form.metal(stroke([(x, top + 0.1), (x * 1.3, top - 0.15)], 0.04))
        form.accent(ellipse(x * 1.3, top - 0.17, 0.06, 0.06))
    form.main(head_outline)
    eye = r.uniform(0.06, 0.11)
    eyes = (0.0,) if kind == "one-eyed robot" else (-head * 0.45, head * 0.45)
    for x in eyes:
        size = eye * (1.8 if len(eyes) == 1 else 1)
        form.light(ellipse(x, (top + neck) / 2 - 0.04, size, size))
        form.dark(ellipse(x, (top + neck) / 2 - 0.04, size * 0.5, size * 0.5))
    form.dark(stroke([(-head * 0.4, neck - 0.1), (head * 0.4, neck - 0.1)], 0.05))


def draw_doll(form: Form, kind: str, r: random.Random) -> None:
    """Plush animals from the front: a head with ears on a body."""
    head, body = r.uniform(0.36, 0.48), r.uniform(0.36, 0.52)
    face = -0.4
    ear_out = r.uniform(0.6, 0.85)
    ears = {
        "teddy bear": ellipse(head * ear_out, face - head * 0.75, r.uniform(0.13, 0.22), 0.17),
        "plush cat": polygon(
            (head * 0.3, face - head * 0.85),
            (head * 0.9, face - head * r.uniform(1.3, 1.7)),
            (head * 0.95, face - head * 0.3),
        ),
        "plush rabbit": turned(
            ellipse(head * 0.45, face - head - 0.22, 0.12, r.uniform(0.3, 0.42)),
            r.uniform(-5, 30),
            head * 0.4,
            face - head * 0.7,
        ),
        "plush dog": blob(
            (head * 0.6, face - head * 0.8),
            (head * 1.2, face - 0.1),
            (head * 1.15, face + r.uniform(0.15, 0.4)),
            (head * 0.8, face),
        ),
        "plush elephant": blob(
            (head * 0.6, face - head * 0.6),
            (head * 1.9, face - head * 0.8),
            (head * r.uniform(1.7, 2.1), face + 0.2),
            (head * 0.8, face + 0.2),
        ),
        "plush owl": polygon(
            (head * 0.35, face - head * 0.9), (head * 0.95, face - head * 1.3), (head * 0.9, face - head * 0.5)
        ),
    }[kind]
    foot = ellipse(body * 0.7, 0.85, r.uniform(0.18, 0.27), 0.14)
    form.main(ears, mirrored(ears))
    arm = turned(ellipse(body + 0.05, 0.2, 0.13, r.uniform(0.25, 0.35)), -r.uniform(10, 70), body, 0.0)
    form.main(ellipse(0, 0.38, body, r.uniform(0.48, 0.56)), foot, mirrored(foot), arm, mirrored(arm))
    if r.random() < 0.6:
        form.second(ellipse(0, 0.42, body * 0.6, 0.34))
    form.main(ellipse(0, face, head, head * r.uniform(0.85, 1.0)))
    eye, wide = r.uniform(0.05, 0.08), head * r.uniform(0.35, 0.5)
    for x in (-wide, wide):
        if kind == "plush owl":
            form.light(ellipse(x, face - 0.05, head * 0.38, head * 0.38))
        form.dark(ellipse(x, face - 0.06, eye, eye))
    if kind == "plush elephant":
        form.second(
            stroke(
                curve([(0, face), (0.05, face + 0.3), (r.choice((-1, 1)) * r.uniform(0.1, 0.3), face + 0.5)]), 0.18, 0.1
            )
        )
    elif kind == "plush owl":
        form.accent(polygon((-0.09, face + 0.02), (0.09, face + 0.02), (0, face + 0.2)))
    else:
        form.second(ellipse(0, face + head * 0.4, head * 0.4, head * 0.3))
        form.dark(ellipse(0, face + head * 0.28, 0.07, 0.05))
    extra = r.randrange(4)
    if extra == 0:
        form.accent(
            stroke(curve([(-head * 0.8, face + head * 0.8), (0, face + head), (head * 0.8, face + head * 0.8)]), 0.12)
        )
        form.has("with a scarf")
    elif extra == 1:
        bow = polygon((0, 0.06), (0.22, -0.06), (0.22, 0.18))
        form.accent(bow, mirrored(bow), ellipse(0, 0.06, 0.06, 0.06))
        form.has("with a bow")
    elif extra == 2:
        form.accent(heart(0, 0.4, 0.2))
        form.has("with a heart")


def draw_animal(form: Form, kind: str, r: random.Random) -> None:
    """Animals from the side, on wheels or feet, the head to the right."""
    long, high = r.uniform(0.5, 0.68), r.uniform(0.28, 0.4)
    if kind in ("toy fish", "toy whale"):
        _draw_fish(form, kind, r, high, long)
    elif kind == "toy bird":
        _draw_bird(form, r, high, long)
    elif kind == "toy snail":
        _draw_snail(form, r)
    elif kind == "toy turtle":
        _draw_turtle(form, r)
    else:
        _draw_four_legged(form, kind, r, high, long)
        return
    x, y = {"toy bird": (0.55, -0.4), "toy snail": (0.75, 0.2), "toy turtle": (0.85, 0.1)}.get(kind, (0.55, -0.05))
    form.light(ellipse(x, y, 0.09, 0.09))
    form.dark(ellipse(x + 0.02, y, 0.05, 0.05))


def _draw_fish(form: Form, kind: str, r: random.Random, high: float, long: float) -> None:
    """A fish or a whale."""
    form.second(polygon((-long + 0.1, 0), (-0.98, -r.uniform(0.25, 0.45)), (-0.88, 0), (-0.98, r.uniform(0.25, 0.45))))
    form.second(blob((-0.2, -high), (0.1, -high - r.uniform(0.15, 0.4)), (0.3, -high * 0.8)))
    form.main(
        blob(
            (-long, 0),
            (0, -high * 1.3),
            (0.85, -0.05 if kind == "toy fish" else -0.3),
            (0.8, 0.25),
            (0, high * 1.2),
        )
    )
    form.accent(turned(ellipse(0.05, 0.15, 0.2, 0.1), r.uniform(10, 50), 0.05, 0.15))
    for index in range(r.randint(0, 3)):
        form.accent(
            stroke(
                curve(
                    [
                        (-0.3 + 0.22 * index, -high * 0.9),
                        (-0.22 + 0.22 * index, 0),
                        (-0.3 + 0.22 * index, high * 0.9),
                    ]
                ),
                0.06,
            )
        )


def _draw_bird(form: Form, r: random.Random, high: float, long: float) -> None:
    """A bird."""
    form.second(polygon((-0.4, 0.1), (-1.0, -r.uniform(-0.2, 0.35)), (-0.95, 0.25)))
    form.metal(stroke([(-0.05, 0.4), (-0.1, 0.9)], 0.04), stroke([(0.15, 0.4), (0.15, 0.9)], 0.04))
    form.main(ellipse(0, 0.15, long * 0.95, high * 1.1), ellipse(0.5, -0.35, 0.3, 0.28))
    form.accent(polygon((0.75, -0.42), (1.0 + r.uniform(-0.05, 0.15), -0.3), (0.75, -0.22)))
    form.second(blob((0.25, 0.0), (-0.1, 0.35), (-0.6, 0.25), (-0.3, -0.05)))
    for index in range(r.randint(0, 3)):
        form.accent(stroke([(0.45 - 0.1 * index, -0.55), (0.4 - 0.16 * index, -0.8)], 0.06))


def _draw_snail(form: Form, r: random.Random) -> None:
    """A snail."""
    form.second(blob((-0.9, 0.7), (0.3, 0.45), (0.6, -0.1), (0.9, 0.0), (0.8, 0.75)))
    for x in (0.65, 0.85):
        form.second(stroke([(x, 0.0), (x + 0.06, -0.35)], 0.05), ellipse(x + 0.06, -0.37, 0.06, 0.06))
    size = r.uniform(0.48, 0.62)
    for share in (1.0, 0.68, 0.36):
        (form.main if share != 0.68 else form.accent)(ellipse(-0.15, 0.15, size * share, size * share))


def _draw_turtle(form: Form, r: random.Random) -> None:
    """A turtle."""
    for x in (-0.45, 0.35):
        form.second(ellipse(x, 0.6, 0.15, 0.2))
    form.second(blob((0.4, 0.4), (0.75, r.uniform(-0.2, 0.1)), (1.0, 0.05), (0.9, 0.3), (0.5, 0.55)))
    form.main(ellipse(-0.1, 0.5, 0.72, r.uniform(0.6, 0.85), 180, 360))
    for index in range(3):
        form.accent(regular(-0.5 + 0.4 * index, 0.2 - 0.15 * (index == 1), 0.15, 6))


def _draw_four_legged(form: Form, kind: str, r: random.Random, high: float, long: float) -> None:
    """A horse, a giraffe or a dachshund."""
    legs = (-long * 0.8, -long * 0.4, long * 0.45, long * 0.8)
    tall = r.uniform(0.3, 0.5)
    for x in legs:
        form.second(stroke([(x, 0.2), (x + r.uniform(-0.04, 0.04), 0.35 + tall)], 0.13, 0.11))
    neck = {"toy giraffe": -0.95, "toy horse": -0.6, "toy dachshund": -0.15}.get(kind, -0.3) + r.uniform(-0.05, 0.1)
    form.main(blob((-long, -0.05), (0, -high * r.uniform(0.4, 0.7)), (long, -0.1), (long, 0.3), (-long, 0.35)))
    form.main(stroke([(long * 0.8, 0.1), (0.75, neck)], 0.36, 0.22))
    form.main(blob((0.6, neck - 0.15), (0.8, neck - 0.15), (1.05, neck + 0.1), (1.0, neck + 0.22), (0.65, neck + 0.18)))
    form.second(polygon((0.62, neck - 0.1), (0.66, neck - 0.35), (0.76, neck - 0.12)))
    form.dark(stroke(curve([(-long, 0.0), (-long - 0.2, r.uniform(-0.2, 0.4)), (-long - 0.25, 0.3)]), 0.07))
    if kind == "toy horse":
        form.accent(stroke([(long * 0.55, -0.1), (0.62, neck)], 0.12))
        form.accent(box(-0.2, -high * 0.7, 0.2, 0.1, 0.05))
    elif kind == "toy giraffe":
        for _ in range(r.randint(4, 8)):
            x = r.uniform(-long * 0.8, long * 0.8)
            form.accent(regular(x, r.uniform(0, 0.2), 0.07, 6))
    if r.random() < 0.4:
        form.dark(
            stroke([(-0.8, 0.4 + tall), (0.8, 0.4 + tall)], 0.06),
            ellipse(-0.6, 0.5 + tall, 0.13, 0.13),
            ellipse(0.6, 0.5 + tall, 0.13, 0.13),
        )
        form.has("on wheels")
    form.dark(ellipse(0.8, neck, 0.035, 0.035))
