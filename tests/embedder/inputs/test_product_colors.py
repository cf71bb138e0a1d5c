"""Colours of the product, not of what is around it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from embedder.inputs.product_colors import product_colors, width_of_colors
from embedder.recognition.attribute_model import GROUND
from embedder.recognition.palette import NAMES, named_shares


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).transpose(2, 0, 1)


def on_ground(color: tuple[int, int, int], ground: tuple[int, int, int], side: int = 96) -> Image.Image:
    image = Image.new("RGB", (side, side), ground)
    ImageDraw.Draw(image).ellipse([side // 3, side // 3, side * 2 // 3, side * 2 // 3], fill=color)
    return image


def named(found: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, named_shares(found[None, :-GROUND])[0].tolist(), strict=True))


@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 0, 0), (90, 200, 90)])
def test_a_plain_ground_does_not_count(ground: tuple[int, int, int]) -> None:
    found = product_colors(pixels(on_ground((220, 30, 40), ground)))
    assert found.shape == (width_of_colors(),)
    assert named(found)["red"] > 0.9
    assert found[-1] == 1.0


def test_a_busy_ground_counts_less_than_the_middle() -> None:
    rng = np.random.default_rng(0)
    noisy = Image.fromarray(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))
    ImageDraw.Draw(noisy).ellipse([24, 24, 72, 72], fill=(30, 60, 200))
    found = product_colors(pixels(noisy))
    assert max(named(found), key=named(found).__getitem__) == "blue"
    assert found[-1] == 0.0


def test_the_ground_tells_the_light() -> None:
    white, warm = (
        product_colors(pixels(on_ground((40, 40, 40), ground))) for ground in ((250, 250, 250), (250, 220, 160))
    )
    assert white[-GROUND] > warm[-GROUND]
    assert abs(white[-2]) < 0.02 < warm[-2]


@pytest.mark.parametrize("side", [1, 2, 17, 224])
def test_a_picture_of_one_colour_has_that_colour_at_any_size(side: int) -> None:
    found = product_colors(pixels(Image.new("RGB", (side, side), (220, 30, 40))))
    assert named(found)["red"] > 0.9
    assert np.isfinite(found).all()
