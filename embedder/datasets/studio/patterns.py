"""Patterns: where a product's main parts have its second colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Grid = npt.NDArray[np.float32]

_SOFTNESS = 0.12


def _wave(u: Grid) -> Grid:
    wave: Grid = np.sin(u * np.float32(2 * np.pi))
    return wave


def _dots(u: Grid, v: Grid) -> Grid:
    dots: Grid = np.cos(u * np.float32(2 * np.pi)) + np.cos(v * np.float32(2 * np.pi)) - np.float32(0.9)
    return dots


def _triangle(u: Grid) -> Grid:
    triangle: Grid = np.abs(np.float32(2) * (u % 1) - np.float32(1))
    return triangle


PATTERNS: Mapping[str, Callable[[Grid, Grid], Grid] | None] = {
    "plain": None,
    "striped": lambda u, v: _wave(v),
    "pinstriped": lambda u, v: _wave(u * 2) - np.float32(0.75),
    "diagonally striped": lambda u, v: _wave((u + v) * np.float32(0.8)),
    "dotted": _dots,
    "checked": lambda u, v: _wave(u) * _wave(v),
    "tartan": lambda u, v: np.maximum(_wave(u), _wave(v)) - np.float32(0.55) - np.float32(0.4) * _wave(u * 2),
    "zigzag": lambda u, v: _wave(v + _triangle(u)),
    "wavy": lambda u, v: _wave(v + np.float32(0.25) * _wave(u)),
    "diamond": lambda u, v: _triangle(u * np.float32(0.9)) + _triangle(v * np.float32(0.7)) - np.float32(1.0),
    "starred": lambda u, v: (
        np.float32(0.22) - np.abs(_triangle(u) - np.float32(0.5)) * np.abs(_triangle(v) - np.float32(0.5)) * 6
    ),
    "half-and-half": lambda u, v: u,
}
"""Adjective to a function of the place (in repeats of the pattern) that is above 0 where the second colour is."""


def pattern_mask(name: str, u: Grid, v: Grid) -> npt.NDArray[np.uint8] | None:
    """How much of the second colour there is at each place, 0 to 255; None: the pattern is plain.

    Args:
        name: one of `PATTERNS`.
        u, v: float32, same shape: the place across and down the product, in repeats of the pattern.
    """
    function = PATTERNS[name]
    if function is None:
        return None
    share = function(u, v) * np.float32(255 / _SOFTNESS / 2) + np.float32(127)
    mask: npt.NDArray[np.uint8] = np.clip(share, 0, 255).astype(np.uint8)
    return mask
