"""What of a catalog's picture is the product: all that a plain border does not reach.

Colours only, no model: catalogs show most products on white or on one light colour. What is not so is not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter

Color = tuple[int, int, int]

TOLERANCE = 20
"""How far a pixel may be from the border's colour and still be ground: of 255, in its worst channel."""

_MIN_PLAIN_SHARE = 0.6
_MIN_FOREGROUND_SHARE = 0.02
_MAX_FOREGROUND_SHARE = 0.98
_FILL_SIDE = 192
_MAX_SWEEPS = 24
_SOFT_PIXELS = 2
_RAMP = [min(255, max(0, (value - TOLERANCE) * 255 // (3 * TOLERANCE))) for value in range(256)]
_WHOLE = [0] * 255 + [255]


def border_color(image: Image.Image) -> Color:
    """The median colour of an RGB picture's outermost pixels."""
    red, green, blue = np.median(_border(image), axis=0)
    return int(red), int(green), int(blue)


def foreground_mask(image: Image.Image) -> Image.Image | None:
    """Find the product on a plain ground, by filling the ground from the border inwards.

    What the ground encloses (the hole of a cup's handle) counts as product. A part that has the ground's colour and
    touches it is lost: white sleeves on white.

    Args:
        image: RGB, any size.

    Returns:
        A picture of mode L and the same size: 255 product, 0 ground, in between along the edge. None where the border
        is not of one colour, or where nearly nothing or nearly everything would be product.
    """
    color = border_color(image)
    distances = np.abs(_border(image).astype(np.int16) - np.asarray(color, dtype=np.int16)).max(axis=1)
    if float((distances <= TOLERANCE).mean()) < _MIN_PLAIN_SHARE:
        return None
    small = image
    if max(image.size) > _FILL_SIDE:
        small = image.copy()
        small.thumbnail((_FILL_SIDE, _FILL_SIDE), Image.Resampling.BILINEAR)
    difference = _difference(small, color)
    product = ~_reached_from_border(np.asarray(difference) <= TOLERANCE)
    if not _MIN_FOREGROUND_SHARE <= float(product.mean()) <= _MAX_FOREGROUND_SHARE:
        return None
    mask = _with_soft_edge(Image.fromarray(product.astype(np.uint8) * 255), difference)
    return mask if mask.size == image.size else mask.resize(image.size, Image.Resampling.BILINEAR)


def _border(image: Image.Image) -> npt.NDArray[np.uint8]:
    """The outermost pixels, uint8 (n, 3)."""
    pixels = np.asarray(image)
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _difference(image: Image.Image, color: Color) -> Image.Image:
    """Mode L: each pixel's distance from the colour, in its worst channel."""
    red, green, blue = ImageChops.difference(image, Image.new("RGB", image.size, color)).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _with_soft_edge(mask: Image.Image, difference: Image.Image) -> Image.Image:
    """Let pixels beside the ground be as opaque as they differ from it: they are a mixture of both."""
    inner = mask.filter(ImageFilter.BoxBlur(_SOFT_PIXELS)).point(_WHOLE)
    return ImageChops.lighter(inner, ImageChops.darker(mask, difference.point(_RAMP)))


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Runs of equal values along an array's rows, in the array laid out flat; its last column must not be passable."""

    starts: npt.NDArray[np.intp]
    lengths: npt.NDArray[np.intp]

    @classmethod
    def of(cls, passable: npt.NDArray[np.bool_]) -> Self:
        flat = passable.ravel()
        starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
        return cls(starts, np.diff(starts, append=flat.size))

    def spread(self, reached: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Every run with a reached pixel as a whole."""
        runs = np.logical_or.reduceat(reached.ravel(), self.starts)
        return np.repeat(runs, self.lengths).reshape(reached.shape)


def _reached_from_border(passable: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which passable pixels are connected with the border's, (height, width).

    Whole runs at a time, rows and columns in turn: a handful of sweeps for a product, and no more than `_MAX_SWEEPS`
    for a labyrinth, whose inner part then counts as product.
    """
    # One more row and column, so that no run goes on from one line to the next.
    passable = np.pad(passable, (0, 1))
    reached = np.zeros_like(passable)
    reached[[0, -2]] = passable[[0, -2]]
    reached[:, [0, -2]] = passable[:, [0, -2]]
    rows, columns = _Runs.of(passable), _Runs.of(passable.T)
    count = -1
    for _ in range(_MAX_SWEEPS):
        reached = columns.spread(rows.spread(reached).T).T
        before, count = count, int(np.count_nonzero(reached))
        if count == before:
            break
    return reached[:-1, :-1]
