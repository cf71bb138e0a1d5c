"""The studio's pictures: drawn alike every time, differently by every hand, and as their properties say."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from embedder.datasets.studio.drawing import SIDE, draw_item
from embedder.datasets.studio.hands import CATALOG_HAND
from embedder.datasets.studio.items import KINDS, StudioItem, load_item, seeded
from embedder.datasets.studio.palette import PALETTE
from embedder.datasets.studio.patterns import PATTERNS
from embedder.datasets.studio.views import HANDS, VIEWS, draw_view, picture_of
from embedder.inputs.picture import decode_picture

SEED = 5


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_the_same_every_time_and_another_for_another_product_or_seed(view: str) -> None:
    pixels = draw_view(SEED, 3, view)
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    np.testing.assert_array_equal(pixels, draw_view(SEED, 3, view))
    for seed, number in ((SEED, 4), (SEED, 300), (SEED + 1, 3)):
        other = draw_view(seed, number, view)
        assert other.shape != pixels.shape or (other != pixels).any()


def test_every_hand_draws_in_its_own_way() -> None:
    drawn = [draw_view(SEED, 3, view).astype(int) for view in ("clean", *HANDS)]
    for index, one in enumerate(drawn):
        for other in drawn[index + 1 :]:
            assert np.abs(one - other).mean() > 5


def test_a_street_view_hides_some_of_the_product_and_shows_something_behind_it() -> None:
    clean, street = (draw_view(SEED, 3, view).astype(int) for view in ("clean", "street"))
    assert (clean.min(axis=2) > 250).mean() > 0.3
    assert (street.min(axis=2) > 250).mean() < 0.1
    assert min(street.shape[:2]) >= 128


def test_other_is_one_of_the_hands_and_not_always_the_same() -> None:
    used = set()
    for number in range(12):
        other = draw_view(SEED, number, "other")
        (hand,) = [hand for hand in HANDS if (draw_view(SEED, number, hand) == other).all()]
        used.add(hand)
    assert len(used) >= 3


def test_a_clean_view_is_on_white_and_whole() -> None:
    for number in range(40):
        pixels = draw_view(SEED, number, "clean")
        assert pixels.shape == (SIDE, SIDE, 3)
        for edge in (pixels[:4], pixels[-4:], pixels[:, :4], pixels[:, -4:]):
            assert edge.min() > 200
        inked = (pixels.min(axis=2) < 200).mean()
        assert 0.02 < inked < 0.8, number


def test_a_clean_view_has_the_first_colour() -> None:
    names = list(PALETTE)
    table = np.array([PALETTE[name] for name in names], dtype=float)
    right = compared = 0
    for number in range(60):
        item = load_item(SEED, number)
        if item.pattern != "plain" or item.colors[0] in ("white", "grey", "black"):
            continue
        pixels = draw_view(SEED, number, "clean").reshape(-1, 3).astype(float)
        product = pixels[pixels.min(axis=1) < 200]
        distances = np.abs(product[:, None] - table[None]).sum(axis=2)
        common = np.bincount(distances.argmin(axis=1), minlength=len(names)).argsort()[::-1][:6]
        compared += 1
        right += item.colors[0] in [names[index] for index in common]
    assert compared >= 10
    assert right >= 0.9 * compared


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_drawn_in_the_first_and_the_second_colour(pattern: str) -> None:
    family, kind = next(found for found in KINDS if found[1] == "square cushion")
    cushion = StudioItem(
        SEED, 0, "g", family, kind, ("red", "blue", "white"), pattern, 0.2, "cotton", (), price=1.0, in_stock=True
    )
    pixels = np.asarray(draw_item(cushion, replace(CATALOG_HAND, fill="flat", shadow=0.0), seeded(1))).astype(int)
    first, second = (np.abs(pixels - PALETTE[name]).sum(axis=2) < 60 for name in ("red", "blue"))
    if pattern == "plain":
        assert first.mean() > 0.3
        assert second.mean() == 0
    else:
        assert first.mean() > 0.04
        assert second.mean() > 0.04


class TestPicture:
    def test_it_is_drawn_when_it_is_decoded(self) -> None:
        picture = picture_of(SEED, 3, "hand1")
        np.testing.assert_array_equal(np.asarray(decode_picture(picture).image), draw_view(SEED, 3, "hand1"))

    def test_its_content_names_everything_that_it_depends_on(self) -> None:
        contents = {
            picture_of(*what).content
            for what in ((SEED, 3, "clean"), (SEED, 3, "hand1"), (SEED, 4, "clean"), (SEED + 1, 3, "clean"))
        }
        assert len(contents) == 4

    def test_it_can_be_sent_to_another_process(self) -> None:
        sent = pickle.loads(pickle.dumps(picture_of(SEED, 3, "clean")))
        np.testing.assert_array_equal(sent.draw(), draw_view(SEED, 3, "clean"))

    def test_an_unknown_view_is_refused(self) -> None:
        with pytest.raises(ValueError, match="view 'drone'; permitted: clean, other, hand1"):
            draw_view(SEED, 3, "drone")
