"""Ranking figures of each query are those of torchmetrics, where that counts the same things."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.evaluation.ranking import (
    DEPTH,
    Found,
    average_precision,
    find,
    hit_rate,
    ndcg,
    nearest,
    precision,
    reciprocal_rank,
    relevance,
)


def random_queries(count: int, things: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores above 0, all different, and which things are relevant; the first query looks for nothing."""
    rng = np.random.default_rng(seed)
    scores = np.stack([rng.permutation(things) + 1.0 for _ in range(count)]).astype(np.float32) / things
    relevant = rng.random((count, things)) < rng.uniform(0.01, 0.3, (count, 1))
    relevant[0] = False
    return scores, relevant


@pytest.mark.parametrize("things", [4, 12, 60])
def test_figures_are_those_of_torchmetrics(things: int) -> None:
    import torch
    from torchmetrics.functional.retrieval import (
        retrieval_average_precision,
        retrieval_hit_rate,
        retrieval_normalized_dcg,
        retrieval_precision,
        retrieval_reciprocal_rank,
    )

    scores, relevant = random_queries(40, things, seed=things)
    ids = [f"p{number}" for number in range(things)]
    found = [find(row, wanted, ids) for row, wanted in zip(scores, relevant, strict=True)]
    shown, totals = relevance(found), np.asarray([item.relevant for item in found])
    for row in range(len(scores)):
        preds, target = torch.from_numpy(scores[row]), torch.from_numpy(relevant[row])
        for k in (1, 3, DEPTH):
            assert hit_rate(shown, k)[row] == float(retrieval_hit_rate(preds, target, top_k=k))
            assert ndcg(shown, totals, k)[row] == pytest.approx(
                float(retrieval_normalized_dcg(preds, target.int(), top_k=k)), abs=1e-6
            )
        first = np.asarray([item.first for item in found])
        assert reciprocal_rank(first)[row] == pytest.approx(float(retrieval_reciprocal_rank(preds, target)), abs=1e-6)
        assert precision(shown)[row] == pytest.approx(
            float(retrieval_precision(preds, target, top_k=min(DEPTH, things))), abs=1e-6
        )
        # torchmetrics' mean is over what was found, ours over what could have been.
        hits = max(1, int(shown[row].sum()))
        theirs = float(retrieval_average_precision(preds, target, top_k=DEPTH))
        assert average_precision(shown, totals)[row] == pytest.approx(
            theirs * hits / max(1, min(DEPTH, totals[row])), abs=1e-6
        )
        if things <= DEPTH:
            assert average_precision(shown, totals)[row] == pytest.approx(theirs, abs=1e-6)


def test_by_hand() -> None:
    # Of three relevant things, two are among the first five: at places 2 and 5.
    shown = np.asarray([[False, True, False, False, True]])
    totals = np.asarray([3])
    assert hit_rate(shown, 1)[0] == 0
    assert hit_rate(shown, 2)[0] == 1
    assert precision(shown)[0] == pytest.approx(2 / 5)
    assert reciprocal_rank(np.asarray([2, 0])).tolist() == [0.5, 0]
    assert average_precision(shown, totals, 5)[0] == pytest.approx((1 / 2 + 2 / 5) / 3)
    best = 1 / np.log2(2) + 1 / np.log2(3) + 1 / np.log2(4)
    assert ndcg(shown, totals, 5)[0] == pytest.approx((1 / np.log2(3) + 1 / np.log2(6)) / best)


def test_what_is_negative_is_found_too() -> None:
    """Cosines may be below 0; torchmetrics drops these."""
    found = find(np.asarray([-0.1, -0.5, -0.3], dtype=np.float32), np.asarray([False, False, True]), ["a", "b", "c"])
    assert found == Found((False, True, False), 2, 1, ("a", "c", "b"))


def test_the_first_relevant_place_is_known_beyond_those_looked_at() -> None:
    scores = -np.arange(100, dtype=np.float32)
    relevant = np.zeros(100, dtype=bool)
    relevant[[37, 80]] = True
    found = find(scores, relevant, [str(number) for number in range(100)])
    assert (found.first, found.relevant, any(found.right)) == (38, 2, False)


def test_of_equal_scores_the_earlier_thing_is_first() -> None:
    same = np.zeros(30, dtype=np.float32)
    ids = [f"p{number}" for number in range(30)]
    assert find(same, np.ones(30, dtype=bool), ids).nearest == tuple(ids[:DEPTH])
    # What is not among those looked at is behind them, though nothing is nearer.
    last = np.arange(30) == 29
    assert find(same, last, ids).first == DEPTH + 1


def test_scores_that_are_no_numbers_are_last() -> None:
    scores = np.asarray([np.nan, 0.1, -np.inf, 0.5], dtype=np.float32)
    assert nearest(scores, 4)[:2].tolist() == [3, 1]
    found = find(scores, np.asarray([True, False, False, False]), list("abcd"), depth=2)
    assert found.first == 4
    assert found.right == (False, False)


def test_fewer_things_than_are_looked_at() -> None:
    found = find(np.asarray([0.5], dtype=np.float32), np.asarray([True]), ["only"])
    assert found == Found((True,), 1, 1, ("only",))
    assert relevance([]).shape[0] == 0
    assert ndcg(relevance([found]), np.asarray([1]))[0] == 1.0
    assert average_precision(relevance([found]), np.asarray([1]))[0] == 1.0
