"""Colours that a product's pixels are counted in, and the eleven words for them.

The palette is a grid in CIELAB (CIE 1976, white point D65), where distances are about as large as people see them; the
words are the basic colour terms of English (Berlin and Kay, "Basic Color Terms", 1969), each given by a few reference
colours. Light is not corrected for here: a white shirt under a bulb is beige.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

REFERENCES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "black": ((0, 0, 0), (36, 36, 38), (20, 20, 30)),
    # In CIELAB strong blues lie near to purple, so that blue has more of them.
    "blue": (
        (0, 0, 255), (40, 90, 190), (20, 40, 100), (110, 160, 225), (150, 195, 235), (60, 110, 150),
        (0, 0, 150), (35, 55, 200), (70, 95, 230), (60, 70, 150),
    ),
    "brown": ((110, 65, 35), (75, 45, 25), (150, 100, 60), (175, 130, 90)),
    "green": ((0, 160, 60), (20, 85, 50), (120, 185, 70), (115, 120, 50), (150, 215, 170), (30, 150, 130)),
    "grey": ((128, 128, 128), (90, 92, 95), (170, 172, 175), (62, 63, 66)),
    "orange": ((255, 140, 0), (238, 120, 30), (225, 95, 30)),
    "pink": ((255, 150, 185), (240, 190, 200), (225, 60, 140), (250, 120, 120)),
    "purple": ((128, 0, 128), (105, 50, 150), (180, 155, 215), (75, 30, 85)),
    "red": ((225, 20, 30), (165, 25, 30), (110, 20, 30), (205, 60, 60)),
    "white": ((255, 255, 255), (242, 242, 240), (235, 232, 222)),
    "yellow": ((255, 225, 0), (245, 205, 50), (250, 235, 140), (205, 170, 40)),
}  # fmt: skip
"""Red, green, blue, 0 to 255 each, of typical and of extreme examples."""

NAMES: tuple[str, ...] = tuple(REFERENCES)

_STEPS = (8, 10, 10)
"""Cells of lightness (0 to 100), and of a and b (-80 to 80; what is beyond counts to the last)."""

_TO_XYZ = np.asarray([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""Of linear sRGB (IEC 61966-2-1)."""

_WHITE = np.asarray([0.9505, 1.0, 1.0890])


def color_count() -> int:
    """How many colours the palette has."""
    return int(_palette()[0].max()) + 1


def color_shares(pixels: npt.NDArray[np.uint8], weights: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """How much of a product has each colour of the palette, float32 (colours,), sum 1.

    Args:
        pixels: RGB, uint8 (height, width, 3).
        weights: how much each pixel is the product, 0 or more and not all 0, (height, width).
    """
    found = _palette()[0][_keys(pixels)]
    totals = np.bincount(found.ravel(), weights=weights.ravel(), minlength=color_count())
    return np.asarray(totals / totals.sum(), dtype=np.float32)


def named_shares(shares: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Shares of the palette's colours, (n, colours), as shares of `NAMES`, float32 (n, 11)."""
    return np.asarray(shares @ _palette()[1], dtype=np.float32)


def to_lab(rgb: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """sRGB, 0 to 255, (n, 3), to CIELAB, float64 (n, 3): lightness 0 to 100, a and b about -128 to 127."""
    share = np.asarray(rgb, dtype=np.float64) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    relative = linear @ _TO_XYZ.T / _WHITE
    root = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def _keys(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """15 bits of each pixel: so few colours that all of them are looked up in a table."""
    red, green, blue = (pixels[..., channel].astype(np.int32) >> 3 for channel in range(3))
    return np.asarray(red << 10 | green << 5 | blue)


@cache
def _palette() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The place of each 15-bit colour in the palette, (32768,), and how much of each of the palette's colours has each
    name, float32 (colours, 11). Cells of the grid that no colour falls into are left out.
    """
    keys = np.arange(2**15)
    lab = to_lab(np.stack([keys >> 10, keys >> 5 & 31, keys & 31], axis=1) * 8.0 + 4.0)
    scaled = np.stack([lab[:, 0] / 100, (lab[:, 1] + 80) / 160, (lab[:, 2] + 80) / 160], axis=1)
    cells = np.clip((scaled * _STEPS).astype(np.int64), 0, np.asarray(_STEPS) - 1)
    _, places = np.unique(np.ravel_multi_index(tuple(cells.T), _STEPS), return_inverse=True)
    references = to_lab(np.asarray([color for colors in REFERENCES.values() for color in colors]))
    owners = np.repeat(np.arange(len(NAMES)), [len(colors) for colors in REFERENCES.values()])
    distances = np.square(lab[:, None, :] - references[None, :, :]).sum(axis=2)
    named = np.zeros((int(places.max()) + 1, len(NAMES)))
    np.add.at(named, (places, owners[distances.argmin(axis=1)]), 1.0)
    return places.astype(np.int32), np.asarray(named / named.sum(axis=1, keepdims=True), dtype=np.float32)
