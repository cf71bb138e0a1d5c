"""Attributes fitted on what a training has gathered: calibrated, and left out where pictures do not show them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.encoder import Encoder
from embedder.inputs.picture import PicturePixels
from embedder.inputs.product_colors import width_of_colors
from embedder.recognition.attribute_model import Attributes, SeenPictures
from embedder.training.base_model import own_projections
from embedder.training.comparison import Stage
from embedder.training.heads.attribute_fit import FittedAttributes, fit_attributes
from embedder.training.pictures.features import Features
from embedder.training.pictures.gathering import Gathered
from embedder.training.pictures.shots import Shot
from embedder.training.settings import AttributeSettings

PATTERNS, COLORS = ("checked", "plain", "striped"), ("blue", "green", "red", "white")
PICTURE = ProductPicture(PicturePixels(np.zeros((2, 2), dtype=np.uint8)))


@pytest.fixture(scope="module")
def made(starter_bundle: Any) -> tuple[Encoder, Stage]:
    from embedder.encoder import open_encoder

    return open_encoder(starter_bundle, device="cpu"), Stage(*own_projections(starter_bundle))


def features(encoder: Encoder, count: int, seed: int, labelled: bool = True) -> Features:
    """The pattern lies in the levels, the colour in the palette, and a mood in nothing at all."""
    rng = np.random.default_rng(seed)
    pattern, color, mood = (rng.integers(0, size, count) for size in (len(PATTERNS), len(COLORS), 3))
    width = sum(encoder.info.level_widths)
    levels = rng.normal(size=(count, width)) * 0.5
    levels[np.arange(count), pattern] += 6.0
    shares = rng.dirichlet(np.ones(width_of_colors() - 4) * 0.05, count)
    shares[np.arange(count), color] += 2.0
    shares /= shares.sum(axis=1, keepdims=True)
    colors = np.concatenate([shares, rng.normal(size=(count, 4))], axis=1)
    shots = tuple(
        Shot(
            Product(
                f"{seed}-{row}",
                f"{COLORS[color[row]]} {PATTERNS[pattern[row]]} thing",
                (PICTURE,),
                attributes={
                    "pattern": PATTERNS[pattern[row]], "color": COLORS[color[row]], "mood": f"mood {mood[row]}",
                } if labelled else {},
            )
        )
        for row in range(count)
    )  # fmt: skip
    values = rng.normal(size=(count, 1280)).astype(np.float32)
    return Features(shots, values, (), levels.astype(np.float16), colors.astype(np.float16))


def fitted(
    made: tuple[Encoder, Stage], count: int = 300, held_out: int = 100, labelled: bool = True, **settings: Any
) -> FittedAttributes:
    encoder, stage = made
    sample = features(encoder, count, 0, labelled)
    nothing = features(encoder, 0, 9)
    gathered = Gathered(sample, features(encoder, held_out, 1, labelled), sample, nothing, nothing)
    return fit_attributes(encoder, stage, gathered, AttributeSettings(**settings), 0)


def accuracy(encoder: Encoder, attributes: Attributes, name: str) -> float:
    asked = features(encoder, 200, 2)
    assert asked.levels is not None
    assert asked.colors is not None
    semantic = np.zeros((200, encoder.info.semantic_dim), np.float32)
    seen = SeenPictures(semantic, asked.levels.astype(np.float32), asked.colors.astype(np.float32))
    values = next(model.values for model in attributes.models if model.name == name)
    found = attributes.judge_pictures(seen)[name].argmax(axis=1)
    own = [product.attributes[name] for product in asked.products]
    return float(np.mean([values[place] == value for place, value in zip(found, own, strict=True)]))


def test_what_levels_and_colours_show_is_recognised_on_others(made: tuple[Encoder, Stage]) -> None:
    found = fitted(made)
    assert found.attributes is not None
    assert [model.name for model in found.attributes.models] == ["pattern", "color"]
    assert all(model.is_calibrated for model in found.attributes.models)
    assert accuracy(made[0], found.attributes, "pattern") > 0.95
    assert accuracy(made[0], found.attributes, "color") > 0.95
    assert found.described["pattern"]["accuracy"] > 0.9
    assert found.described["color"]["values"] == 4


def test_what_no_picture_shows_is_left_out(made: tuple[Encoder, Stage]) -> None:
    assert fitted(made).described["mood"] == {
        "left_out": "pictures tell no more of it than how frequent its values are"
    }


def test_titles_tell_what_is_said(made: tuple[Encoder, Stage]) -> None:
    found = fitted(made).attributes
    assert found is not None
    texts = ["a red striped bag", "a bag"]
    judged = found.judge_texts(texts, made[0].semantic_texts(texts))
    models = {model.name: model for model in found.models}
    for name, value in (("color", "red"), ("pattern", "striped")):
        said, unsaid = judged[name]
        assert models[name].values[int(said.argmax())] == value
        assert said.max() >= models[name].least_sure["text"] > unsaid.max()


def test_without_held_out_products_nothing_is_called_calibrated(made: tuple[Encoder, Stage]) -> None:
    found = fitted(made, held_out=0)
    assert found.attributes is not None
    assert {model.name: model.is_calibrated for model in found.attributes.models}["pattern"] is False
    assert {model.least_sure["image"] for model in found.attributes.models} == {0.9}
    assert accuracy(made[0], found.attributes, "pattern") > 0.9


def test_a_catalog_without_columns_has_the_colour_of_its_pixels(made: tuple[Encoder, Stage]) -> None:
    found = fitted(made, labelled=False)
    assert found.attributes is not None
    (model,) = found.attributes.models
    assert (model.name, model.method, model.is_calibrated) == ("color", "pixels", False)


def test_a_list_of_words_is_told_apart_by_what_they_mean(made: tuple[Encoder, Stage]) -> None:
    found = fitted(made, words={"style": ("sporty", "elegant"), "color": ("light", "dark")})
    assert found.attributes is not None
    assert {model.name: model.method for model in found.attributes.models} == {
        "pattern": "head", "style": "names", "color": "names",
    }  # fmt: skip


def test_a_column_that_is_not_wanted_is_left_out(made: tuple[Encoder, Stage]) -> None:
    found = fitted(made, leave_out=("pattern",))
    assert found.described["pattern"] == {"left_out": "left out, as asked"}


def test_the_same_catalog_gives_the_same_model(made: tuple[Encoder, Stage]) -> None:
    first, second = fitted(made), fitted(made)
    assert first.described == second.described
