"""What is worn or carried with clothing."""

from __future__ import annotations

import random

import numpy as np

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    blob,
    box,
    curve,
    drop,
    ellipse,
    mirrored,
    moved,
    polygon,
    regular,
    stroke,
    turned,
)


def draw_shoe(form: Form, kind: str, r: random.Random) -> None:
    """A shoe from its side, the toe to the right."""
    toe, sole = r.uniform(0.85, 1.0), r.uniform(0.08, 0.2)
    shaft = {"boot": -0.75, "rubber boot": -1.0, "ankle boot": -0.3}.get(kind, 0.0) * r.uniform(0.85, 1.05)
    cap = r.uniform(0.1, 0.3)
    if kind == "high heel":
        heel = r.uniform(0.5, 0.8)
        form.main(
            blob(
                (-0.8, 0.35 - heel),
                (-0.55, 0.1 - heel),
                (-0.1, 0.05),
                (0.5, 0.22),
                (toe, 0.45),
                (0.3, 0.42),
                (-0.4, 0.75 - heel),
                (-0.75, 0.7 - heel),
            )
        )
        form.second(polygon((-0.82, 0.45 - heel), (-0.6, 0.62 - heel), (-0.74, 0.5), (-0.8, 0.5)))
        if r.random() < 0.5:
            form.accent(stroke(curve([(-0.6, -heel), (-0.4, -heel - 0.25), (-0.15, -0.1)]), 0.06))
            form.has("with an ankle strap")
        return
    if kind == "sandal":
        form.second(blob((-0.9, 0.5), (0, 0.42), (toe, 0.5), (toe, 0.5 + sole), (-0.9, 0.5 + sole)))
        for index in range(r.randint(2, 4)):
            x = -0.6 + 0.42 * index
            form.main(stroke(curve([(x - 0.15, 0.5), (x, 0.0 + 0.1 * index), (x + 0.3, 0.5)]), r.uniform(0.1, 0.16)))
        return
    top = min(shaft, -0.05)
    form.main(
        curve(
            [
                (-0.85, 0.5),
                (-0.82, top + 0.15),
                (-0.8, top),
                (-0.25, top),
                (-0.2, min(0.0, top + 0.3)),
                (0.25, cap),
                (toe * 0.85, cap + 0.1),
                (toe, 0.5),
            ],
            steps=4,
        )
    )
    form.second(box(-0.9, 0.48, toe + 0.03, 0.5 + sole, 0.07))
    if kind == "sneaker":
        form.accent(polygon((-0.4, 0.48), (-0.1, 0.1), (0.08, 0.18), (-0.15, 0.48)))
        for index in range(r.randint(2, 4)):
            form.light(
                stroke([(-0.12 + 0.13 * index, 0.0 + 0.07 * index), (0.06 + 0.13 * index, -0.02 + 0.07 * index)], 0.05)
            )
        form.second(ellipse(toe * 0.8, 0.48, 0.26, 0.26, 180, 360))
    elif kind == "slipper":
        form.accent(regular(0.5, cap + 0.02, r.uniform(0.12, 0.2), 9))
        form.dark(ellipse(-0.5, top + 0.02, 0.3, 0.07))
    else:
        form.second(box(-0.87, top - 0.05, -0.2, top + r.uniform(0.06, 0.18), 0.03))
        if kind != "rubber boot":
            form.dark(box(-0.9, 0.5, -0.45, 0.62 + sole))
        if r.random() < 0.5:
            form.accent(stroke([(-0.84, 0.1), (-0.1, 0.16)], 0.09))
            form.has("with a strap")


def draw_hand_and_foot_wear(form: Form, kind: str, r: random.Random) -> None:
    """Socks, gloves, scarves, ties."""
    width = r.uniform(0.24, 0.34)
    if kind == "sock":
        toe = r.uniform(0.6, 0.95)
        form.main(
            blob((-width, -0.9), (width, -0.9), (width, 0.25), (toe, 0.5), (toe, 0.82), (0.2, 0.88), (-width, 0.6))
        )
        form.second(box(-width - 0.03, -0.98, width + 0.03, -0.78, 0.04), ellipse(toe - 0.05, 0.66, 0.18, 0.18))
        form.accent(ellipse(-width + 0.1, 0.55, 0.2, 0.2))
    elif kind == "scarf":
        loose = r.uniform(0.3, 0.6)
        form.main(stroke(curve([(-0.2, 0.0), (-loose, 0.5), (-loose + 0.1, 1.0)]), 0.34))
        form.main(stroke(curve([(0.2, 0.0), (loose * 0.7, 0.4), (loose * 0.6, 0.8)]), 0.34))
        form.main(stroke(ellipse(0, -0.4, 0.6, 0.38), r.uniform(0.28, 0.4)))
        form.second(box(-0.22, -0.16, 0.22, 0.16, 0.08))
    elif kind == "tie":
        wide, end = r.uniform(0.2, 0.32), r.uniform(0.7, 0.95)
        form.main(polygon((-0.09, -0.7), (0.09, -0.7), (wide, end - 0.25), (0, end), (-wide, end - 0.25)))
        form.second(polygon((-0.17, -0.98), (0.17, -0.98), (0.1, -0.66), (-0.1, -0.66)))
    else:
        palm = r.uniform(0.4, 0.5)
        form.main(turned(ellipse(palm + 0.1, 0.0, 0.16, 0.38), 32, palm, 0.1))
        if kind == "mitten":
            form.main(blob((-palm, 0.6), (-palm, -0.4), (0, -r.uniform(0.85, 1.0)), (palm, -0.4), (palm, 0.6)))
        else:
            form.main(box(-palm, -0.25, palm, 0.6, 0.12))
            for index in range(4):
                x, top = (
                    -palm + 0.11 + index * (2 * palm - 0.2) / 3,
                    -0.8 - 0.16 * (index in (1, 2)) - r.uniform(0, 0.08),
                )
                form.main(box(x - 0.11, top, x + 0.11, 0.0, 0.11))
        form.second(box(-palm + 0.03, 0.5, palm - 0.03, r.uniform(0.75, 1.0), 0.05))


def draw_bag(form: Form, kind: str, r: random.Random) -> None:
    """Bags: body, handle, flap."""
    wide, top, low = r.uniform(0.62, 0.85), r.uniform(-0.35, -0.1), r.uniform(0.7, 0.85)
    taper = r.uniform(0.75, 1.1)
    rise = r.uniform(0.4, 0.65)
    handle = stroke(
        curve(
            [(-wide * 0.5, top + 0.05), (-wide * 0.4, top - rise), (wide * 0.4, top - rise), (wide * 0.5, top + 0.05)]
        ),
        r.uniform(0.07, 0.13),
    )
    if kind == "suitcase":
        form.dark(stroke([(-0.2, top), (-0.2, top - rise), (0.2, top - rise), (0.2, top)], 0.06))
        form.main(box(-wide * 0.75, top - 0.15, wide * 0.75, low, 0.12))
        for index in range(r.randint(2, 4)):
            form.second(
                stroke([(-wide * 0.75, top + 0.1 + 0.25 * index), (wide * 0.75, top + 0.1 + 0.25 * index)], 0.05)
            )
        form.dark(ellipse(-wide * 0.5, low + 0.07, 0.09, 0.09), ellipse(wide * 0.5, low + 0.07, 0.09, 0.09))
    elif kind == "backpack":
        form.second(stroke(ellipse(0, top - 0.35, 0.16, 0.18), 0.07))
        form.main(blob((-0.5, -0.55), (0, -0.75), (0.5, -0.55), (0.6, low), (0, low + 0.05), (-0.6, low)))
        form.second(box(-0.42, r.uniform(0.1, 0.3), 0.42, low - 0.06, 0.1))
        form.accent(box(-0.42, -0.3, 0.42, -0.2, 0.03))
        if r.random() < 0.5:
            form.second(ellipse(-0.62, 0.4, 0.13, 0.3), ellipse(0.62, 0.4, 0.13, 0.3))
            form.has("with side pockets")
    elif kind == "pouch":
        form.main(blob((-0.25, -0.45), (0.25, -0.45), (wide, 0.4), (0.4, low), (-0.4, low), (-wide, 0.4)))
        form.second(polygon((-0.4, -0.85), (0.4, -0.85), (0.22, -0.45), (-0.22, -0.45)))
        form.accent(stroke([(-0.3, -0.45), (0.3, -0.45)], 0.1))
    else:
        form.second(handle)
        form.main(polygon((-wide * taper, top), (wide * taper, top), (wide, low), (-wide, low)))
        if kind == "satchel":
            depth = r.uniform(0.35, 0.6)
            form.second(
                polygon(
                    (-wide * taper, top), (wide * taper, top), (wide * 0.9, top + depth), (-wide * 0.9, top + depth)
                )
            )
            for x in (-0.35, 0.35):
                form.accent(box(x - 0.06, top + depth - 0.2, x + 0.06, top + depth + 0.15, 0.02))
        elif kind == "handbag":
            form.accent(
                box(-wide, low - 0.14, wide, low),
                stroke([(-wide * taper, top + 0.05), (wide * taper, top + 0.05)], 0.1),
            )
            form.metal(ellipse(0, top + 0.2, r.uniform(0.07, 0.13), 0.1))
        else:
            form.second(box(-0.3, top + 0.3, 0.3, low - r.uniform(0.1, 0.3), 0.02))


def draw_glasses(form: Form, kind: str, r: random.Random) -> None:
    """Spectacles, masks and headphones, from the front."""
    a, b, apart = r.uniform(0.34, 0.44), r.uniform(0.26, 0.4), r.uniform(0.45, 0.5)
    if kind == "headphones":
        form.second(stroke(ellipse(0, 0.1, 0.72, r.uniform(0.7, 0.9), 180, 360), r.uniform(0.09, 0.17)))
        cup = box(0.55, 0.0, 0.55 + r.uniform(0.25, 0.38), r.uniform(0.6, 0.8), 0.15)
        form.main(cup, mirrored(cup))
        pad = box(0.45, 0.05, 0.6, 0.62, 0.07)
        form.dark(pad, mirrored(pad))
        form.accent(ellipse(0.72, 0.35, 0.09, 0.12), ellipse(-0.72, 0.35, 0.09, 0.12))
        return
    if kind == "carnival mask":
        dip = r.uniform(0.1, 0.4)
        form.main(
            blob((-0.95, -0.2), (-0.5, -0.5), (0, -0.3), (0.5, -0.5), (0.95, -0.2), (0.6, 0.35), (0, dip), (-0.6, 0.35))
        )
        for index in range(r.randint(0, 5)):
            form.accent(moved(turned(drop(0, -0.35, 0.28), -40 + 20 * index), -0.1, -0.3))
        eye = blob((0.2, -0.02), (0.45, -0.2), (0.72, -0.05), (0.45, 0.12))
        form.second((eye - (0.46, -0.04)) * 1.4 + (0.46, -0.04), mirrored((eye - (0.46, -0.04)) * 1.4 + (0.46, -0.04)))
        form.light(eye, mirrored(eye))
        return
    arm = stroke([(apart + a * 0.8, -b * 0.5), (0.98, -b * 0.3), (0.98, 0.1)], 0.07)
    form.second(
        arm,
        mirrored(arm),
        stroke(curve([(-0.15, -0.05), (0, -r.uniform(0.05, 0.2)), (0.15, -0.05)]), r.uniform(0.06, 0.12)),
    )
    outer = {
        "round glasses": ellipse(apart, 0, b * 1.15, b * 1.15),
        "square glasses": box(apart - a, -b, apart + a, b, r.uniform(0.02, 0.12)),
        "cat-eye glasses": blob(
            (apart - a, -b * 0.3),
            (apart + a * 1.15, -b * r.uniform(1.1, 1.5)),
            (apart + a * 0.7, b),
            (apart - a * 0.6, b * 0.9),
        ),
        "aviator sunglasses": blob(
            (apart - a, -b * 0.8),
            (apart + a, -b),
            (apart + a * 0.8, b * 0.8),
            (apart, b * 1.3),
            (apart - a * 0.7, b * 0.5),
        ),
    }[kind]
    center = np.array((apart, 0.0))
    inner = (outer - center) * r.uniform(0.68, 0.86) + center
    form.main(outer, mirrored(outer))
    (form.dark if kind == "aviator sunglasses" or r.random() < 0.4 else form.light)(inner, mirrored(inner))
    if r.random() < 0.3:
        form.accent(ellipse(apart + a * 0.9, -b * 0.7, 0.06, 0.06), ellipse(-apart - a * 0.9, -b * 0.7, 0.06, 0.06))
