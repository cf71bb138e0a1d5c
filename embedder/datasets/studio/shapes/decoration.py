"""What stands, lies and hangs in a room."""

from __future__ import annotations

import math
import random
from itertools import pairwise

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    blob,
    box,
    curve,
    drop,
    ellipse,
    heart,
    mirrored,
    petals,
    polygon,
    regular,
    ring,
    star,
    stroke,
    turned,
    turned_profile,
)


def draw_vase(form: Form, kind: str, r: random.Random) -> None:
    """Vases and jugs by their profile; amphoras have handles."""
    lip, neck, belly, foot = r.uniform(0.15, 0.35), r.uniform(0.1, 0.25), r.uniform(0.4, 0.65), r.uniform(0.18, 0.35)
    profiles = {
        "bud vase": [(-0.9, lip * 0.7), (-0.5, neck * 0.8), (0.2, neck * 1.1), (0.5, belly * 0.8), (0.85, foot)],
        "urn": [
            (-0.7, lip * 1.6),
            (-0.55, neck * 1.8),
            (-0.1, belly),
            (0.5, foot * 0.7),
            (0.7, foot * 0.6),
            (0.85, foot * 1.4),
        ],
        "cylinder vase": [(-0.9, lip * 1.4), (0.0, lip * r.uniform(1.1, 1.6)), (0.85, lip * 1.4)],
        "amphora": [(-0.9, lip * 0.9), (-0.6, neck), (-0.15, belly * 0.9), (0.5, foot), (0.85, foot * 0.8)],
        "bowl": [(-0.2, belly * 1.4), (0.2, belly * 1.3), (0.55, foot * 1.2), (0.65, foot * 1.3)],
        "ginger jar": [(-0.55, lip * 1.1), (-0.4, lip), (-0.1, belly * 1.1), (0.5, belly * 0.8), (0.85, foot * 1.4)],
    }
    profile = profiles[kind]
    if kind == "amphora":
        ear = stroke(curve([(neck, -0.75), (neck + r.uniform(0.3, 0.5), -0.6), (belly * 0.8, -0.15)]), 0.08)
        form.second(ear, mirrored(ear))
    stems = r.randint(1, 4) if kind in ("bud vase", "cylinder vase", "amphora") and r.random() < 0.25 else 0
    if stems:
        form.has("with flowers")
    for index in range(stems):
        tip = (-0.3 + 0.6 * index / max(1, stems - 1) if stems > 1 else 0.1, -1.3 - r.uniform(0, 0.2))
        form.dark(stroke(curve([(0, profile[0][0] + 0.1), (tip[0] / 2, -1.0), tip]), 0.03))
        form.accent(petals(*tip, 0.17, r.choice((5, 6, 8))))
    form.main(turned_profile(profile))
    form.dark(ellipse(0, profile[0][0], profile[0][1] * 0.9, 0.05))
    if kind == "ginger jar":
        form.second(ellipse(0, -0.55, lip * 1.25, 0.25, 180, 360), ellipse(0, -0.83, 0.09, 0.09))
    for _ in range(r.randint(0, 3)):
        y = r.uniform(-0.1, 0.5)
        width = 0.93 * _width_at(profile, y)
        form.accent(stroke(curve([(-width, y), (0, y + 0.05), (width, y)]), r.uniform(0.04, 0.14)))


def _width_at(profile: list[tuple[float, float]], y: float) -> float:
    for (above, wide_above), (below, wide_below) in pairwise(profile):
        if above <= y <= below:
            return wide_above + (wide_below - wide_above) * (y - above) / (below - above)
    return 0.1


def draw_clock(form: Form, kind: str, r: random.Random) -> None:
    """Clocks: a case, a dial, hands."""
    size, y = r.uniform(0.55, 0.8), 0.0
    corners = r.choice((0, 0, 4, 6, 8, 12))
    if kind == "alarm clock":
        size, y = size * 0.85, 0.15
        for x in (-0.4, 0.4):
            form.accent(turned(ellipse(x, y - size - 0.05, 0.24, 0.16, 180, 360), x * 60, x, y - size))
            form.dark(stroke([(x, y + size * 0.7), (x * 1.3, y + size + 0.15)], 0.09))
        form.main(ellipse(0, y, size, size))
    elif kind == "grandfather clock":
        y, size = -0.6, 0.3
        form.main(
            box(-0.3, -0.3, 0.3, 0.75),
            box(-0.4, 0.6, 0.4, 0.98, 0.03),
            box(-0.38, -0.95, 0.38, -0.25, r.uniform(0.02, 0.3)),
        )
        form.light(box(-0.18, -0.15, 0.18, 0.5, 0.04))
        form.accent(stroke([(0, -0.15), (0, 0.25)], 0.03), ellipse(0, 0.3, 0.11, 0.11))
    elif kind == "cuckoo clock":
        size, y = 0.35, 0.1
        form.main(polygon((-0.6, -0.3), (0, -0.9), (0.6, -0.3), (0.55, 0.55), (-0.55, 0.55)))
        form.second(stroke([(-0.75, -0.15), (0, -0.9), (0.75, -0.15)], 0.12))
        form.dark(box(-0.12, -0.5, 0.12, -0.28, 0.05), stroke([(-0.2, 0.55), (-0.2, r.uniform(0.75, 1.0))], 0.03))
        form.accent(ellipse(0.2, 0.9, 0.07, 0.13), stroke([(0.2, 0.55), (0.2, 0.9)], 0.03))
    else:
        form.main(regular(0, y, size * 1.15, corners) if corners else ellipse(0, y, size * 1.1, size * 1.1))
        if r.random() < 0.3:
            form.accent(star(0, y, size * 1.25, r.choice((12, 16)), 0.75))
            form.has("with rays")
    form.second(ellipse(0, y, size * 0.95, size * 0.95))
    form.light(ellipse(0, y, size * 0.8, size * 0.8))
    marks = r.choice((4, 12))
    for index in range(marks):
        angle = 2 * math.pi * index / marks
        inner, outer = size * 0.64, size * 0.76
        form.dark(
            stroke(
                [
                    (inner * math.sin(angle), y - inner * math.cos(angle)),
                    (outer * math.sin(angle), y - outer * math.cos(angle)),
                ],
                0.03,
            )
        )
    for length, width in ((0.4, 0.06), (0.62, 0.04)):
        angle = r.uniform(0, 2 * math.pi)
        form.dark(stroke([(0, y), (size * length * math.sin(angle), y - size * length * math.cos(angle))], width))


def draw_cushion(form: Form, kind: str, r: random.Random) -> None:
    """Soft and flat things whose pattern counts."""
    a, b = r.uniform(0.65, 0.9), r.uniform(0.55, 0.85)
    if kind == "square cushion":
        pinch = r.uniform(0.75, 0.95)
        form.main(
            blob((-a, -b), (0, -b * pinch), (a, -b), (a * pinch, 0), (a, b), (0, b * pinch), (-a, b), (-a * pinch, 0))
        )
        if r.random() < 0.5:
            for x in (-a, a):
                form.accent(regular(x, b, 0.12, 7), regular(x, -b, 0.12, 7))
            form.has("with tassels")
    elif kind == "round cushion":
        form.second(petals(0, 0, a, r.choice((12, 16, 20)), r.uniform(0.03, 0.12)))
        form.main(ellipse(0, 0, a * 0.85, a * 0.85))
        form.accent(ellipse(0, 0, 0.09, 0.09))
    elif kind == "bolster":
        form.main(box(-a, -b * 0.4, a, b * 0.4, 0.1))
        form.second(ellipse(a, 0, 0.15, b * 0.4), ellipse(-a, 0, 0.15, b * 0.4))
    elif kind == "oval rug":
        form.second(ellipse(0, 0, a * 1.1, b * 0.7))
        form.main(ellipse(0, 0, a * 0.92, b * 0.55))
        form.accent(ellipse(0, 0, a * r.uniform(0.2, 0.55), b * r.uniform(0.15, 0.35)))
    else:
        for index in range(17):
            x = -b * 0.8 + b * 0.1 * index
            form.light(stroke([(x, -0.95), (x, 0.95)], 0.03))
        form.second(box(-b * 0.85, -0.86, b * 0.85, 0.86))
        form.main(box(-b * 0.65, -0.7, b * 0.65, 0.7))
        form.accent(
            r.choice(
                (
                    regular(0, 0, b * 0.5, 4),
                    star(0, 0, b * 0.5, 8),
                    ellipse(0, 0, b * 0.4, b * 0.6),
                    petals(0, 0, b * 0.5, 6),
                )
            )
        )


def draw_mirror(form: Form, kind: str, r: random.Random) -> None:
    """Mirrors and framed pictures."""
    a, b, rim = r.uniform(0.5, 0.7), r.uniform(0.7, 0.95), r.uniform(0.1, 0.24)
    if kind == "hand mirror":
        form.second(stroke([(0, 0.2), (0, 0.98)], r.uniform(0.12, 0.2), 0.16))
        form.main(ellipse(0, -0.3, a, a * r.uniform(0.95, 1.2)))
        form.light(ellipse(0, -0.3, a - rim, a - rim))
    elif kind == "oval mirror":
        form.main(petals(0, 0, 0.95, r.choice((8, 12, 16, 24)), r.uniform(0.0, 0.14)) * (a / 0.8, b / 0.95))
        form.light(ellipse(0, 0, a - rim, b - rim))
        form.accent(ellipse(0, -b, 0.14, 0.1))
    elif kind == "sunburst mirror":
        form.main(star(0, 0, 0.98, r.randint(9, 24), r.uniform(0.45, 0.7)))
        form.second(ellipse(0, 0, 0.5, 0.5))
        form.light(ellipse(0, 0, 0.42, 0.42))
    else:
        form.main(box(-a, -b, a, b, r.choice((0.0, 0.06))))
        form.second(box(-a + rim, -b + rim, a - rim, b - rim))
        form.light(box(-a + rim + 0.06, -b + rim + 0.06, a - rim - 0.06, b - rim - 0.06))
        low = b - rim - 0.08
        inner = a - rim - 0.06
        form.accent(
            polygon(
                (-inner, low),
                (-inner, r.uniform(-0.2, 0.3)),
                (r.uniform(-0.3, 0.3), r.uniform(-0.3, 0.2)),
                (inner, r.uniform(0, 0.3)),
                (inner, low),
            )
        )
        form.second(ellipse(r.uniform(-0.2, 0.2), -0.3, 0.1, 0.1))


def draw_figurine(form: Form, kind: str, r: random.Random) -> None:
    """Turned figures: chess pieces, candlesticks, trophies, bells."""
    foot, waist, chest = r.uniform(0.38, 0.5), r.uniform(0.12, 0.22), r.uniform(0.2, 0.34)
    if kind == "trophy":
        ear = ring(0.42, -0.4, r.uniform(0.15, 0.25), 0.22, 0.07)
        form.second(ear, mirrored(ear))
        form.main(turned_profile([(-0.85, 0.5), (-0.4, chest + 0.15), (0.0, 0.1), (0.3, 0.08), (0.5, 0.25)]))
        form.dark(box(-foot * 0.8, 0.5, foot * 0.8, 0.92))
        form.accent(
            r.choice((star(0, -0.45, 0.2, 5), ellipse(0, -0.45, 0.15, 0.15), heart(0, -0.45, 0.17))),
            box(-0.22, 0.62, 0.22, 0.8),
        )
        return
    if kind == "bell":
        form.second(ring(0, -0.75, 0.15, 0.17, 0.09), ellipse(0, 0.75, 0.15, 0.15))
        form.main(
            turned_profile(
                [(-0.6, 0.2), (-0.3, r.uniform(0.3, 0.42)), (0.3, r.uniform(0.4, 0.55)), (0.68, r.uniform(0.62, 0.8))]
            )
        )
        form.accent(
            stroke([(-0.5, 0.4), (0.5, 0.4)], r.uniform(0.06, 0.16)), stroke([(-0.33, -0.25), (0.33, -0.25)], 0.06)
        )
        return
    if kind == "candlestick":
        arms = r.choice((1, 1, 2))
        for x in (0.0,) if arms == 1 else (-0.5, 0.0, 0.5):
            if x:
                form.main(stroke(curve([(0, 0.2), (x * 0.8, 0.2), (x, -0.2)]), 0.09))
            form.light(box(x - 0.09, -0.85 + abs(x) * 0.5, x + 0.09, -0.1))
            form.accent(drop(x, -0.97 + abs(x) * 0.5, 0.13))
            form.second(polygon((x - 0.2, -0.25), (x + 0.2, -0.25), (x + 0.1, -0.08), (x - 0.1, -0.08)))
        form.main(
            turned_profile(
                [
                    (-0.1, 0.1),
                    (0.15, chest * r.uniform(0.4, 1.0)),
                    (0.4, waist * 0.6),
                    (0.6, waist),
                    (0.82, foot),
                    (0.92, foot),
                ]
            )
        )
        return
    form.second(turned_profile([(0.5, foot * 0.7), (0.65, foot * 0.75), (0.8, foot), (0.95, foot)]))
    form.main(
        turned_profile([(-0.35, chest * 0.75), (-0.1, waist), (0.3, waist * r.uniform(1.0, 1.4)), (0.55, foot * 0.75)])
    )
    form.accent(box(-chest, -0.36, chest, -0.24, 0.05))
    if kind == "chess pawn":
        form.main(ellipse(0, -0.55, r.uniform(0.24, 0.34), 0.28))
    elif kind == "chess rook":
        half = r.uniform(0.28, 0.38)
        form.main(polygon((-half * 0.85, -0.35), (half * 0.85, -0.35), (half, -0.8), (-half, -0.8)))
        for index in range(3):
            form.main(box(-half + half * 0.75 * index, -0.95, -half + half * 0.75 * index + half * 0.5, -0.75))
    elif kind == "chess bishop":
        form.main(drop(0, -0.62, r.uniform(0.3, 0.38)))
        form.accent(stroke([(0.0, -0.6), (0.2, -0.8)], 0.06), ellipse(0, -0.98, 0.07, 0.07))
    else:
        form.main(star(0, -0.55, 0.4, r.choice((5, 7, 9)), 0.6), ellipse(0, -0.5, 0.25, 0.2))
        form.accent(ellipse(0, -0.98, 0.08, 0.08))
