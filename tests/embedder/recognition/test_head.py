"""A category head gives probabilities, keeps itself in two files, and refuses what does not fit together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embedder.errors import BundleCorrupt
from embedder.recognition.head import (
    LABELS_FILE,
    WEIGHTS_FILE,
    CategoryHead,
    PictureWeights,
    load_head,
    save_head,
    softmax,
)


def head(**fields) -> CategoryHead:
    return CategoryHead(
        **{
            "categories": ("bags", "shoes/boots", "šaty"),
            "weight": np.eye(3, 4, dtype=np.float32) * 5,
            "bias": np.asarray([0, 0, 1], dtype=np.float32),
            "temperatures": {"image": 1.0, "text": 2.0},
            **fields,
        }
    )


def test_probabilities_by_hand() -> None:
    found = head().probabilities(np.eye(1, 4, dtype=np.float32), "image")
    weights = np.exp([5.0, 0.0, 1.0])
    assert np.allclose(found, weights / weights.sum(), atol=1e-6)


def test_a_temperature_for_each_kind_of_query() -> None:
    query = np.eye(1, 4, dtype=np.float32)
    weights = np.exp(np.asarray([5.0, 0.0, 1.0]) / 2)
    assert np.allclose(head().probabilities(query, "text"), weights / weights.sum(), atol=1e-6)


def picture_weights(count: int = 3) -> PictureWeights:
    return PictureWeights(np.eye(count, 6, dtype=np.float32), np.asarray([0.5] * count, np.float32), 0.25)


def test_pictures_are_judged_by_their_index_vectors_too() -> None:
    semantic, vectors = np.eye(1, 4, dtype=np.float32), np.eye(2, 6, dtype=np.float32)[1:]
    logits = 0.25 * np.asarray([5.0, 0.0, 1.0]) + [0.5, 1.5, 0.5]
    found = head(picture=picture_weights()).probabilities(semantic, "image", vectors)
    assert np.allclose(found, np.exp(logits) / np.exp(logits).sum(), atol=1e-6)


def test_texts_are_not() -> None:
    semantic = np.eye(1, 4, dtype=np.float32)
    assert np.array_equal(head(picture=picture_weights()).logits(semantic, "text"), head().logits(semantic, "text"))


def test_a_picture_without_its_index_vector_is_refused_where_the_head_needs_it() -> None:
    with pytest.raises(ValueError, match="index vectors"):
        head(picture=picture_weights()).logits(np.eye(1, 4, dtype=np.float32), "image")


def test_softmax_of_huge_logits_is_finite() -> None:
    found = softmax(np.asarray([[1e4, -1e4, 0.0], [0.0, 0.0, 0.0]]))
    assert np.allclose(found, [[1, 0, 0], [1 / 3] * 3])
    assert found.dtype == np.float32


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    save_head(tmp_path, head())
    loaded = load_head(tmp_path)
    assert loaded is not None
    assert loaded.categories == head().categories
    assert np.array_equal(loaded.weight, head().weight)
    assert np.array_equal(loaded.bias, head().bias)
    assert loaded.temperatures == head().temperatures


def test_picture_weights_are_kept(tmp_path: Path) -> None:
    save_head(tmp_path, head(picture=picture_weights()))
    loaded = load_head(tmp_path)
    assert loaded is not None
    assert loaded.picture is not None
    assert np.array_equal(loaded.picture.weight, picture_weights().weight)
    assert np.array_equal(loaded.picture.bias, picture_weights().bias)
    assert loaded.picture.semantic_share == 0.25


def test_a_head_of_an_earlier_release_has_none(tmp_path: Path) -> None:
    save_head(tmp_path, head())
    loaded = load_head(tmp_path)
    assert loaded is not None
    assert loaded.picture is None


def test_a_bundle_without_a_head_has_none(tmp_path: Path) -> None:
    assert load_head(tmp_path) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"categories": ()},
        {"categories": ("a", "b")},
        {"bias": np.zeros(2, dtype=np.float32)},
        {"temperatures": {"image": 0.0, "text": 1.0}},
        {"temperatures": {"image": float("nan"), "text": 1.0}},
        {"picture": picture_weights(2)},
    ],
)
def test_parts_that_do_not_fit(fields: dict) -> None:
    with pytest.raises(ValueError, match="permitted"):
        head(**fields)


@pytest.mark.parametrize(
    "labels", ["", "{}", "[]", '{"categories": ["one"], "temperatures": {"image": 1, "text": 1}}', '{"categories": 3}']
)
def test_labels_that_do_not_belong_to_the_weights(tmp_path: Path, labels: str) -> None:
    save_head(tmp_path, head())
    (tmp_path / LABELS_FILE).write_text(labels)
    with pytest.raises(BundleCorrupt, match="next step: make the bundle again"):
        load_head(tmp_path)


def test_weights_that_are_no_tensors(tmp_path: Path) -> None:
    save_head(tmp_path, head())
    (tmp_path / WEIGHTS_FILE).write_bytes(b"rubbish")
    with pytest.raises(BundleCorrupt):
        load_head(tmp_path)


def test_labels_are_readable_to_people(tmp_path: Path) -> None:
    save_head(tmp_path, head())
    text = (tmp_path / LABELS_FILE).read_text(encoding="utf-8")
    assert "šaty" in text
    assert json.loads(text)["categories"] == ["bags", "shoes/boots", "šaty"]
