"""Neighbours vote by their scores; how much each score weighs is fitted on products that are left out of their vote."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.recognition.neighbor_vote import NEIGHBORS, Neighbors, NeighborVote, fit_vote

BAG, BOOT = 0, 1


def near(labels: list[int], scores: list[float]) -> Neighbors:
    return Neighbors(np.asarray([labels]), np.asarray([scores]))


def nothing() -> Neighbors:
    return Neighbors(np.full((1, 3), -1), np.full((1, 3), -np.inf))


def test_a_nearer_product_counts_for_more() -> None:
    found = NeighborVote(temperature=0.1, doubt=0.5).shares(near([BOOT, BAG, BOOT], [0.9, 0.8, 0.7]), 2)
    weights = np.exp([0.0, -1.0, -2.0])
    assert found[0, BOOT] == pytest.approx((weights[0] + weights[2]) / (weights.sum() + 0.5))
    assert found[0, BAG] == pytest.approx(weights[1] / (weights.sum() + 0.5))


def test_many_a_little_further_outweigh_the_nearest() -> None:
    assert NeighborVote(0.1, 0.1).shares(near([BAG, BOOT, BOOT, BOOT], [0.91, 0.9, 0.9, 0.9]), 2)[0].argmax() == BOOT


def test_nobody_has_no_vote() -> None:
    assert NeighborVote().shares(nothing(), 2).tolist() == [[0.0, 0.0]]


def test_doubt_keeps_even_agreeing_neighbours_below_certainty() -> None:
    found = NeighborVote(1.0, 1.0).shares(near([BOOT] * 20, [0.9] * 20), 2)
    assert found.sum() == pytest.approx(20 / 21)


def test_products_without_a_category_take_their_share_along() -> None:
    found = NeighborVote(1.0, 0.0).shares(near([BOOT, -1], [0.9, 0.9]), 2)
    assert found.tolist() == [[0.0, 0.5]]


@pytest.mark.parametrize(("temperature", "doubt"), [(0.0, 0.1), (-1.0, 0.1), (0.1, -0.1), (float("nan"), 0.1)])
def test_values_that_mean_nothing_are_refused(temperature: float, doubt: float) -> None:
    with pytest.raises(ValueError, match="permitted"):
        NeighborVote(temperature, doubt)


def test_labels_without_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="permitted"):
        Neighbors(np.zeros((1, 2), dtype=int), np.zeros((1, 3)))


def made(right: float, count: int = 400, seed: int = 0) -> tuple[Neighbors, np.ndarray]:
    """Queries whose 20 neighbours all say one category, which is their own with the given probability."""
    rng = np.random.default_rng(seed)
    said = rng.integers(0, 10, count)
    own = np.where(rng.random(count) < right, said, rng.integers(0, 10, count))
    return Neighbors(np.repeat(said[:, None], 20, axis=1), np.tile(np.linspace(0.9, 0.8, 20), (count, 1))), own


@pytest.mark.parametrize("right", [0.95, 0.6, 0.1])
def test_the_fitted_probability_is_how_often_the_neighbours_are_right(right: float) -> None:
    neighbors, labels = made(right)
    told = fit_vote(neighbors, labels, 10).shares(neighbors, 10).max(axis=1).mean()
    assert told == pytest.approx((labels == neighbors.labels[:, 0]).mean(), abs=0.12)


def test_scores_that_tell_are_listened_to() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 300)
    scores = -np.sort(-rng.uniform(0.2, 0.9, (300, NEIGHBORS)), axis=1)
    right = scores > 0.7
    neighbors = Neighbors(np.where(right, labels[:, None], (labels[:, None] + 1) % 5), scores)
    assert fit_vote(neighbors, labels, 5).temperature < 0.2


def test_nothing_to_fit_on_gives_the_default() -> None:
    assert fit_vote(nothing(), np.empty(0, dtype=int), 5) == NeighborVote()


def test_queries_without_neighbours_do_not_spoil_the_fit() -> None:
    neighbors, labels = made(0.8)
    with_nobody = Neighbors(
        np.concatenate([neighbors.labels, np.full((1, NEIGHBORS), -1)]),
        np.concatenate([neighbors.scores, np.full((1, NEIGHBORS), -np.inf)]),
    )
    vote = fit_vote(with_nobody, np.append(labels, 0), 10)
    assert vote.doubt == fit_vote(neighbors, labels, 10).doubt
