"""Views of a picture: the same for the same seed, of every picture, and each what its name says."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

from embedder.inputs import street_views
from embedder.inputs.foreground import foreground_mask
from embedder.inputs.street_views import (
    KINDS,
    MAX_PIXELS,
    MAX_SIDE,
    MIN_SIDE,
    TRAINING_KINDS,
    UNSEEN_KINDS,
    in_view_size,
    street_view,
    training_view,
)
from tests.conftest import draw_product

SEEDS = range(12)


def disk(side: int = 160, color: tuple[int, int, int] = (200, 30, 40)) -> Image.Image:
    """A product on white, of a colour that neither greys nor white have."""
    image = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(image).ellipse((side * 0.2, side * 0.2, side * 0.8, side * 0.8), fill=color)
    return image


def speckled(width: int, height: int) -> Image.Image:
    """A picture without a plain border."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def array(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(np.int16)


ODD = {
    "1x1": Image.new("RGB", (1, 1), (9, 99, 200)),
    "28 grey": Image.fromarray(np.arange(784, dtype=np.uint16).reshape(28, 28).astype(np.uint8)).convert("RGB"),
    "very wide": speckled(3000, 3),
    "one row": Image.new("RGB", (200_000, 1), (0, 128, 0)),
    "all white": Image.new("RGB", (90, 60), "white"),
    "all black": Image.new("RGB", (60, 90), "black"),
    "no plain border": speckled(150, 150),
    "large": Image.new("RGB", (2400, 1800), (250, 250, 250)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ODD)
def test_every_kind_makes_a_view_of_every_picture(kind: str, name: str) -> None:
    before = ODD[name].tobytes()
    view = street_view(ODD[name], kind, 3)
    assert view.mode == "RGB"
    assert 1 <= view.width * view.height <= MAX_PIXELS * 1.01
    assert max(view.size) <= MAX_SIDE
    assert ODD[name].tobytes() == before


@pytest.mark.parametrize("size", [(60, 300), (300, 60), (2, 90)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_makes_a_view_of_a_narrow_picture_by_any_seed(kind: str, size: tuple[int, int]) -> None:
    image = in_view_size(Image.new("RGB", size, (200, 30, 30)))
    for seed in range(12):
        assert street_view(image, kind, seed).mode == "RGB"


@pytest.mark.parametrize("name", ODD)
def test_training_makes_a_view_of_every_picture(name: str) -> None:
    for seed in SEEDS:
        view = training_view(ODD[name], seed)
        assert view.mode == "RGB"
        assert 1 <= view.width * view.height <= MAX_PIXELS * 1.01


@pytest.mark.parametrize("name", ODD)
def test_a_picture_that_has_a_views_size_keeps_it(name: str) -> None:
    once = in_view_size(ODD[name])
    assert in_view_size(once) is once
    assert once.width * once.height <= MAX_PIXELS
    assert max(once.size) <= MAX_SIDE


def test_a_small_picture_is_enlarged_as_a_camera_would() -> None:
    assert min(street_view(disk(28), "darkened", 0).size) == MIN_SIDE


def test_a_seed_gives_the_same_view_in_another_process_and_another_seed_another() -> None:
    code = """
import hashlib
from tests.embedder.inputs.test_street_views import disk
from embedder.inputs.street_views import KINDS, street_view, training_view
for kind in KINDS:
    print(kind, hashlib.sha256(street_view(disk(), kind, 7).tobytes()).hexdigest())
print("training", hashlib.sha256(training_view(disk(), 7).tobytes()).hexdigest())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = dict(line.split() for line in done.stdout.splitlines())
    here = {kind: hashlib.sha256(street_view(disk(), kind, 7).tobytes()).hexdigest() for kind in KINDS}
    assert told == {**here, "training": hashlib.sha256(training_view(disk(), 7).tobytes()).hexdigest()}
    for kind in KINDS:
        views = {street_view(disk(), kind, seed).tobytes() for seed in SEEDS}
        # Two of them leave nothing to chance, and one has two sides to choose from.
        few = {"darkened": 1, "mirrored": 1, "rotated": 2}
        assert len(views) == few[kind] if kind in few else len(views) > len(SEEDS) - 3, kind
    assert len({training_view(disk(), seed).tobytes() for seed in SEEDS}) == len(SEEDS)


def test_an_unknown_kind_is_refused_with_the_permitted_ones() -> None:
    with pytest.raises(ValueError, match="'fog'; permitted: busy_background, small_on_grey"):
        street_view(disk(), "fog", 0)


def test_kinds_are_used_in_training_or_never() -> None:
    assert {*TRAINING_KINDS, *UNSEEN_KINDS} == set(KINDS)
    assert not {*TRAINING_KINDS} & {*UNSEEN_KINDS}
    assert len({kind.label for kind in KINDS.values()}) == len(KINDS)


def test_training_never_shows_what_is_kept_for_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each unseen kind's own operation: none is reached from `training_view`."""

    def kept(*arguments: object) -> Image.Image:
        raise AssertionError("training used a kind that is kept for measuring")

    for name in ("add_flare", "compress", "defocus", "occlude", "scale_channels", "smear", "tilt"):
        monkeypatch.setattr(street_views, name, kept)
    for seed in range(60):
        training_view(disk(64), seed)
    for kind in UNSEEN_KINDS:
        if kind != "mirrored":
            with pytest.raises(AssertionError, match="kept for measuring"):
                street_view(disk(64), kind, 0)


def test_no_background_is_both_measured_with_and_learnt_from() -> None:
    measured = [array(street_view(disk(), "busy_background", seed))[:8, :8] for seed in range(40)]
    for seed in range(40):
        corner = array(training_view(disk(), seed))[:8, :8]
        if corner.std() > 1:
            assert all(not np.array_equal(corner, other) for other in measured)


def test_rotated_is_15_degrees_either_way_and_its_corners_have_the_borders_colour() -> None:
    image = Image.new("RGB", (160, 160), (230, 240, 250))
    ImageDraw.Draw(image).line((80, 80, 80, 10), (200, 0, 0), 4)
    angles = set()
    for seed in SEEDS:
        view = array(street_view(image, "rotated", seed))
        for corner in (view[0, 0], view[0, -1], view[-1, 0], view[-1, -1]):
            assert np.abs(corner - (230, 240, 250)).max() <= 1
        rows, columns = np.nonzero(view[..., 1] < 120)
        top = rows.argmin()
        angles.add(round(float(np.degrees(np.arctan2(columns[top] - 79.5, 79.5 - rows[top])))))
    assert len(angles) == 2
    for angle in angles:
        assert abs(abs(angle) - 15) <= 1


def test_darkened_has_a_third_of_the_light() -> None:
    view = array(street_view(disk(), "darkened", 0))
    assert np.abs(view - np.round(array(disk()) * 0.35)).max() <= 1


def test_cropped_is_a_window_of_the_picture() -> None:
    image = speckled(150, 200)
    for seed in SEEDS:
        view = array(street_view(image, "cropped", seed))
        assert view.shape == (160, 120, 3)
        corners = np.argwhere((array(image) == view[0, 0]).all(axis=2))
        assert any(
            np.array_equal(array(image)[row : row + 160, column : column + 120], view) for row, column in corners
        )


def test_a_busy_background_leaves_the_product_and_changes_the_rest() -> None:
    image = array(disk())
    product = (np.abs(image - (200, 30, 40)).max(axis=2)) == 0
    inner = np.zeros_like(product)
    inner[50:110, 50:110] = True
    for seed in SEEDS:
        view = array(street_view(disk(), "busy_background", seed))
        assert np.array_equal(view[product & inner], image[product & inner])
        ground = view[(image == 255).all(axis=2)]
        assert (ground.min(axis=1) < 250).mean() > 0.9
        assert ground.std() > 10


def test_without_a_plain_border_the_whole_picture_stands_on_the_clutter() -> None:
    image = Image.fromarray(np.tile(np.arange(160, dtype=np.uint8)[:, None, None], (1, 160, 3)))
    assert foreground_mask(image) is None
    view = street_view(image, "busy_background", 0)
    assert view.size == (160, 160)
    assert not np.array_equal(array(view)[0], array(image)[0])


@pytest.mark.parametrize("size", [(160, 160), (300, 150), (140, 280)], ids=str)
def test_small_on_grey_shows_all_of_the_product_on_a_grey_square(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((10, 10, size[0] - 10, size[1] - 10), fill=(200, 30, 40))
    places = set()
    for seed in SEEDS:
        view = array(street_view(image, "small_on_grey", seed))
        assert view.shape[0] == view.shape[1] == max(size)
        rows, columns = np.nonzero(view[..., 0] - view[..., 1] > 60)
        seen = max(np.ptp(rows), np.ptp(columns)) / max(size)
        assert 0.3 <= seen <= 0.5
        places.add((int(rows.min()), int(columns.min())))
        corner = view[0, 0]
        assert corner.min() == corner.max()
        assert 90 <= corner[0] <= 190
    assert len(places) > len(SEEDS) // 2


def test_occluded_hides_15_to_30_percent_of_the_product() -> None:
    image = array(disk())
    product = (image == (200, 30, 40)).all(axis=2)
    for seed in range(40):
        hidden = (array(street_view(disk(), "occluded", seed)) != image).any(axis=2)
        assert 0.12 <= hidden[product].mean() <= 0.33, seed


def test_blurred_and_jpeg_lose_detail() -> None:
    image = speckled(160, 160)
    for kind in ("blurred", "jpeg"):
        for seed in SEEDS:
            assert (
                np.diff(array(street_view(image, kind, seed)), axis=1).std() < np.diff(array(image), axis=1).std() / 2
            )


def test_a_colour_cast_keeps_the_light_and_shifts_the_hue() -> None:
    grey = Image.new("RGB", (130, 130), (120, 120, 120))
    for seed in SEEDS:
        color = array(street_view(grey, "color_cast", seed))[0, 0]
        assert color.max() - color.min() > 20
        assert 80 < color.mean() < 140


def test_overexposed_is_brighter_everywhere() -> None:
    image = draw_product("ellipse", "blue", 1, 130)
    for seed in SEEDS:
        view = array(street_view(image, "overexposed", seed))
        assert (view >= array(image)).all()
        assert (view > array(image) + 30).any()


def test_perspective_moves_the_corners_inwards() -> None:
    """All four corners of a square that fills the picture stay in view, and opposite sides are no longer of one length."""
    image = Image.new("RGB", (160, 160), "white")
    ImageDraw.Draw(image).rectangle((2, 2, 157, 157), fill="black")
    ImageDraw.Draw(image).rectangle((72, 72, 88, 88), fill=(255, 0, 0))
    for seed in SEEDS:
        view = array(street_view(image, "perspective", seed))
        black = view[..., 1] < 100
        left, right = black[:, 40].sum(), black[:, 120].sum()
        upper, lower = black[40].sum(), black[120].sum()
        assert max(abs(int(left) - int(right)), abs(int(upper) - int(lower))) >= 3
        assert black.mean() > 0.3
        red = (view[..., 0] > 200) & (view[..., 1] < 60)
        rows, columns = np.nonzero(red)
        assert 40 < rows.mean() < 120
        assert 40 < columns.mean() < 120


def test_mirrored_is_mirrored() -> None:
    image = speckled(140, 150)
    assert np.array_equal(array(street_view(image, "mirrored", 0)), array(image)[:, ::-1])
