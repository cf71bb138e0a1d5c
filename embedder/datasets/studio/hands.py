"""The hands that draw a product: the catalog's own, and others with their palette, stroke, crop and ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from embedder.datasets.studio.palette import Color

Fill = Literal["shaded", "flat", "washed", "hatched"]
Ground = Literal["plain", "paper", "fading"]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Hand:
    """How one hand draws. Of each range, every picture has a value of its own.

    Attributes:
        fill: shaded: light and grain; flat: one colour; washed: blotched and lighter, as with water; hatched: strokes.
        hue: degrees by which all colours are turned.
        saturation, brightness: factors of all colours.
        ink: of the outlines; None: a darker shade of the product's own colour.
        ink_width: pixels, 0 for none.
        ink_strength: 0 to 1.
        wobble: how far outlines stray, as a share of the product's size.
        strokes: how often each outline is drawn.
        ground: what is behind, and its two colours.
        size: the product's longer side, as a share of the picture's; above 1 it is cropped.
        shift: how far off the middle it is, at most, as a share of the picture's side.
        tilt: degrees, at most, to either side.
        stretch: width over height, over the catalog's.
        slant: how far its top is moved sideways, at most, as a share of its height.
        mirrored: how often left and right are exchanged, 0 to 1.
        light: where the light comes from: across (-1: left) and down (-1: above).
        shadow: strength of the shadow on the ground, 0 to 1.
    """

    fill: Fill = "shaded"
    hue: Range = (0, 0)
    saturation: Range = (1, 1)
    brightness: Range = (1, 1)
    ink: Color | None = None
    ink_width: int = 2
    ink_strength: float = 0.45
    wobble: float = 0.0
    strokes: int = 1
    ground: tuple[Ground, Color, Color] = ("plain", (255, 255, 255), (255, 255, 255))
    size: Range = (0.84, 0.84)
    shift: float = 0.0
    tilt: float = 0.0
    stretch: Range = (1, 1)
    slant: float = 0.0
    mirrored: float = 0.0
    light: tuple[float, float] = (-0.7, -0.7)
    shadow: float = 0.25


CATALOG_HAND = Hand()
"""Draws the clean views: centred, on white, in the catalog's own colours."""

OTHER_HANDS = (
    # An illustrator: thick dark outlines, flat and cooler colours, on a pale ground.
    Hand(
        fill="flat",
        hue=(4, 14),
        saturation=(0.6, 0.85),
        brightness=(0.95, 1.1),
        ink=(34, 36, 52),
        ink_width=7,
        ink_strength=1.0,
        ground=("plain", (214, 228, 232), (214, 228, 232)),
        size=(0.7, 0.95),
        shift=0.06,
        tilt=8,
        stretch=(0.86, 1.14),
        mirrored=0.5,
        shadow=0.0,
    ),
    # A pencil sketch, thinly coloured in, on cream paper.
    Hand(
        fill="hatched",
        hue=(-10, -2),
        saturation=(0.6, 0.9),
        brightness=(0.9, 1.1),
        ink=(72, 66, 66),
        ink_width=3,
        ink_strength=0.9,
        wobble=0.012,
        strokes=2,
        ground=("paper", (244, 236, 216), (226, 214, 188)),
        size=(0.75, 1.0),
        shift=0.06,
        tilt=12,
        stretch=(0.86, 1.14),
        mirrored=0.5,
        shadow=0.0,
    ),
    # Watercolour: blotched, pale, without outlines to speak of.
    Hand(
        fill="washed",
        hue=(-14, 6),
        saturation=(0.55, 0.85),
        brightness=(1.0, 1.15),
        ink_width=4,
        ink_strength=0.35,
        wobble=0.01,
        ground=("paper", (252, 250, 244), (236, 236, 232)),
        size=(0.7, 0.95),
        shift=0.07,
        tilt=10,
        stretch=(0.88, 1.12),
        slant=0.08,
        mirrored=0.5,
        shadow=0.0,
    ),
    # A poster: strong colours on a dark ground, cropped.
    Hand(
        fill="flat",
        hue=(-16, -6),
        saturation=(1.1, 1.4),
        brightness=(0.95, 1.15),
        ink=(250, 244, 230),
        ink_width=5,
        ink_strength=0.9,
        ground=("fading", (52, 46, 74), (96, 62, 92)),
        size=(0.9, 1.15),
        shift=0.08,
        tilt=15,
        stretch=(0.9, 1.1),
        mirrored=0.5,
        shadow=0.0,
    ),
    # A photographer in warm, dim light from the right, before a coloured backdrop and not quite in front of it.
    Hand(
        fill="shaded",
        hue=(12, 24),
        saturation=(0.55, 0.85),
        brightness=(0.4, 0.65),
        ink_strength=0.6,
        ground=("fading", (150, 118, 84), (66, 84, 92)),
        size=(0.48, 0.85),
        shift=0.12,
        tilt=28,
        stretch=(0.66, 0.86),
        slant=0.3,
        mirrored=0.5,
        light=(1.0, -0.4),
        shadow=0.7,
    ),
    # A flyer printed cheaply: bleached, warm, close up.
    Hand(
        fill="washed",
        hue=(6, 16),
        saturation=(0.7, 1.0),
        brightness=(0.85, 1.0),
        ink=(92, 40, 30),
        ink_width=4,
        ink_strength=0.75,
        wobble=0.006,
        ground=("plain", (250, 226, 150), (250, 226, 150)),
        size=(0.95, 1.2),
        shift=0.06,
        tilt=8,
        stretch=(1.0, 1.2),
        mirrored=0.5,
        shadow=0.0,
    ),
)
"""Hand 1, 2, ...: none of them draws clean views."""
