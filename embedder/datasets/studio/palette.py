"""The colours that products come in, by the names that titles use."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping

Color = tuple[int, int, int]
"""Red, green, blue; 0 to 255 each."""

PALETTE: Mapping[str, Color] = {
    "red": (203, 40, 44),
    "dark red": (116, 24, 36),
    "pink": (241, 150, 182),
    "magenta": (196, 38, 134),
    "orange": (238, 127, 32),
    "brown": (112, 70, 42),
    "beige": (214, 188, 150),
    "yellow": (246, 208, 52),
    "olive green": (122, 124, 50),
    "green": (52, 152, 72),
    "dark green": (22, 80, 58),
    "mint green": (150, 214, 178),
    "turquoise": (34, 168, 172),
    "light blue": (136, 190, 232),
    "blue": (40, 92, 196),
    "navy blue": (26, 38, 88),
    "purple": (110, 52, 150),
    "lilac": (186, 160, 218),
    "grey": (138, 140, 144),
    "black": (38, 38, 42),
    "white": (240, 240, 236),
}

_ALIKE: tuple[tuple[str, ...], ...] = (
    ("red", "dark red"),
    ("pink", "magenta"),
    ("orange",),
    ("brown", "beige"),
    ("yellow",),
    ("green", "dark green", "olive green"),
    ("mint green", "turquoise"),
    ("blue", "navy blue", "light blue"),
    ("purple", "lilac"),
    ("grey", "black"),
    ("white",),
)

TONES: Mapping[str, int] = {name: tone for tone, names in enumerate(_ALIKE) for name in names}
"""Which colours another hand's palette may make alike: variants of one shape never share a tone."""


def shifted(color: Color, hue: float, saturation: float, brightness: float) -> Color:
    """A colour as another palette has it.

    Args:
        color: as in the catalog.
        hue: degrees to turn it by.
        saturation: factor, 0 or more.
        brightness: factor, 0 or more.
    """
    h, s, v = colorsys.rgb_to_hsv(*(value / 255 for value in color))
    red, green, blue = colorsys.hsv_to_rgb((h + hue / 360) % 1, min(1.0, s * saturation), min(1.0, v * brightness))
    return round(red * 255), round(green * 255), round(blue * 255)


def mixed(color: Color, other: Color, share: float) -> Color:
    """A colour with `share` (0 to 1) of another in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, other, strict=True))
    return red, green, blue
