"""The suite's pictures are the same on each day, of things that the caller does not leave out, each shown twice."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from embedder.datasets.studio.items import KINDS
from embedder.inputs.street_views import UNSEEN_KINDS
from embedder.training.retention import parts
from embedder.training.retention.parts import SKETCHES, STUDIO_KINDS, Part, sketch_part, studio_part

PARTS = [sketch_part, studio_part]


@pytest.mark.parametrize("draw", PARTS)
def test_it_is_the_same_each_time(draw) -> None:
    first, again = draw(6), draw(6)
    assert first.titles == again.titles
    for one, other in zip([*first.pictures, *first.views], [*again.pictures, *again.views], strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other))


@pytest.fixture(scope="module", params=[(sketch_part, SKETCHES), (studio_part, STUDIO_KINDS)], ids=["sketch", "studio"])
def whole(request: pytest.FixtureRequest) -> tuple[Part, set[str]]:
    """A part with several pictures of some titles, and all titles that there are."""
    draw, titles = request.param
    return draw(80), set(titles)


def test_no_two_pictures_are_alike(whole) -> None:
    part, _ = whole
    seen = {image.tobytes() for image in (*part.pictures, *part.views)}
    assert len(seen) == 160
    assert all(image.mode == "RGB" for image in (*part.pictures, *part.views))


def test_titles_share_the_pictures_evenly(whole) -> None:
    part, titles = whole
    assert set(part.titles) == titles
    counts = Counter(part.owners.tolist()).values()
    assert sum(counts) == 80
    assert max(counts) - min(counts) == 1


@pytest.mark.parametrize("draw", PARTS)
def test_of_fewer_pictures_than_titles_each_has_a_title_of_its_own(draw) -> None:
    part = draw(10)
    assert len(set(part.titles)) == 10
    assert part.owners.tolist() == list(range(10))


@pytest.mark.parametrize(
    ("draw", "title", "left_out"),
    [
        (sketch_part, "wall clock", "Wall clock"),
        (sketch_part, "chain-link fence", "garden/Chain-Link_Fences"),
        (studio_part, "pair of cat-eye glasses", "cat-eye glasses"),
    ],
)
def test_a_kind_that_the_shop_has_can_be_left_out(draw, title: str, left_out: str) -> None:
    everything = {*SKETCHES, *STUDIO_KINDS}
    others = [name for name in everything if name not in (title, "axe", "wok", "zebra", "orange fruit", "lemon")]
    assert title in draw(3, others).titles
    assert title not in draw(2, [*others, left_out]).titles


def test_the_kinds_are_the_studios() -> None:
    assert set(STUDIO_KINDS) <= {kind for _, kind in KINDS}
    assert len(set(STUDIO_KINDS)) == len(STUDIO_KINDS)


def test_a_sketch_is_shown_as_training_never_does() -> None:
    assert set(parts.VIEW_KINDS) <= set(UNSEEN_KINDS)


@pytest.mark.parametrize("draw", PARTS)
def test_a_picture_that_is_alone_would_find_itself_always(draw) -> None:
    with pytest.raises(ValueError, match=r"1 pictures of .* titles; permitted: 2 or more"):
        draw(1)
    with pytest.raises(ValueError, match="permitted: 2 or more"):
        draw(4, {*SKETCHES, *STUDIO_KINDS})


def test_a_title_without_a_picture_is_refused() -> None:
    image = sketch_part(2).pictures[0]
    with pytest.raises(ValueError, match="titles without a picture, or pictures out of order"):
        Part("wrong", ("a", "b"), (image, image), (image, image), np.array([1, 1]))
    with pytest.raises(ValueError, match="2 pictures, 1 views, 2 owners"):
        Part("wrong", ("a", "b"), (image, image), (image,), np.array([0, 1]))
