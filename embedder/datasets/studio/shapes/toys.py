"""Toys: figures, animals and vehicles."""

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
    moved,
    petals,
    polygon,
    regular,
    ring,
    star,
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
        form.second(
            polygon((-long + 0.1, 0), (-0.98, -r.uniform(0.25, 0.45)), (-0.88, 0), (-0.98, r.uniform(0.25, 0.45)))
        )
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
    elif kind == "toy bird":
        form.second(polygon((-0.4, 0.1), (-1.0, -r.uniform(-0.2, 0.35)), (-0.95, 0.25)))
        form.metal(stroke([(-0.05, 0.4), (-0.1, 0.9)], 0.04), stroke([(0.15, 0.4), (0.15, 0.9)], 0.04))
        form.main(ellipse(0, 0.15, long * 0.95, high * 1.1), ellipse(0.5, -0.35, 0.3, 0.28))
        form.accent(polygon((0.75, -0.42), (1.0 + r.uniform(-0.05, 0.15), -0.3), (0.75, -0.22)))
        form.second(blob((0.25, 0.0), (-0.1, 0.35), (-0.6, 0.25), (-0.3, -0.05)))
        for index in range(r.randint(0, 3)):
            form.accent(stroke([(0.45 - 0.1 * index, -0.55), (0.4 - 0.16 * index, -0.8)], 0.06))
    elif kind == "toy snail":
        form.second(blob((-0.9, 0.7), (0.3, 0.45), (0.6, -0.1), (0.9, 0.0), (0.8, 0.75)))
        for x in (0.65, 0.85):
            form.second(stroke([(x, 0.0), (x + 0.06, -0.35)], 0.05), ellipse(x + 0.06, -0.37, 0.06, 0.06))
        size = r.uniform(0.48, 0.62)
        for share in (1.0, 0.68, 0.36):
            (form.main if share != 0.68 else form.accent)(ellipse(-0.15, 0.15, size * share, size * share))
    elif kind == "toy turtle":
        for x in (-0.45, 0.35):
            form.second(ellipse(x, 0.6, 0.15, 0.2))
        form.second(blob((0.4, 0.4), (0.75, r.uniform(-0.2, 0.1)), (1.0, 0.05), (0.9, 0.3), (0.5, 0.55)))
        form.main(ellipse(-0.1, 0.5, 0.72, r.uniform(0.6, 0.85), 180, 360))
        for index in range(3):
            form.accent(regular(-0.5 + 0.4 * index, 0.2 - 0.15 * (index == 1), 0.15, 6))
    else:
        legs = (-long * 0.8, -long * 0.4, long * 0.45, long * 0.8)
        tall = r.uniform(0.3, 0.5)
        for x in legs:
            form.second(stroke([(x, 0.2), (x + r.uniform(-0.04, 0.04), 0.35 + tall)], 0.13, 0.11))
        neck = {"toy giraffe": -0.95, "toy horse": -0.6, "toy dachshund": -0.15}.get(kind, -0.3) + r.uniform(-0.05, 0.1)
        form.main(blob((-long, -0.05), (0, -high * r.uniform(0.4, 0.7)), (long, -0.1), (long, 0.3), (-long, 0.35)))
        form.main(stroke([(long * 0.8, 0.1), (0.75, neck)], 0.36, 0.22))
        form.main(
            blob((0.6, neck - 0.15), (0.8, neck - 0.15), (1.05, neck + 0.1), (1.0, neck + 0.22), (0.65, neck + 0.18))
        )
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
        return
    x, y = {"toy bird": (0.55, -0.4), "toy snail": (0.75, 0.2), "toy turtle": (0.85, 0.1)}.get(kind, (0.55, -0.05))
    form.light(ellipse(x, y, 0.09, 0.09))
    form.dark(ellipse(x + 0.02, y, 0.05, 0.05))


def _wheels(form: Form, places: tuple[float, ...], y: float, size: float, spokes: bool = False) -> None:
    for x in places:
        form.dark(ellipse(x, y, size, size))
        form.metal(ellipse(x, y, size * 0.55, size * 0.55))
        if spokes:
            form.accent(
                stroke([(x - size * 0.5, y), (x + size * 0.5, y)], 0.04),
                stroke([(x, y - size * 0.5), (x, y + size * 0.5)], 0.04),
            )


def draw_vehicle(form: Form, kind: str, r: random.Random) -> None:
    """Toy vehicles from the side, driving to the right."""
    wheel = r.uniform(0.15, 0.22)
    floor = 0.5
    if kind == "toy car":
        roof, front = r.uniform(-0.4, -0.15), r.uniform(0.3, 0.55)
        form.main(
            blob(
                (-0.95, 0.1),
                (-0.6, 0.0),
                (-0.45, roof),
                (0.1, roof),
                (front, 0.05),
                (0.95, 0.15),
                (0.95, floor),
                (-0.95, floor),
            )
        )
        form.light(
            polygon((-0.5, 0.02), (-0.38, roof + 0.1), (-0.18, roof + 0.1), (-0.18, 0.02)),
            polygon((-0.1, 0.02), (-0.1, roof + 0.1), (0.08, roof + 0.1), (front - 0.12, 0.02)),
        )
        form.accent(ellipse(0.9, 0.22, 0.07, 0.07), stroke([(-0.92, 0.28), (0.85, 0.28)], r.uniform(0.03, 0.1)))
        _wheels(form, (-0.55, 0.55), floor + 0.05, wheel)
    elif kind == "toy bus":
        top = r.uniform(-0.6, -0.3)
        form.main(box(-0.95, top, 0.95, floor, r.uniform(0.05, 0.25)))
        count = r.randint(3, 6)
        for index in range(count):
            x = -0.85 + 1.7 * index / count
            form.light(box(x, top + 0.14, x + 1.7 / count - 0.07, top + 0.42, 0.04))
        form.second(box(-0.95, 0.1, 0.95, 0.1 + r.uniform(0.06, 0.2)))
        if r.random() < 0.4:
            form.accent(box(-0.7, top - 0.12, 0.5, top + 0.02, 0.04))
            form.has("with a roof rack")
        _wheels(form, (-0.6, 0.6), floor + 0.05, wheel)
    elif kind in ("toy lorry", "tipper lorry"):
        top, cab = r.uniform(-0.7, -0.3), r.uniform(0.3, 0.45)
        if kind == "toy lorry":
            form.main(box(-0.95, top, cab - 0.05, floor - 0.05, 0.02))
        else:
            form.main(
                polygon((-0.98, top + 0.2), (cab - 0.05, top + 0.3), (cab - 0.15, floor - 0.15), (-0.8, floor - 0.05))
            )
        form.second(blob((cab, -0.25), (0.75, -0.25), (0.95, 0.15), (0.97, floor), (cab, floor)))
        form.light(polygon((cab + 0.15, -0.12), (0.72, -0.12), (0.84, 0.12), (cab + 0.15, 0.12)))
        form.dark(box(-0.95, floor - 0.07, 0.95, floor + 0.03))
        form.accent(
            r.choice(
                (star(-0.3, 0.0, 0.22, 5), ellipse(-0.3, 0, 0.2, 0.2), box(-0.75, -0.05, 0.1, 0.1), heart(-0.3, 0, 0.2))
            )
        )
        _wheels(form, (-0.65, -0.3, 0.65) if r.random() < 0.5 else (-0.6, 0.65), floor + 0.07, wheel)
    elif kind == "tractor":
        big = r.uniform(0.38, 0.48)
        form.main(box(-0.2, -0.1, 0.85, 0.45, 0.08))
        form.second(polygon((-0.7, 0.2), (-0.65, -0.75), (0.0, -0.75), (0.1, 0.2)))
        form.light(polygon((-0.55, -0.05), (-0.52, -0.62), (-0.1, -0.62), (-0.04, -0.05)))
        form.metal(stroke([(0.55, -0.1), (0.55, -r.uniform(0.4, 0.65))], 0.08))
        for index in range(r.randint(2, 4)):
            form.accent(stroke([(0.35 + 0.13 * index, 0.0), (0.35 + 0.13 * index, 0.3)], 0.04))
        _wheels(form, (-0.45,), 0.85 - big, big)
        _wheels(form, (0.65,), 0.85 - 0.22, 0.22)
    elif kind == "steam engine":
        form.main(box(-0.2, -0.15, 0.8, 0.4, 0.15), box(-0.9, -0.6, -0.2, 0.45))
        form.second(
            box(-1.0, -0.72, -0.1, -0.57, 0.04),
            polygon(
                (0.45, -0.12), (0.5, -0.35), (0.38, -r.uniform(0.55, 0.75)), (0.78, -0.6), (0.68, -0.35), (0.68, -0.12)
            ),
        )
        form.light(box(-0.72, -0.45, -0.4, -0.15, r.choice((0.0, 0.15))))
        form.metal(ellipse(0.1, -0.15, 0.14, 0.14, 180, 360))
        form.accent(polygon((0.7, 0.4), (0.98, 0.75), (0.6, 0.75)), stroke([(0.2, -0.15), (0.2, 0.4)], 0.06))
        _wheels(form, (-0.62, -0.15, 0.35), 0.55, r.uniform(0.18, 0.24), spokes=True)
    else:
        form.main(blob((-0.9, 0.35), (-0.85, -0.1), (-0.3, -0.25), (0.6, -0.15), (0.95, 0.1), (0.9, 0.4)))
        form.dark(ellipse(-0.1, -0.2, 0.3, 0.1))
        form.light(ellipse(-0.1, -0.3, 0.16, 0.17))
        form.second(polygon((-0.95, -0.1), (-0.98, -0.5), (-0.55, -0.45), (-0.7, -0.15)))
        form.accent(ellipse(0.2, 0.08, 0.19, 0.17), stroke([(-0.85, 0.3), (0.9, 0.3)], r.uniform(0.04, 0.12)))
        _wheels(form, (-0.6, 0.62), 0.4, r.uniform(0.2, 0.27))


def draw_boat(form: Form, kind: str, r: random.Random) -> None:
    """Toy boats."""
    deck, bow = r.uniform(0.3, 0.45), r.uniform(0.85, 1.0)
    hull = polygon((-0.9, deck), (bow, deck - r.uniform(0.0, 0.15)), (0.6, 0.85), (-0.7, 0.85))
    if kind == "sailing boat":
        mast = r.uniform(-0.25, 0.15)
        form.dark(stroke([(mast, deck), (mast, -0.98)], 0.05))
        form.main(polygon((mast + 0.06, -0.92), (bow * 0.9, deck - 0.12), (mast + 0.06, deck - 0.12)))
        form.second(polygon((mast - 0.06, -r.uniform(0.5, 0.85)), (-0.8, deck - 0.15), (mast - 0.06, deck - 0.15)))
        if r.random() < 0.5:
            form.accent(polygon((mast, -1.0), (mast + 0.3, -0.92), (mast, -0.84)))
            form.has("with a pennant")
        form.second(hull)
    elif kind == "steamer":
        funnels = r.randint(1, 3)
        for index in range(funnels):
            x = -0.3 + 0.32 * index
            form.accent(box(x, -0.5, x + 0.2, 0.1))
            form.dark(box(x, -0.58, x + 0.2, -0.42))
        form.second(box(-0.55, -0.1, 0.6, deck))
        for index in range(r.randint(3, 5)):
            form.light(ellipse(-0.4 + 0.23 * index, 0.1, 0.07, 0.07))
        form.main(hull)
    elif kind == "submarine":
        form.second(box(-0.25, -0.5, 0.2, 0, 0.1), stroke([(0.05, -0.45), (0.05, -0.85), (0.25, -0.85)], 0.07))
        form.main(ellipse(0, 0.2, 0.85, r.uniform(0.32, 0.45)))
        for index in range(r.randint(2, 4)):
            form.metal(ellipse(-0.35 + 0.3 * index, 0.15, 0.11, 0.11))
            form.light(ellipse(-0.35 + 0.3 * index, 0.15, 0.07, 0.07))
        form.accent(turned(ellipse(-0.9, 0.2, 0.07, 0.3), r.uniform(-20, 20), -0.9, 0.2))
        return
    elif kind == "rowing boat":
        form.second(stroke([(-0.4, -0.3), (0.1, 0.9)], 0.07), turned(ellipse(0.15, 0.95, 0.1, 0.2), -20, 0.15, 0.95))
        form.main(blob((-0.95, 0.1), (0, deck), (0.95, 0.1), (0.6, 0.7), (-0.6, 0.7)))
        form.accent(stroke(curve([(-0.93, 0.12), (0, deck), (0.93, 0.12)]), 0.1))
        return
    else:
        masts = r.randint(2, 3)
        for index in range(masts):
            x = -0.5 + 1.1 * index / masts
            form.dark(stroke([(x, deck), (x, -0.95)], 0.05))
            for level in range(2):
                y = -0.8 + 0.5 * level
                form.main(blob((x - 0.25, y), (x + 0.25, y), (x + 0.32, y + 0.4), (x - 0.18, y + 0.4)))
        form.second(
            polygon((-0.95, deck - 0.25), (-0.6, deck), (0.6, deck), (1.0, deck - 0.2), (0.6, 0.85), (-0.7, 0.85))
        )
    form.accent(stroke([(-0.8, deck + 0.2), (0.75, deck + 0.2)], r.uniform(0.05, 0.12)))


def draw_flyer(form: Form, kind: str, r: random.Random) -> None:
    """What flies: kites, balloons, rockets, aeroplanes."""
    if kind == "kite":
        wide, high = r.uniform(0.5, 0.7), r.uniform(-0.45, -0.2)
        form.accent(stroke(curve([(0, 0.45), (0.2, 0.65), (-0.1, 0.8), (0.15, 1.0)]), 0.04))
        for index in range(r.randint(2, 4)):
            form.second(
                polygon(
                    (0.1 - 0.06 * index, 0.58 + 0.12 * index), (0.25, 0.52 + 0.12 * index), (0.25, 0.66 + 0.12 * index)
                )
            )
        form.main(polygon((0, -0.98), (wide, high), (0, 0.5), (-wide, high)))
        form.second(polygon((0, -0.98), (wide, high), (0, high)))
        form.second(polygon((0, 0.5), (-wide, high), (0, high)))
    elif kind == "hot-air balloon":
        size, stripes = r.uniform(0.58, 0.75), r.randint(1, 3)
        form.dark(stroke([(-0.4, 0.1), (-0.14, 0.7)], 0.03), stroke([(0.4, 0.1), (0.14, 0.7)], 0.03))
        form.main(blob((0, -1.0), (size, -0.4), (0.2, 0.42), (-0.2, 0.42), (-size, -0.4)))
        for index in range(stripes):
            form.second(ellipse(0, -0.3, size * (0.25 + 0.5 * index / stripes), 0.68))
            form.main(ellipse(0, -0.3, size * (0.14 + 0.5 * index / stripes), 0.67))
        form.accent(box(-0.2, 0.68, 0.2, 0.98, 0.05))
    elif kind == "toy rocket":
        wide = r.uniform(0.24, 0.36)
        fin = polygon((wide * 0.8, 0.2), (wide + r.uniform(0.2, 0.35), 0.75), (wide * 0.8, 0.62))
        form.second(fin, mirrored(fin))
        form.accent(polygon((-0.14, 0.6), (0.14, 0.6), (0.2, 0.85), (0, 1.0), (-0.2, 0.85)))
        form.main(blob((0, -1.0), (wide, -0.4), (wide, 0.5), (0, 0.66), (-wide, 0.5), (-wide, -0.4)))
        form.second(polygon((-wide * 0.75, -0.62), (0, -1.02), (wide * 0.75, -0.62)))
        for index in range(r.randint(1, 3)):
            form.metal(ellipse(0, -0.3 + 0.3 * index, 0.14, 0.14))
            form.light(ellipse(0, -0.3 + 0.3 * index, 0.09, 0.09))
    elif kind == "toy aeroplane":
        form.second(polygon((-0.85, -0.05), (-0.95, -r.uniform(0.45, 0.65)), (-0.68, -0.5), (-0.5, -0.1)))
        form.main(blob((-0.95, 0.0), (-0.2, -0.25), (0.7, -0.2), (0.92, 0.05), (0.5, 0.25), (-0.5, 0.15)))
        for index in range(r.randint(2, 5)):
            form.light(ellipse(0.45 - 0.2 * index, -0.05, 0.06, 0.06))
        form.second(polygon((-0.15, 0.05), (0.25, 0.05), (-r.uniform(0.1, 0.5), 0.65), (-0.5, 0.65)))
        form.accent(ellipse(0.96, 0.03, 0.05, r.uniform(0.25, 0.4)))
    else:
        form.main(ellipse(0, 0.1, 0.55, 0.38))
        form.light(blob((0.1, -0.2), (0.5, -0.05), (0.5, 0.2), (0.1, 0.15)))
        form.main(stroke([(-0.4, 0.05), (-0.98, -0.15)], 0.2, 0.08))
        form.second(
            star(-0.95, -0.15, 0.22, 4, 0.3),
            stroke([(-0.4, 0.68), (0.5, 0.68)], 0.07),
            stroke([(-0.2, 0.4), (-0.25, 0.68)], 0.04),
            stroke([(0.25, 0.4), (0.3, 0.68)], 0.04),
        )
        form.dark(
            stroke([(0, -0.2), (0, -0.5)], 0.06),
            stroke([(-r.uniform(0.7, 0.95), -0.5), (r.uniform(0.7, 0.95), -0.5)], 0.06),
        )
        form.accent(r.choice((star(-0.05, 0.2, 0.15, 5), ellipse(-0.1, 0.25, 0.14, 0.1))))


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
