"""One vector holds both parts; a search with it gives the cosines that a person would compute part by part."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.index_space import IndexSpace
from indexer.stores.protocol import Stored

SEMANTIC, KEPT, INSTANCE = 12, 5, 7
WEIGHTS = (0.0, 0.3, 0.7, 1.0)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def drawn(seed: int, n: int, dim: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, dim)))


def orthonormal(seed: int, k: int, dim: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, k)))[0].T.astype(np.float32)


def space_of(weight: float, keeps_all: bool = False) -> IndexSpace:
    return IndexSpace(SEMANTIC, None if keeps_all else orthonormal(9, KEPT, SEMANTIC), INSTANCE, weight)


SEMANTICS, INSTANCES = drawn(0, 30, SEMANTIC), drawn(1, 30, INSTANCE)


def kept_of(space: IndexSpace, semantic: np.ndarray) -> np.ndarray:
    return semantic if space.kept is None else unit(semantic @ space.kept.T)


@pytest.mark.parametrize("keeps_all", [True, False])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_pictures_score_is_the_weighted_mean_of_both_cosines(weight: float, keeps_all: bool) -> None:
    space = space_of(weight, keeps_all)
    indexed = space.picture_vectors(SEMANTICS, INSTANCES)
    semantic, instance = drawn(2, 1, SEMANTIC), drawn(3, 1, INSTANCE)
    found = space.query(space.picture_vectors(semantic, instance)[0])
    expected = (1 - weight) * kept_of(space, SEMANTICS) @ kept_of(space, semantic)[0] + weight * INSTANCES @ instance[0]
    assert np.allclose(indexed @ found.vector * found.scale, expected, atol=1e-5)
    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("keeps_all", [True, False])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_texts_score_is_its_semantic_cosine_whatever_the_weight(weight: float, keeps_all: bool) -> None:
    space = space_of(weight, keeps_all)
    indexed = space.picture_vectors(SEMANTICS, INSTANCES)
    text = drawn(4, 1, SEMANTIC)
    found = space.query(space.text_vectors(text)[0])
    assert np.allclose(
        indexed @ found.vector * found.scale, kept_of(space, SEMANTICS) @ kept_of(space, text)[0], atol=1e-5
    )
    assert not found.vector[space.kept_dim :].any()


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_picture_scores_1_with_itself(weight: float) -> None:
    space = space_of(weight)
    indexed = space.picture_vectors(SEMANTICS, INSTANCES)
    queries, scales = space.queries(indexed)
    assert np.allclose((indexed * queries).sum(axis=1) * scales, 1.0, atol=1e-5)


def test_all_vectors_have_length_1() -> None:
    space = space_of(0.5)
    for vectors in (space.picture_vectors(SEMANTICS, INSTANCES), space.text_vectors(SEMANTICS)):
        assert vectors.shape == (30, KEPT + INSTANCE) == (30, space.dim)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_a_picture_has_the_same_vector_in_any_batch_bit_for_bit() -> None:
    space = IndexSpace(384, orthonormal(3, 200, 384), 16, 0.5)
    semantic, instance = drawn(4, 64, 384), drawn(5, 64, 16)
    together = space.picture_vectors(semantic, instance)
    for size in (1, 2, 5, 16, 40):
        parts = [
            space.picture_vectors(semantic[start : start + size], instance[start : start + size])
            for start in range(0, 64, size)
        ]
        assert np.concatenate(parts).tobytes() == together.tobytes()


def test_what_is_kept_gives_a_text_the_order_of_pictures_that_the_whole_gives() -> None:
    """Pictures that span no more than what is kept: products of texts and pictures are the same up to one factor."""
    kept = orthonormal(5, KEPT, SEMANTIC)
    pictures = unit(np.random.default_rng(6).standard_normal((20, KEPT)) @ kept)
    space = IndexSpace(SEMANTIC, kept, INSTANCE, 0.5)
    indexed = space.picture_vectors(pictures, drawn(7, 20, INSTANCE))
    for text in drawn(8, 10, SEMANTIC):
        query = space.query(space.text_vectors(text[None, :])[0])
        scores = indexed @ query.vector * query.scale
        length = np.linalg.norm(kept @ text)
        assert np.allclose(scores * length, pictures @ text, atol=1e-5)
    assert np.allclose(space.semantic_of(indexed), pictures, atol=1e-5)


def test_without_an_instance_part_vectors_are_the_embeddings_themselves() -> None:
    space = IndexSpace(SEMANTIC)
    assert space.dim == SEMANTIC
    for vectors in (
        space.picture_vectors(SEMANTICS, None),
        space.text_vectors(SEMANTICS),
        space.semantic_of(SEMANTICS),
    ):
        assert np.allclose(vectors, SEMANTICS, atol=1e-6)
    found = space.query(SEMANTICS[0])
    assert np.array_equal(found.vector, SEMANTICS[0])
    assert found.scale == 1.0


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_vector_without_a_semantic_part_is_compared_by_its_instance_part(weight: float) -> None:
    """As a caller may send one; nothing divides by its length of 0."""
    space = space_of(weight)
    instance = drawn(10, 1, INSTANCE)[0]
    vector = np.concatenate([np.zeros(KEPT, np.float32), instance])
    with np.errstate(all="raise"):
        found = space.query(vector)
        semantic = space.semantic_of(vector[None, :])
    indexed = space.picture_vectors(SEMANTICS, INSTANCES)
    assert np.allclose(indexed @ found.vector * found.scale, INSTANCES @ instance, atol=1e-5)
    assert not semantic.any()


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_product_of_several_pictures_searches_by_the_mean_of_each_part(weight: float) -> None:
    """Its parts have other lengths than a picture's: each counts by its weight nevertheless."""
    space = space_of(weight, keeps_all=True)
    indexed = space.picture_vectors(SEMANTICS, INSTANCES)
    found = space.query(Stored("p", indexed[:3], {}).direction)
    semantic, instance = unit(SEMANTICS[:3].mean(axis=0)), unit(INSTANCES[:3].mean(axis=0))
    expected = (1 - weight) * SEMANTICS @ semantic + weight * INSTANCES @ instance
    assert np.allclose(indexed @ found.vector * found.scale, expected, atol=1e-5)


def test_pictures_whose_instance_parts_cancel_out_search_by_the_semantic_part() -> None:
    space = space_of(0.7, keeps_all=True)
    pictures = space.picture_vectors(SEMANTICS[[0, 0]], np.stack([INSTANCES[0], -INSTANCES[0]]))
    found = space.query(Stored("p", pictures, {}).direction)
    indexed = space.picture_vectors(SEMANTICS, INSTANCES)
    assert np.allclose(indexed @ found.vector * found.scale, SEMANTICS @ SEMANTICS[0], atol=1e-5)


def test_no_vectors_no_queries() -> None:
    queries, scales = space_of(0.5).queries(np.empty((0, KEPT + INSTANCE), np.float32))
    assert (queries.shape, scales.shape) == ((0, KEPT + INSTANCE), (0,))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"semantic_dim": 0}, "1 or more"),
        ({"semantic_dim": 4, "instance_dim": -1}, "0 or more"),
        ({"semantic_dim": 4, "kept": np.zeros((2, 3), np.float32)}, r"\(1 or more, 4\)"),
        ({"semantic_dim": 4, "kept": np.zeros((0, 4), np.float32)}, r"\(1 or more, 4\)"),
        ({"semantic_dim": 4, "kept": np.zeros(4, np.float32)}, r"\(1 or more, 4\)"),
        ({"semantic_dim": 4, "instance_weight": -0.1}, "0 to 1"),
        ({"semantic_dim": 4, "instance_weight": 1.1}, "0 to 1"),
        ({"semantic_dim": 4, "instance_weight": float("nan")}, "0 to 1"),
    ],
)
def test_what_is_out_of_range_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"permitted: .*{message}"):
        IndexSpace(**arguments)


def test_what_a_text_says_beyond_the_pictures_directions_lowers_its_score() -> None:
    """Else every text, sensible or not, would be as near to the pictures as one about them."""
    kept = np.eye(4, dtype=np.float32)[:2]
    space = IndexSpace(4, kept, 3, 0.5)
    semantic = np.asarray([[1, 0, 0, 0], [0.6, 0, 0.8, 0]], dtype=np.float32)
    picture = space.picture_vectors(np.eye(4, dtype=np.float32)[:1], np.eye(3, dtype=np.float32)[:1])[0]
    scores = [float(query.vector @ picture) * query.scale for query in space.text_queries(semantic)]
    assert scores == pytest.approx([1.0, 0.6], abs=1e-6)
