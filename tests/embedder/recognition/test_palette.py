"""Colours by their names: what people call red is red, whatever its shade."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.recognition.palette import NAMES, color_count, color_shares, named_shares, to_lab


def plain(color: tuple[int, int, int], side: int = 4) -> np.ndarray:
    return np.full((side, side, 3), color, dtype=np.uint8)


def even(side: int = 4) -> np.ndarray:
    return np.ones((side, side))


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ((220, 30, 40), "red"),
        ((120, 20, 30), "red"),
        ((245, 245, 245), "white"),
        ((15, 15, 18), "black"),
        ((30, 60, 200), "blue"),
        ((25, 30, 80), "blue"),
        ((40, 150, 60), "green"),
        ((250, 215, 40), "yellow"),
        ((240, 130, 20), "orange"),
        ((100, 60, 30), "brown"),
        ((130, 130, 132), "grey"),
        ((110, 40, 150), "purple"),
        ((250, 150, 180), "pink"),
    ],
)
def test_a_plain_picture_has_the_colour_that_people_call_it(color: tuple[int, int, int], name: str) -> None:
    shares = named_shares(color_shares(plain(color), even())[None])[0]
    assert NAMES[int(shares.argmax())] == name
    assert shares.max() > 0.6


def test_shares_sum_to_one_and_follow_the_weights() -> None:
    pixels = np.concatenate([plain((220, 30, 40)), plain((30, 60, 200))])
    weights = np.concatenate([even() * 3, even()])
    shares = named_shares(color_shares(pixels, weights)[None])[0]
    assert shares.sum() == pytest.approx(1.0, abs=1e-5)
    assert shares[NAMES.index("red")] == pytest.approx(0.75, abs=0.01)
    assert shares[NAMES.index("blue")] == pytest.approx(0.25, abs=0.01)


def test_a_pixel_that_is_not_the_products_does_not_count() -> None:
    pixels = np.concatenate([plain((220, 30, 40)), plain((30, 60, 200))])
    weights = np.concatenate([even(), even() * 0])
    assert (color_shares(pixels, weights) == color_shares(plain((220, 30, 40)), even())).all()


def test_the_palette_covers_every_colour() -> None:
    rng = np.random.default_rng(0)
    shares = color_shares(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), np.ones((64, 64)))
    assert shares.shape == (color_count(),)
    assert shares.sum() == pytest.approx(1.0, abs=1e-5)


def test_lab_is_that_of_the_standard() -> None:
    """Reference values: white, black, and the primaries of sRGB under D65."""
    found = to_lab(np.asarray([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]]))
    assert found == pytest.approx(
        np.asarray([[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]), abs=0.1
    )
