"""The product on a plain ground is what the ground does not reach."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from embedder.inputs.foreground import TOLERANCE, _reached_from_border, border_color, foreground_mask


def on(ground: tuple[int, int, int], size: tuple[int, int] = (120, 120)) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", size, ground)
    return image, ImageDraw.Draw(image)


def naive_reached(passable: np.ndarray) -> np.ndarray:
    """Pixel by pixel."""
    reached = np.zeros_like(passable)
    height, width = passable.shape
    waiting = [(y, x) for y in range(height) for x in range(width) if y in (0, height - 1) or x in (0, width - 1)]
    while waiting:
        y, x = waiting.pop()
        if 0 <= y < height and 0 <= x < width and passable[y, x] and not reached[y, x]:
            reached[y, x] = True
            waiting += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return reached


@pytest.mark.parametrize("ground", [(255, 255, 255), (240, 235, 220), (0, 0, 0), (90, 160, 90)], ids=str)
def test_a_thing_on_a_plain_ground_is_found_to_the_pixel(ground: tuple[int, int, int]) -> None:
    image, draw = on(ground)
    draw.rectangle((30, 40, 79, 99), fill=(200, 30, 140))
    mask = foreground_mask(image)
    assert mask is not None
    expected = np.zeros((120, 120), dtype=bool)
    expected[40:100, 30:80] = True
    assert np.array_equal(np.asarray(mask) == 255, expected)
    assert np.array_equal(np.asarray(mask) > 0, expected)


def test_what_the_ground_does_not_reach_is_product() -> None:
    image, draw = on((255, 255, 255))
    draw.ellipse((20, 20, 100, 100), outline=(0, 0, 0), width=6)
    mask = foreground_mask(image)
    assert mask is not None
    assert mask.getpixel((60, 60)) == 255
    assert mask.getpixel((2, 2)) == 0


def test_the_edge_is_soft() -> None:
    image, draw = on((255, 255, 255), (480, 480))
    draw.ellipse((80, 80, 400, 400), fill=(20, 20, 120))
    mask = foreground_mask(image.resize((120, 120), Image.Resampling.LANCZOS))
    assert mask is not None
    values = np.asarray(mask)
    assert ((values > 0) & (values < 255)).sum() > 50


def test_a_large_picture_has_a_mask_of_its_own_size() -> None:
    image, draw = on((255, 255, 255), (900, 500))
    draw.rectangle((300, 100, 600, 400), fill=(0, 90, 0))
    mask = foreground_mask(image)
    assert mask is not None
    assert mask.size == image.size
    assert float((np.asarray(mask) >= 128).mean()) == pytest.approx(301 * 301 / 450_000, abs=0.005)


@pytest.mark.parametrize("name", ["noise", "half and half", "nothing on it", "one pixel", "a speck", "one row"])
def test_where_there_is_no_plain_ground_or_nothing_on_it_there_is_no_mask(name: str) -> None:
    image, draw = on((255, 255, 255))
    if name == "noise":
        image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8))
    elif name == "half and half":
        draw.rectangle((0, 60, 120, 120), fill=(90, 20, 30))
    elif name == "one pixel":
        image = Image.new("RGB", (1, 1), (3, 200, 9))
    elif name == "a speck":
        draw.point((60, 60), fill=(0, 0, 0))
    elif name == "one row":
        image = Image.new("RGB", (5000, 1), (3, 200, 9))
    assert foreground_mask(image) is None


def test_the_borders_colour_is_its_median() -> None:
    image, draw = on((10, 20, 30))
    draw.rectangle((0, 0, 50, 0), fill=(255, 255, 255))
    assert border_color(image) == (10, 20, 30)


def test_the_filling_equals_one_pixel_by_pixel() -> None:
    rng = np.random.default_rng(1)
    for height, width, share in [(1, 1, 1.0), (1, 9, 0.5), (9, 1, 0.5), (2, 2, 0.7), (40, 30, 0.6), (33, 57, 0.7)]:
        for _ in range(5):
            passable = rng.random((height, width)) < share
            assert np.array_equal(_reached_from_border(passable), naive_reached(passable))


def test_a_labyrinth_is_given_up_on_rather_than_searched_for_long() -> None:
    """A spiral, one pixel wide: each turn of it takes a sweep. What is not reached counts as product."""
    side = 121
    passable = np.zeros((side, side), dtype=bool)
    y, x, step, length = 0, 0, 0, side - 1
    while length > 0:
        down, right = ((0, 1), (1, 0), (0, -1), (-1, 0))[step % 4]
        for _ in range(length):
            passable[y, x] = True
            y, x = y + down, x + right
        step += 1
        # The first three sides are whole; each later pair is shorter by a lane and its wall.
        length -= 2 if step > 2 and step % 2 else 0
    reached, whole = _reached_from_border(passable), naive_reached(passable)
    assert whole[passable].all()
    assert not reached[~passable].any()
    assert 0.5 < reached.sum() / whole.sum() < 1


def test_colours_within_the_tolerance_are_ground() -> None:
    image, draw = on((200, 200, 200))
    draw.rectangle((20, 20, 60, 60), fill=(200 + TOLERANCE, 200, 200))
    draw.rectangle((70, 70, 100, 100), fill=(200, 200 - TOLERANCE - 1, 200))
    mask = foreground_mask(image)
    assert mask is not None
    values = np.asarray(mask)
    assert values[30:50, 30:50].max() == 0
    assert values[75:95, 75:95].min() == 255
