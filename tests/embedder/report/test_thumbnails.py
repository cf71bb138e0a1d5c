"""Thumbnails keep a picture's shape, and fit into a page."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from embedder.report.thumbnails import SIDE, thumbnail


def decoded(uri: str) -> Image.Image:
    kind, data = uri.split(",", 1)
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(
    ("size", "small"),
    [((1000, 500), (SIDE, SIDE // 2)), ((28, 28), (28, 28)), ((4000, 1), (SIDE, 1)), ((1, 1), (1, 1))],
)
def test_the_longer_side_is_bounded_and_nothing_is_enlarged(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert decoded(thumbnail(Image.new("RGB", size, (220, 30, 40)))).size == small


def test_the_picture_is_still_the_picture() -> None:
    image = Image.new("RGB", (400, 400), "white")
    image.paste((20, 30, 200), (0, 0, 400, 200))
    red, green, blue = decoded(thumbnail(image)).convert("RGB").getpixel((SIDE // 2, SIDE // 4))  # type: ignore[misc]
    assert blue > 180
    assert max(red, green) < 60


def test_other_modes_are_shown_too() -> None:
    for mode in ("L", "P", "RGBA", "1"):
        assert decoded(thumbnail(Image.new(mode, (300, 200)))).mode == "RGB"


def test_a_hundred_of_them_are_below_a_megabyte() -> None:
    noise = Image.effect_noise((600, 600), 60).convert("RGB")
    assert len(thumbnail(noise)) < 15_000
