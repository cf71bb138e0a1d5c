"""The suite finds what the untuned starter knows, and notices when a part of it is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from embedder.encoder import open_encoder
from embedder.inputs.preprocess import Preprocessing
from embedder.training.retention.figures import RetentionFigures, retention_loss
from embedder.training.retention.measured_model import MeasuredModel
from embedder.training.retention.parts import SKETCHES, STUDIO_KINDS
from embedder.training.retention.suite import RetentionSuite

SIZE = 120


@pytest.fixture(scope="module")
def suite() -> RetentionSuite:
    return RetentionSuite.drawn(SIZE)


@pytest.fixture(scope="module")
def starter(starter_bundle: Path, suite: RetentionSuite) -> MeasuredModel:
    """The untuned starter, which embeds the suite's pictures once for all tests."""
    model = MeasuredModel.of_encoder(open_encoder(starter_bundle, device="cpu", threads=1))
    seen: dict[bytes, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]] = {}
    read: dict[tuple[str, ...], npt.NDArray[np.float32]] = {}

    def embed_pixels(pixels: npt.NDArray[np.float32]):
        key = pixels.tobytes()
        return seen[key] if key in seen else seen.setdefault(key, model.embed_pixels(pixels))

    def embed_texts(texts: list[str]) -> npt.NDArray[np.float32]:
        key = tuple(texts)
        return read[key] if key in read else read.setdefault(key, model.embed_texts(texts))

    return replace(model, embed_pixels=embed_pixels, embed_texts=embed_texts)


@pytest.fixture(scope="module")
def untuned(suite: RetentionSuite, starter: MeasuredModel) -> RetentionFigures:
    return suite.measure(starter)


def with_pictures(
    model: MeasuredModel, change: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
) -> MeasuredModel:
    """The model with other semantic embeddings of pictures; the levels stay."""

    def embed_pixels(pixels: npt.NDArray[np.float32]):
        semantic, levels = model.embed_pixels(pixels)
        return unit(change(semantic)), levels

    return replace(model, embed_pixels=embed_pixels)


def with_texts(
    model: MeasuredModel, change: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
) -> MeasuredModel:
    return replace(model, embed_texts=lambda texts: unit(change(model.embed_texts(texts))))


def unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_the_starter_knows_far_more_than_chance_of_each_figure(untuned: RetentionFigures) -> None:
    # 44 and 60 titles, 60 pictures in each part, 120 names.
    assert untuned.text_recall_at_1 > 6 / 44
    assert untuned.text_recall_at_10 > 3 * 10 / 44
    assert untuned.wording_recall_at_1 > 60 / 120
    assert untuned.image_recall_at_1 > 24 / 60
    assert untuned.level_recall_at_1 is not None
    assert untuned.level_recall_at_1 > untuned.image_recall_at_1


def test_no_figure_is_at_its_end_so_that_each_can_fall_and_rise(untuned: RetentionFigures) -> None:
    assert max(untuned.to_dict().values()) < 1


def test_it_is_the_same_each_time(suite: RetentionSuite, starter: MeasuredModel, untuned: RetentionFigures) -> None:
    assert suite.measure(starter) == untuned


def test_a_text_side_that_confuses_words_is_noticed(
    suite: RetentionSuite, starter: MeasuredModel, untuned: RetentionFigures
) -> None:
    """Of 384 directions 24 are left, as where a projection has learnt a few categories and nothing else counts."""
    kept, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(384, 24)))
    collapsed = suite.measure(with_texts(starter, lambda texts: texts @ kept @ kept.T))
    loss = retention_loss(untuned, collapsed)
    assert loss.text > 0.15
    assert loss.image == 0
    assert collapsed.wording_recall_at_1 < untuned.wording_recall_at_1 - 0.15


def test_an_image_side_that_confuses_things_is_noticed(
    suite: RetentionSuite, starter: MeasuredModel, untuned: RetentionFigures
) -> None:
    noise = np.random.default_rng(0)
    blurred = suite.measure(
        with_pictures(starter, lambda pictures: pictures + noise.normal(0, 0.1, pictures.shape).astype(np.float32))
    )
    loss = retention_loss(untuned, blurred)
    assert loss.text > 0.05
    assert loss.image > 0.05
    assert blurred.wording_recall_at_1 == untuned.wording_recall_at_1
    assert blurred.level_recall_at_1 == untuned.level_recall_at_1


def test_levels_that_lose_what_they_tell_are_noticed(
    suite: RetentionSuite, starter: MeasuredModel, untuned: RetentionFigures
) -> None:
    def embed_pixels(pixels: npt.NDArray[np.float32]):
        semantic, levels = starter.embed_pixels(pixels)
        return semantic, levels[:, :16]

    shallow = suite.measure(replace(starter, embed_pixels=embed_pixels, level_widths=(16,)))
    assert shallow.level_recall_at_1 < untuned.level_recall_at_1 - 0.1
    assert replace(shallow, level_recall_at_1=untuned.level_recall_at_1) == untuned


def test_a_model_that_maps_everything_to_one_vector_finds_no_more_than_chance(
    suite: RetentionSuite, starter: MeasuredModel
) -> None:
    def one(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.tile(np.eye(1, rows.shape[1], dtype=np.float32), (len(rows), 1))

    figures = suite.measure(with_texts(with_pictures(starter, one), one))
    # Each title of a part has the same chance, and there are 44 and 60 of them.
    assert figures.text_recall_at_1 == pytest.approx(2 / 104)
    assert figures.text_recall_at_10 == pytest.approx(20 / 104)
    assert figures.image_recall_at_1 == pytest.approx(1 / 60)
    assert figures.wording_recall_at_1 == pytest.approx(1 / 120)


def test_levels_have_no_say_in_how_strong_or_where_they_are(
    suite: RetentionSuite, starter: MeasuredModel, untuned: RetentionFigures
) -> None:
    """Each level is centred on the suite and scaled to length 1: no weight of one against another is a parameter."""
    factors = np.repeat([3.0, 0.5, 1, 1, 2, 1, 1, 9], starter.level_widths).astype(np.float32)

    def embed_pixels(pixels: npt.NDArray[np.float32]):
        semantic, levels = starter.embed_pixels(pixels)
        return semantic, levels * factors + 2 * factors

    changed = suite.measure(replace(starter, embed_pixels=embed_pixels))
    assert changed.level_recall_at_1 == pytest.approx(untuned.level_recall_at_1, abs=0.02)


def test_a_model_without_levels_has_no_figure_of_them(suite: RetentionSuite, starter: MeasuredModel) -> None:
    def embed_pixels(pixels: npt.NDArray[np.float32]):
        return starter.embed_pixels(pixels)[0], None

    figures = suite.measure(replace(starter, embed_pixels=embed_pixels, level_widths=()))
    assert figures.level_recall_at_1 is None
    assert "level_recall_at_1" not in figures.to_dict()


@pytest.mark.parametrize("resize_mode", ["squash", "shortest", "longest"])
@pytest.mark.parametrize("size", [(40, 40), (48, 32)])
def test_kept_pictures_become_the_pixels_that_preprocessing_makes(resize_mode: str, size: tuple[int, int]) -> None:
    suite = RetentionSuite.drawn(8)
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    preprocessing = Preprocessing(size, mean, std, resize_mode=resize_mode)
    images = [image for part in suite.parts for image in (*part.pictures, *part.views)]
    for _ in range(2):
        kept = np.concatenate(list(suite.pixels(preprocessing, batch_size=5)))
        assert np.array_equal(kept, preprocessing.apply(images))
    other = replace(preprocessing, size=(24, 24))
    assert np.array_equal(np.concatenate(list(suite.pixels(other))), other.apply(images))


def test_a_shop_that_is_the_studio_is_measured_on_sketches_alone() -> None:
    both, alone = RetentionSuite.drawn(10), RetentionSuite.drawn(10, with_studio=False)
    assert [part.name for part in both.parts] == ["sketches", "studio"]
    assert [part.name for part in alone.parts] == ["sketches"]
    assert both.pictures == alone.pictures == 20


def test_what_the_shop_sells_is_left_out_of_all_parts() -> None:
    sold = {*SKETCHES, *STUDIO_KINDS} - {"zebra", "lemon", "axe", "wok"}
    sketches, studio = RetentionSuite.drawn(8, leave_out=sold).parts
    assert set(sketches.titles) == {"zebra", "lemon"}
    assert set(studio.titles) == {"axe", "wok"}


@pytest.mark.parametrize("size", [7, 2001])
def test_a_size_outside_its_range(size: int) -> None:
    with pytest.raises(ValueError, match=f"retention suite of {size} things; permitted: 8 to 2000"):
        RetentionSuite.drawn(size)
