"""A model's attributes: each judged by what is known of it, and the same after they were written and read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedder.errors import BundleCorrupt
from embedder.inputs.product_colors import width_of_colors
from embedder.recognition.attribute_file import ATTRIBUTES_FILE, load_attributes, save_attributes
from embedder.recognition.attribute_model import (
    AttributeModel,
    Attributes,
    NameWeights,
    PictureClassifier,
    SeenPictures,
    picture_inputs,
)
from embedder.recognition.palette import NAMES, color_shares
from embedder.recognition.value_names import ValueNames

WIDTHS, DIM = (3, 2), 4
INPUTS = sum(WIDTHS) + width_of_colors()
LEAST = {"image": 0.8, "text": 0.7}


def names(*values: str) -> ValueNames:
    count = len(values)
    return ValueNames(values, np.eye(count, DIM, dtype=np.float32), np.full(count, 1 / count, np.float32))


def by_levels(name: str = "pattern") -> AttributeModel:
    """Striped where the first value of the first level is above the mean, else plain."""
    weight = np.zeros((2, INPUTS), dtype=np.float32)
    weight[0, 0], weight[1, 0] = 3.0, -3.0
    pictures = PictureClassifier(weight, np.zeros(2, np.float32))
    return AttributeModel(name, names("striped", "plain"), pictures, dict(LEAST), is_calibrated=True)


def by_names() -> AttributeModel:
    pictures = NameWeights(np.asarray([0.2, 0.0], np.float32), 20.0)
    return AttributeModel("style", names("sporty", "elegant"), pictures, dict(LEAST), is_calibrated=False)


def by_pixels() -> AttributeModel:
    named = ValueNames(NAMES, np.eye(11, 12, dtype=np.float32)[:, :DIM] + 0, np.full(11, 1 / 11, np.float32))
    return AttributeModel("color", named, None, dict(LEAST), is_calibrated=False)


def attributes() -> Attributes:
    return Attributes((by_levels(), by_names(), by_pixels()), WIDTHS, np.asarray([0.5, 0, 0, 0, 0], np.float32))


def seen() -> SeenPictures:
    """A striped sporty red thing, and a plain elegant blue one."""
    levels = np.asarray([[5.5, 0, 0, 1, 0], [-4.5, 0, 0, 0, 1]], dtype=np.float32)
    semantic = np.asarray([[0.5, 0.1, 0, 0], [0.2, 0.3, 0, 0]], dtype=np.float32)
    colors = []
    for color in ((220, 30, 40), (30, 60, 200)):
        shares = color_shares(np.full((4, 4, 3), color, dtype=np.uint8), np.ones((4, 4)))
        colors.append(np.concatenate([shares, [1.0, 0.0, 0.0, 1.0]]))
    return SeenPictures(semantic, levels, np.asarray(colors, dtype=np.float32))


def test_each_attribute_is_judged_by_what_is_known_of_it() -> None:
    found = attributes().judge_pictures(seen())
    assert {model.name: model.method for model in attributes().models} == {
        "pattern": "head", "style": "names", "color": "pixels",
    }  # fmt: skip
    for name, values in (
        ("pattern", ["striped", "plain"]),
        ("style", ["sporty", "elegant"]),
        ("color", ["red", "blue"]),
    ):
        model = next(item for item in attributes().models if item.name == name)
        assert [model.values[place] for place in found[name].argmax(axis=1)] == values
        assert found[name].sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)
        assert found[name].max(axis=1).min() > 0.6


def test_a_word_that_is_near_to_every_picture_does_not_win_for_that() -> None:
    """The second picture is nearer to "elegant" by less than "sporty" is near to all of them."""
    plain = NameWeights(np.zeros(2, np.float32), 20.0)
    assert seen().semantic[1] @ names("sporty", "elegant").embeddings.T == pytest.approx([0.2, 0.3])
    model = by_names()
    centered = Attributes((model,), (), np.empty(0, np.float32)).judge_pictures(seen())["style"]
    raw = AttributeModel("style", model.names, plain, dict(LEAST), is_calibrated=False)
    uncentered = Attributes((raw,), (), np.empty(0, np.float32)).judge_pictures(seen())["style"]
    assert centered[1, 1] > uncentered[1, 1]


def test_texts_are_judged_by_their_words() -> None:
    found = attributes().judge_texts(["a striped elegant thing"], np.zeros((1, DIM), np.float32))
    assert {name: int(values[0].argmax()) for name, values in found.items() if name != "color"} == {
        "pattern": 0, "style": 1,
    }  # fmt: skip


def test_inputs_are_levels_colours_and_ground_each_of_its_own_length() -> None:
    rows = picture_inputs(seen().levels, seen().colors, WIDTHS, np.zeros(5, np.float32))
    assert rows.shape == (2, INPUTS)
    assert np.linalg.norm(rows[:, :3], axis=1) == pytest.approx([1.0, 1.0])
    assert np.linalg.norm(rows[:, 5:-4], axis=1) == pytest.approx([1.0, 1.0])


def test_a_classifier_of_levels_needs_levels() -> None:
    bare = SeenPictures(seen().semantic, None, seen().colors)
    with pytest.raises(ValueError, match="without levels"):
        attributes().judge_pictures(bare)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    save_attributes(tmp_path, attributes())
    loaded = load_attributes(tmp_path)
    assert loaded is not None
    before, after = attributes().judge_pictures(seen()), loaded.judge_pictures(seen())
    assert list(before) == list(after)
    assert all((before[name] == after[name]).all() for name in before)
    for wrote, read in zip(attributes().models, loaded.models, strict=True):
        assert (wrote.values, wrote.least_sure, wrote.method, wrote.is_calibrated, wrote.names.weights) == (
            read.values, read.least_sure, read.method, read.is_calibrated, read.names.weights,
        )  # fmt: skip


def test_a_bundle_without_attributes_has_none(tmp_path: Path) -> None:
    assert load_attributes(tmp_path) is None


def test_a_file_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    save_attributes(tmp_path, attributes())
    whole = (tmp_path / ATTRIBUTES_FILE).read_bytes()
    for content in (whole[: len(whole) // 2], b"rubbish", b""):
        (tmp_path / ATTRIBUTES_FILE).write_bytes(content)
        with pytest.raises(BundleCorrupt, match=r"attributes\.safetensors of bundle .*make the bundle again"):
            load_attributes(tmp_path)


def test_two_attributes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="no two alike"):
        Attributes((by_levels("a"), by_levels("a")), WIDTHS, np.zeros(5, np.float32))


def test_weights_for_other_values_are_refused() -> None:
    with pytest.raises(ValueError, match="3 values with weights of 2"):
        AttributeModel("pattern", names("a", "b", "c"), by_levels().pictures, dict(LEAST), is_calibrated=True)
    with pytest.raises(ValueError, match="2 values with weights of 11"):
        AttributeModel("color", names("a", "b"), None, dict(LEAST), is_calibrated=False)
