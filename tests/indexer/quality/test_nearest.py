"""The block by block search gives what comparing all with all at once gives."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.index_space import IndexSpace
from indexer.quality import nearest
from indexer.quality.nearest import fair_sample, nearest_products
from tests.indexer.conftest import DIM, unit_rows


def by_hand(vectors: np.ndarray, space: IndexSpace, owners: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    queries = [space.query(vector.astype(np.float32)) for vector in vectors]
    scores = np.stack([vectors.astype(np.float32) @ query.vector * query.scale for query in queries])
    scores[owners[:, None] == owners] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    found = np.take_along_axis(scores, order, axis=1)
    return np.where(np.isfinite(found), order, -1), found


@pytest.mark.parametrize("space", [IndexSpace(DIM), IndexSpace(10, None, 6, 0.7)])
@pytest.mark.parametrize("blocks", [(2048, 8192), (7, 5), (3, 40)])
def test_the_nearest_are_those_found_one_by_one(
    monkeypatch: pytest.MonkeyPatch, space: IndexSpace, blocks: tuple[int, int]
) -> None:
    monkeypatch.setattr(nearest, "_ASKED_AT_ONCE", blocks[0])
    monkeypatch.setattr(nearest, "_HELD_AT_ONCE", blocks[1])
    vectors, owners = unit_rows(50).astype(np.float16), np.arange(50)
    owners[[7, 8, 30]] = 3
    found = nearest_products(vectors, space, owners, 6)
    places, scores = by_hand(vectors, space, owners, 6)
    assert np.array_equal(found.places, places)
    assert np.allclose(found.scores, scores, atol=1e-6)


def test_of_many_products_a_fair_sample_is_compared_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "MOST_HELD", 12)
    vectors, owners = unit_rows(50).astype(np.float16), np.arange(50)
    found = nearest_products(vectors, IndexSpace(DIM), owners, 4)
    held = fair_sample(50, 12)
    assert len(held) == 12
    for place in range(50):
        others = held[held != place]
        scores = vectors[others].astype(np.float32) @ vectors[place].astype(np.float32)
        assert found.places[place].tolist() == others[np.argsort(-scores)[:4]].tolist()


def test_fewer_products_than_wanted_and_what_shows_the_same_leave_places_empty() -> None:
    found = nearest_products(unit_rows(4).astype(np.float16), IndexSpace(DIM), np.asarray([0, 0, 0, 3]), 20)
    assert found.places.shape == (4, 4)
    assert found.places[0].tolist() == [3, -1, -1, -1]
    assert np.isneginf(found.scores[0, 1:]).all()
