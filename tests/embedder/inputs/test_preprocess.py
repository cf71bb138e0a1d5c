"""Pixels for the tower are those that open_clip would make, in every resize mode."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import open_clip
import pytest
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from embedder.inputs.preprocess import LARGE, Preprocessing
from tests.conftest import draw_product

MEAN, STD = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
# Positions computed from another start may round a value the other way.
ONE_LEVEL = 1 / 255 / min(STD) + 1e-5
SIZES = [(64, 64), (97, 31), (31, 97), (500, 200), (3, 1), (64, 65), (1, 1), (33, 900)]


def noise(size: tuple[int, int]) -> Image.Image:
    pixels = np.random.default_rng(size[0]).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("box", [(64, 64), (48, 80)], ids=["square", "oblong"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_equals_open_clips_evaluation_transform(
    mode: str, interpolation: str, box: tuple[int, int], size: tuple[int, int]
) -> None:
    image = noise(size)
    config = PreprocessCfg(size=box, mean=MEAN, std=STD, interpolation=interpolation, resize_mode=mode, fill_color=9)
    expected = image_transform_v2(config, is_train=False)(image).numpy()
    (actual,) = Preprocessing(box, MEAN, STD, interpolation, mode, 9).apply([image])
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() < 1e-5


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("box", [(64, 64), (48, 80)], ids=["square", "oblong"])
@pytest.mark.parametrize("size", [(700, 3), (20, 1700), (1, 4001), (33, 9000)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_long_narrow_pictures_centre_is_what_scaling_all_of_it_gives(
    interpolation: str, box: tuple[int, int], size: tuple[int, int]
) -> None:
    image = noise(size)
    config = PreprocessCfg(size=box, mean=MEAN, std=STD, interpolation=interpolation, resize_mode="shortest")
    expected = image_transform_v2(config, is_train=False)(image).numpy()
    (actual,) = Preprocessing(box, MEAN, STD, interpolation, "shortest").apply([image])
    assert np.abs(actual - expected).max() < ONE_LEVEL


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("box", [(64, 64), (48, 80)], ids=["square", "oblong"])
def test_a_large_picture_scaled_in_two_steps_is_nearly_what_one_gives(mode: str, box: tuple[int, int]) -> None:
    image = draw_product("ellipse", "red", 0, side=1100).resize((1301, 1100))
    assert image.width * image.height >= LARGE
    config = PreprocessCfg(size=box, mean=MEAN, std=STD, interpolation="bicubic", resize_mode=mode)
    expected = image_transform_v2(config, is_train=False)(image).numpy()
    (actual,) = Preprocessing(box, MEAN, STD, "bicubic", mode).apply([image])
    assert 0 < np.abs(actual - expected).mean() < ONE_LEVEL / 10
    assert np.abs(actual - expected).max() < 8 * ONE_LEVEL


def test_part_of_an_image_is_scaled_as_if_it_were_all() -> None:
    image = noise((200, 150))
    whole = np.asarray(Preprocessing((48, 48), MEAN, STD).resize(image))
    framed = Image.new("RGB", (264, 250))
    framed.paste(image, (64, 100))
    part = np.asarray(Preprocessing((48, 48), MEAN, STD).resize(framed, (64, 100, 264, 250)))
    # Along the edges the filter sees what lies beyond.
    assert np.abs(part.astype(int) - whole)[2:, 2:].max() <= 1


def test_a_single_row_of_pixels_is_scaled_within_little_memory() -> None:
    """Scaled whole, it would be 224 rows of 6,720,000 pixels: 6 GB, of which this process may take 2."""
    code = """
import resource
import numpy as np
from PIL import Image
from embedder.inputs.preprocess import LARGE, Preprocessing
from tests.conftest import draw_product
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
row = np.random.default_rng(0).integers(0, 256, (1, 30_000, 3), dtype=np.uint8)
(pixels,) = Preprocessing((224, 224), (0.5,) * 3, (0.5,) * 3).apply([Image.fromarray(row)])
print(float(np.ptp(pixels, axis=1).max()), float(pixels.std()) > 0.1)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.0", "True"]


def test_reads_and_writes_open_clips_configuration() -> None:
    written = {"size": 96, "mean": 0.5, "std": [0.5, 0.5, 0.5], "interpolation": "random", "resize_mode": None}
    read = Preprocessing.from_open_clip(written)
    assert read == Preprocessing((96, 96), (0.5,) * 3, (0.5,) * 3, "bicubic", "shortest", 0)
    assert Preprocessing.from_open_clip(read.to_open_clip()) == read
    PreprocessCfg(**read.to_open_clip())


def test_a_batch_is_its_pictures_one_by_one() -> None:
    preprocessing = Preprocessing((32, 32), MEAN, STD)
    images = [noise(size) for size in SIZES]
    together = preprocessing.apply(images)
    assert together.dtype == np.float32
    assert np.array_equal(together, np.concatenate([preprocessing.apply([image]) for image in images]))
    assert preprocessing.apply([]).shape == (0, 3, 32, 32)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"size": (0, 5)}, "1 x 1 or more"),
        ({"interpolation": "nearest"}, "bicubic, bilinear"),
        ({"resize_mode": "stretch"}, "shortest, longest, squash"),
    ],
)
def test_refuses_what_it_cannot_do(fields: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Preprocessing(**{"size": (8, 8), "mean": MEAN, "std": STD, **fields})


def test_open_clip_is_the_version_that_was_compared() -> None:
    assert tuple(map(int, open_clip.__version__.split(".")[:2])) >= (3, 3)
