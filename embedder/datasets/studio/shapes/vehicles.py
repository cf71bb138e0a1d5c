"""What drives, swims and flies."""

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
    ring,
    star,
    stroke,
    turned,
)


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
        _draw_car(form, r, floor, wheel)
    elif kind == "toy bus":
        _draw_bus(form, r, floor, wheel)
    elif kind in ("toy lorry", "tipper lorry"):
        _draw_lorry(form, kind, r, floor, wheel)
    elif kind == "tractor":
        _draw_tractor(form, r)
    elif kind == "steam engine":
        _draw_steam_engine(form, r)
    else:
        _draw_racing_car(form, r)


def _draw_car(form: Form, r: random.Random, floor: float, wheel: float) -> None:
    """A car."""
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


def _draw_bus(form: Form, r: random.Random, floor: float, wheel: float) -> None:
    """A bus."""
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


def _draw_lorry(form: Form, kind: str, r: random.Random, floor: float, wheel: float) -> None:
    """A lorry, with a box or a tipper."""
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


def _draw_tractor(form: Form, r: random.Random) -> None:
    """A tractor."""
    big = r.uniform(0.38, 0.48)
    form.main(box(-0.2, -0.1, 0.85, 0.45, 0.08))
    form.second(polygon((-0.7, 0.2), (-0.65, -0.75), (0.0, -0.75), (0.1, 0.2)))
    form.light(polygon((-0.55, -0.05), (-0.52, -0.62), (-0.1, -0.62), (-0.04, -0.05)))
    form.metal(stroke([(0.55, -0.1), (0.55, -r.uniform(0.4, 0.65))], 0.08))
    for index in range(r.randint(2, 4)):
        form.accent(stroke([(0.35 + 0.13 * index, 0.0), (0.35 + 0.13 * index, 0.3)], 0.04))
    _wheels(form, (-0.45,), 0.85 - big, big)
    _wheels(form, (0.65,), 0.85 - 0.22, 0.22)


def _draw_steam_engine(form: Form, r: random.Random) -> None:
    """A steam engine."""
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


def _draw_racing_car(form: Form, r: random.Random) -> None:
    """A racing car."""
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
