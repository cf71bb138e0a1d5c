"""Maximal marginal relevance, compared with its definition."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from server.pages.diversity import varied_order


def directions(count: int, seed: int) -> npt.NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, 4))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def naive(rows: npt.NDArray[np.float32], relevance: float) -> list[int]:
    count = len(rows)
    order: list[int] = []
    while len(order) < count:
        worth = {}
        for place in sorted(set(range(count)) - set(order)):
            rank = 1 - place / (count - 1) if count > 1 else 1.0
            likest = max((float(rows[place] @ rows[before]) for before in order), default=0.0)
            worth[place] = relevance * rank - (1 - relevance) * likest
        order.append(max(worth, key=lambda place: worth[place]))
    return order


@pytest.mark.parametrize("relevance", [0.0, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_each_next_one_is_the_best_by_rank_and_difference(count: int, relevance: float) -> None:
    rows = directions(count, seed=count)
    assert list(varied_order(rows, relevance)) == naive(rows, relevance)


def test_the_best_comes_first_and_full_relevance_changes_nothing() -> None:
    rows = directions(30, seed=7)
    assert varied_order(rows, 0.4)[0] == 0
    assert list(varied_order(rows, 1.0)) == list(range(30))


def test_of_many_that_are_the_same_one_comes_before_the_rest() -> None:
    rows = np.repeat(np.eye(3, dtype=np.float32), [5, 1, 1], axis=0)
    assert set(varied_order(rows, 0.5)[:3]) == {0, 5, 6}


def test_of_nothing_there_is_no_order() -> None:
    assert list(varied_order(np.zeros((0, 4), dtype=np.float32), 0.5)) == []
