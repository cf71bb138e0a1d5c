"""The index vector's say in a picture's category: as much as held-out pictures ask for, and none where it knows less."""

from __future__ import annotations

import numpy as np
import torch

from embedder.catalogs.product import Product, ProductPicture
from embedder.index_space import IndexSpace
from embedder.inputs.picture import PicturePixels
from embedder.instance_map import InstanceMap
from embedder.recognition.head import CategoryHead
from embedder.towers.projection import Projection
from embedder.training.heads.picture_head import with_picture_weights
from embedder.training.instance.part import InstancePart, to_parts
from embedder.training.pictures.features import Features
from embedder.training.pictures.gathering import Gathered
from embedder.training.pictures.shots import Shot

KINDS, STYLES, WIDTH, LEVEL = 4, 2, 8, 12
CATEGORIES = tuple(f"kind {kind}/style {style}" for kind in range(KINDS) for style in range(STYLES))
IMAGE = Projection(torch.eye(WIDTH), None)
INSTANCE = InstanceMap(
    (LEVEL,), np.zeros(LEVEL, np.float32), np.eye(LEVEL, dtype=np.float32), np.zeros(LEVEL, np.float32)
)
PART = InstancePart(INSTANCE, IndexSpace(WIDTH, None, LEVEL, 0.5), (), 0)
PICTURE = ProductPicture(PicturePixels(np.zeros((2, 2), dtype=np.uint8)))


def features(count: int, seed: int, told: bool = True) -> Features:
    """What a thing is lies in the features; its style lies in the levels, where `told`."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(CATEGORIES), count)
    values = np.eye(WIDTH)[labels // STYLES] + 0.2 * rng.normal(size=(count, WIDTH))
    style = labels % STYLES if told else rng.integers(0, STYLES, count)
    levels = np.eye(LEVEL)[style] + 0.15 * rng.normal(size=(count, LEVEL))
    shots = tuple(
        Shot(Product(f"{seed}-{number}", "", (PICTURE,), category=CATEGORIES[label]))
        for number, label in enumerate(labels)
    )
    return Features(shots, values.astype(np.float32), (), levels.astype(np.float16))


ONE = {"image": 1.0, "text": 1.0}
NONE = Features((), np.empty((0, WIDTH), np.float32), (), np.empty((0, LEVEL), np.float16))


def gathered(told: bool = True, held_out: int = 120) -> Gathered:
    sample = features(400, 0, told)
    validation = features(held_out, 1, told) if held_out else NONE
    return Gathered(sample, validation, sample, NONE, NONE)


def semantic_head() -> CategoryHead:
    """One that tells kinds apart, and no styles."""
    weight = np.repeat(np.eye(KINDS, WIDTH), STYLES, axis=0) * 8
    return CategoryHead(
        CATEGORIES, weight.astype(np.float32), np.zeros(len(CATEGORIES), np.float32), {"image": 1.0, "text": 3.0}
    )


def accuracy(head: CategoryHead, on: Features) -> float:
    parts = to_parts(on, IMAGE, INSTANCE, PART.space)
    vectors = PART.space.picture_vectors(parts.semantic, parts.instance)
    found = head.probabilities(parts.semantic, "image", vectors).argmax(axis=1)
    return float(
        np.mean([CATEGORIES[place] == product.category for place, product in zip(found, on.products, strict=True)])
    )


def test_what_the_space_of_words_drops_is_told_by_the_index_vector() -> None:
    others = features(500, 2)
    found = with_picture_weights(semantic_head(), IMAGE, PART, gathered())
    assert found.picture is not None
    assert accuracy(semantic_head(), others) < 0.65
    assert accuracy(found, others) > 0.9


def test_its_probabilities_hold() -> None:
    others = features(1000, 2)
    found = with_picture_weights(semantic_head(), IMAGE, PART, gathered())
    parts = to_parts(others, IMAGE, INSTANCE, PART.space)
    said = found.probabilities(parts.semantic, "image", PART.space.picture_vectors(parts.semantic, parts.instance))
    assert abs(float(said.max(axis=1).mean()) - accuracy(found, others)) < 0.05


def test_texts_are_judged_as_before() -> None:
    before, found = semantic_head(), with_picture_weights(semantic_head(), IMAGE, PART, gathered())
    words = np.eye(3, WIDTH, dtype=np.float32)
    assert np.array_equal(found.probabilities(words, "text"), before.probabilities(words, "text"))


def test_what_views_gain_is_not_taken_from_the_catalogs_own_pictures() -> None:
    """The index vector tells the category of views and misleads on main pictures, which the head knows."""
    made = gathered()
    rng = np.random.default_rng(3)
    labels = np.asarray([CATEGORIES.index(product.category or "") for product in made.validation.products])
    sure = Features(made.validation.shots, (3 * np.eye(len(CATEGORIES), WIDTH)[labels]).astype(np.float32), (), None)
    levels = rng.normal(size=(len(labels), LEVEL)).astype(np.float16)
    main = Features(sure.shots, sure.values, (), levels)
    views = Features(
        tuple(Shot(shot.product, 0, number) for number, shot in enumerate(main.shots)),
        rng.normal(size=main.values.shape).astype(np.float32),
        (),
        made.validation.levels,
    )
    sharp = CategoryHead(CATEGORIES, 20 * np.eye(len(CATEGORIES), WIDTH, dtype=np.float32), semantic_head().bias, ONE)
    alone = with_picture_weights(sharp, IMAGE, PART, Gathered(made.sample, views, made.sample, NONE, NONE))
    assert alone.picture is None  # No main picture, nothing to decide by.
    found = with_picture_weights(sharp, IMAGE, PART, Gathered(made.sample, main, made.sample, NONE, views))
    assert accuracy(found, main) == 1.0
    assert found.picture is None


def test_few_held_out_pictures_decide_nothing() -> None:
    head = semantic_head()
    assert with_picture_weights(head, IMAGE, PART, gathered(held_out=5)) is head
    assert with_picture_weights(head, IMAGE, PART, gathered(held_out=0)) is head


def test_without_an_instance_part_a_head_stays_as_it_is() -> None:
    head = semantic_head()
    assert with_picture_weights(head, IMAGE, None, gathered()) is head


def test_picture_weights_of_another_index_space_are_dropped() -> None:
    learnt = with_picture_weights(semantic_head(), IMAGE, PART, gathered())
    dropped = with_picture_weights(learnt, IMAGE, None, gathered())
    assert dropped.picture is None
    others = to_parts(features(1000, 2), IMAGE, INSTANCE, PART.space)
    said = dropped.probabilities(others.semantic, "image").max(axis=1).mean()
    assert abs(float(said) - accuracy(dropped, features(1000, 2))) < 0.06


def test_products_of_other_categories_or_none_are_left_out() -> None:
    made = gathered()
    stray = Product("stray", "", (PICTURE,), category="elsewhere")
    sample = Features((Shot(stray), *made.sample.shots[1:]), made.sample.values, (), made.sample.levels)
    found = with_picture_weights(semantic_head(), IMAGE, PART, Gathered(sample, made.validation, sample, NONE, NONE))
    assert accuracy(found, features(500, 2)) > 0.9
