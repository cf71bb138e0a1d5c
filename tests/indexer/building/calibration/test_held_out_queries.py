"""What held-out queries find is what sorting all scores would give."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.index_space import IndexSpace
from embedder.recognition.neighbor_vote import NEIGHBORS
from indexer.building.calibration.held_out_queries import AT_ONCE, HeldOutQueries, best_places
from tests.indexer.conftest import DIM, unit_rows


@pytest.mark.parametrize("above", [0.0, -np.inf])
@pytest.mark.parametrize("seed", range(50))
def test_the_best_places_are_the_first_of_all_sorted_ones_ties_by_place(seed: int, above: float) -> None:
    random = np.random.default_rng(seed)
    scores = random.integers(0, 6, int(random.integers(0, 60))).astype(np.float32)
    scores[random.random(len(scores)) < 0.2] = -np.inf
    count = int(random.integers(1, 30))
    order = np.argsort(-scores, kind="stable")
    assert best_places(scores, count, above).tolist() == order[scores[order] > above][:count].tolist()


def test_many_queries_at_once_find_what_each_finds_alone() -> None:
    pool, space = unit_rows(300), IndexSpace(DIM)
    places = np.arange(AT_ONCE + 5)
    labels = np.arange(300) % 4
    found = HeldOutQueries("image", places, pool[places], pool[places], [space.query(row) for row in pool[places]])
    answers = found.search(pool, labels)
    for row, place in enumerate(places):
        scores = pool @ pool[place]
        others = [other for other in np.argsort(-scores, kind="stable") if other != place]
        assert answers.near.places[row].tolist() == others[:NEIGHBORS]
        np.testing.assert_allclose(answers.near.scores[row], scores[others[:NEIGHBORS]], atol=1e-6)
        strangers = [other for other in others if labels[other] != labels[place]]
        assert answers.strange.places[row].tolist() == strangers[:NEIGHBORS]
        assert set(answers.deep.places[row][answers.deep.places[row] >= 0].tolist()) <= set(others)
