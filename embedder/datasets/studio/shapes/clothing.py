"""Clothing."""

from __future__ import annotations

import random

import numpy as np

from embedder.datasets.studio.shapes.form import Form
from embedder.datasets.studio.shapes.outlines import (
    blob,
    box,
    curve,
    ellipse,
    mirrored,
    polygon,
    regular,
    stroke,
)


def draw_hat(form: Form, kind: str, r: random.Random) -> None:
    """Hats: crown, brim, band."""
    tall, wide = r.uniform(0.6, 1.0), r.uniform(0.5, 0.7)
    if kind == "beanie":
        form.main(ellipse(0, 0.4, wide + 0.1, tall + 0.3, 180, 360))
        rim = r.uniform(0.2, 0.38)
        form.second(box(-wide - 0.15, 0.4 - rim / 2, wide + 0.15, 0.4 + rim / 2, 0.1))
        if r.random() < 0.6:
            form.accent(regular(0, 0.4 - tall - 0.36, r.uniform(0.14, 0.26), 11))
            form.has("with a pom-pom")
    elif kind == "baseball cap":
        form.main(ellipse(-0.1, 0.35, wide + 0.05, tall, 180, 360))
        reach = r.uniform(0.75, 1.0)
        form.second(blob((wide - 0.2, 0.3), (reach, 0.35), (reach + 0.05, 0.48), (0.3, 0.42)))
        form.accent(ellipse(-0.1, 0.35 - tall, 0.07, 0.05))
        for x in (-0.35, 0.1):
            form.dark(stroke(curve([(-0.1, 0.35 - tall), (x, 0.0), (x * 1.2, 0.33)]), 0.02))
    elif kind == "crown":
        points, height = r.choice((3, 5, 7)), r.uniform(0.5, 0.9)
        corners = [(-0.8, 0.5)]
        for index in range(points):
            left = -0.9 + 1.8 * index / points
            corners += [(left + 0.9 / points, 0.3 - height), (left + 1.8 / points, 0.1)]
        corners[-1] = (0.9, 0.05)
        form.main(polygon((-0.8, 0.5), (-0.9, 0.05), *corners[1:], (0.8, 0.5)))
        form.second(box(-0.82, 0.35, 0.82, 0.6, 0.05))
        for index in range(points):
            form.accent(ellipse(-0.9 + 1.8 * (index + 0.5) / points, 0.26 - height, 0.09, 0.09))
    elif kind == "party hat":
        form.main(polygon((-wide, 0.75), (0, -tall), (wide, 0.75)))
        form.second(ellipse(0, 0.75, wide, 0.12))
        form.accent(regular(0, -tall, r.uniform(0.12, 0.22), r.choice((5, 6, 8))))
    else:
        brim = {"top hat": 0.85, "bowler hat": 0.85, "sun hat": 1.05, "bucket hat": 0.85, "cowboy hat": 1.05}[kind]
        brim *= r.uniform(0.88, 1.0)
        top = {"top hat": -tall, "cowboy hat": -0.5 * tall, "bucket hat": -0.4 * tall}.get(kind, -0.35 * tall)
        curl = r.uniform(0.15, 0.35) if kind == "cowboy hat" else 0.0
        form.second(blob((-brim, 0.5 - curl), (0, 0.42), (brim, 0.5 - curl), (0.4, 0.66), (-0.4, 0.66)))
        if kind in ("bowler hat", "sun hat"):
            form.main(ellipse(0, 0.5, wide, 0.5 - top, 180, 360))
        elif kind == "cowboy hat":
            dip = r.uniform(0.05, 0.2)
            form.main(
                blob(
                    (-wide, 0.5),
                    (-wide * 0.85, top),
                    (-0.2, top - 0.1),
                    (0, top + dip),
                    (0.2, top - 0.1),
                    (wide * 0.85, top),
                    (wide, 0.5),
                )
            )
        else:
            flare = r.uniform(0.85, 1.15) if kind == "top hat" else r.uniform(0.7, 0.9)
            form.main(polygon((-wide, 0.52), (-wide * flare, top), (wide * flare, top), (wide, 0.52)))
        band = r.uniform(0.12, 0.26)
        form.accent(box(-wide, 0.48 - band, wide, 0.5, 0.03))
        if r.random() < 0.3:
            form.accent(blob((wide * 0.7, 0.3), (wide + 0.25, -0.4), (wide * 0.9, -0.1)))
            form.has("with a feather")


def draw_shirt(form: Form, kind: str, r: random.Random) -> None:
    """Tops: body, sleeves, neck."""
    half, hem = r.uniform(0.42, 0.55), r.uniform(0.75, 0.95)
    long = kind in ("long-sleeved shirt", "hoodie", "cardigan")
    if kind != "tank top" and kind != "waistcoat":
        reach = r.uniform(0.95, 1.05) if long else r.uniform(0.75, 0.95)
        drop = r.uniform(0.55, 0.85) if long else r.uniform(-0.2, 0.05)
        cuff = r.uniform(0.16, 0.3)
        sleeve = polygon((half - 0.05, -0.7), (reach, drop - 0.1), (reach - cuff, drop), (half - 0.05, -0.25))
        form.main(sleeve, mirrored(sleeve))
        if r.random() < 0.5:
            band = polygon(
                (reach, drop - 0.1), (reach + 0.03, drop), (reach - cuff + 0.02, drop + 0.1), (reach - cuff, drop)
            )
            form.second(band, mirrored(band))
    waist = half * r.uniform(0.85, 1.1)
    shoulder = half if kind not in ("tank top", "waistcoat") else half * 0.75
    form.main(
        polygon(
            (-shoulder, -0.72),
            (-0.2, -0.8),
            (0.2, -0.8),
            (shoulder, -0.72),
            (half, -0.3),
            (waist, hem),
            (-waist, hem),
            (-half, -0.3),
        )
    )
    depth = r.uniform(0.12, 0.35)
    if kind == "hoodie":
        form.second(blob((-0.34, -0.72), (0, -1.02), (0.34, -0.72), (0, -0.5)))
        form.dark(ellipse(0, -0.74, 0.18, 0.14))
        form.second(polygon((-0.3, 0.3), (0.3, 0.3), (0.4, 0.65), (-0.4, 0.65)))
    elif kind in ("cardigan", "waistcoat"):
        form.light(polygon((-0.2, -0.8), (0.2, -0.8), (0, -0.8 + 2.2 * depth)))
        form.second(stroke([(0, -0.8 + 2.2 * depth), (0, hem)], 0.08))
        for index in range(r.randint(2, 5)):
            form.accent(ellipse(0, 0.05 + 0.19 * index, 0.05, 0.05))
    elif kind == "polo shirt":
        form.second(polygon((-0.24, -0.82), (0, -0.62), (-0.2, -0.5)), polygon((0.24, -0.82), (0, -0.62), (0.2, -0.5)))
        form.second(box(-0.06, -0.62, 0.06, -0.62 + depth))
    else:
        form.light(ellipse(0, -0.8, 0.2, depth, 0, 180))
    if r.random() < 0.3:
        form.second(box(0.1, -0.25, 0.1 + r.uniform(0.18, 0.28), 0.02, 0.03))
        form.has("with a pocket")


def draw_trousers(form: Form, kind: str, r: random.Random) -> None:
    """Legs from a waistband."""
    length = {"shorts": 0.25, "capri trousers": 0.6}.get(kind, 0.98) + r.uniform(-0.08, 0.02)
    waist = r.uniform(0.36, 0.48)
    cuff = {"flared trousers": 0.42, "leggings": 0.14, "shorts": 0.34}.get(kind, 0.26) * r.uniform(0.85, 1.1)
    spread = r.uniform(0.28, 0.42)
    knee = 0.2 if kind in ("leggings", "flared trousers") else cuff
    crotch = r.uniform(-0.3, -0.1)
    leg = polygon(
        (0, -0.85),
        (waist, -0.85),
        (waist + 0.05, -0.3),
        (spread + knee / 2, (length - 0.3) / 2),
        (spread + cuff / 2, length),
        (spread - cuff / 2, length),
        (spread - knee / 2, (length - 0.3) / 2),
        (0, crotch),
    )
    form.main(leg, mirrored(leg))
    if r.random() < 0.4:
        turn_up = box(spread - cuff / 2 - 0.02, length - 0.13, spread + cuff / 2 + 0.02, length + 0.02)
        form.second(turn_up, mirrored(turn_up))
        form.has("with turn-ups")
    form.second(box(-waist - 0.01, -0.95, waist + 0.01, -0.82, 0.02))
    if kind == "dungarees":
        bib = r.uniform(0.24, 0.34)
        strap = stroke([(bib - 0.08, -0.9), (waist - 0.1, -1.35)], 0.1)
        form.main(box(-bib, -1.3, bib, -0.85, 0.05))
        form.second(strap, mirrored(strap), box(-0.14, -1.15, 0.14, -0.95, 0.03))
    pocket = stroke(curve([(waist * 0.45, -0.8), (waist * 0.6, -0.62), (waist, -0.6)]), 0.03)
    form.dark(pocket, mirrored(pocket))


def draw_dress(form: Form, kind: str, r: random.Random) -> None:
    """Dresses and skirts."""
    waist, flare, hem = r.uniform(0.2, 0.32), r.uniform(0.5, 0.85), r.uniform(0.75, 1.0)
    line = r.uniform(-0.35, -0.05)
    if kind == "pleated skirt":
        line = -0.7
    bend = r.uniform(-0.15, 0.2)
    side = curve([(waist, line), (waist + (flare - waist) * (0.4 + bend), (line + hem) / 2), (flare, hem)])
    if kind == "evening gown":
        side = curve([(waist, line), (waist * 1.1, 0.35), (flare * 0.9, 0.98)])
    form.main(np.concatenate([side, mirrored(side)[::-1]]))
    if kind == "pleated skirt":
        for share in (-0.7, -0.35, 0.0, 0.35, 0.7):
            form.dark(stroke([(waist * share, line), (flare * share, hem)], 0.025))
        form.second(box(-waist - 0.02, line - 0.14, waist + 0.02, line + 0.02, 0.03))
    else:
        bust = waist + r.uniform(0.02, 0.1)
        form.second(polygon((-bust, -0.75), (bust, -0.75), (waist, line), (-waist, line)))
        if kind == "summer dress":
            strap = stroke([(bust - 0.08, -0.74), (bust - 0.12, -1.0)], 0.06)
            form.second(strap, mirrored(strap))
        elif kind == "pinafore dress":
            sleeve = ellipse(bust + 0.05, -0.72, 0.2, 0.17)
            form.light(sleeve, mirrored(sleeve), ellipse(0, -0.8, 0.16, 0.1))
        form.accent(box(-waist - 0.03, line - 0.07, waist + 0.03, line + 0.06, 0.02))
    for tier in range(r.randint(0, 2)):
        y = hem - 0.03 - 0.22 * tier
        width = flare - (hem - y) * 0.45
        form.accent(stroke([(-width, y), (width, y)], 0.07))
        form.has("with ribbons")
