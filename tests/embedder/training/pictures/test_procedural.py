"""Pictures that show nothing in particular: the same on every machine, and of many kinds."""

from __future__ import annotations

import hashlib

import numpy as np

from embedder.training.pictures.procedural import SIDE, draw_procedural


def test_a_number_gives_the_same_picture_again_and_each_another_one() -> None:
    drawn = [draw_procedural(number) for number in range(16)]
    assert all(np.array_equal(picture, draw_procedural(number)) for number, picture in enumerate(drawn))
    assert len({hashlib.sha256(picture.tobytes()).digest() for picture in drawn}) == 16


def test_they_are_colour_pictures_of_one_size() -> None:
    for number in range(8):
        picture = draw_procedural(number)
        assert picture.shape == (SIDE, SIDE, 3)
        assert picture.dtype == np.uint8


def test_hardly_any_is_empty_and_they_differ_in_light_colour_and_detail() -> None:
    drawn = np.stack([draw_procedural(number) for number in range(80)]).astype(np.float32)
    deviation = drawn.std(axis=(1, 2, 3))
    assert (deviation > 2).mean() > 0.95
    detail = np.abs(np.diff(drawn, axis=2)).mean(axis=(1, 2, 3))
    assert np.percentile(detail, 90) > 5 * np.percentile(detail, 10)
    colour = drawn.mean(axis=(1, 2))
    assert colour.std(axis=0).min() > 20
