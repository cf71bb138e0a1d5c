"""Witnesses are believed as far as held-out queries say, and the pooled probability holds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embedder.recognition.opinion_pool import Evidence, OpinionPool, fit_pool


def witness(labels: np.ndarray, strength: float, seed: int, count: int = 6) -> np.ndarray:
    """Log probabilities of a calibrated witness: one that reports a noisy view with its likelihood."""
    rng = np.random.default_rng(seed)
    seen = strength * np.eye(count)[labels] + rng.normal(size=(len(labels), count))
    logits = strength * seen
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def truth(count: int, seed: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 6, count)


def accuracy(pool: OpinionPool, evidence: Evidence, labels: np.ndarray) -> float:
    return float((pool.probabilities(evidence).argmax(axis=1) == labels).mean())


def test_independent_witnesses_together_know_more_than_each() -> None:
    labels, others = truth(1000), truth(3000, 10)
    pool = fit_pool(Evidence(head=witness(labels, 1.2, 0), neighbors=witness(labels, 1.2, 1)), labels)
    fresh = Evidence(head=witness(others, 1.2, 2), neighbors=witness(others, 1.2, 3))
    alone = max(float((values.argmax(axis=1) == others).mean()) for values in fresh.present().values())
    assert accuracy(pool, fresh, others) > alone + 0.05


def test_pooled_probabilities_hold() -> None:
    labels, others = truth(1000), truth(4000, 10)
    pool = fit_pool(Evidence(head=witness(labels, 1.2, 0), neighbors=witness(labels, 1.2, 1)), labels)
    found = pool.probabilities(Evidence(head=witness(others, 1.2, 2), neighbors=witness(others, 1.2, 3)))
    assert found.max(axis=1).mean() == pytest.approx((found.argmax(axis=1) == others).mean(), abs=0.03)


def test_a_witness_that_only_repeats_another_does_not_make_it_surer() -> None:
    labels = truth(2000)
    words = witness(labels, 1.2, 0)
    weights = fit_pool(Evidence(head=words, neighbors=words), labels).weights
    assert weights["head"] + weights["neighbors"] == pytest.approx(1.0, abs=0.1)


def test_a_witness_that_knows_nothing_is_not_listened_to() -> None:
    labels = truth(1000)
    nonsense = witness(truth(1000, 11), 2.0, 1)
    weights = fit_pool(Evidence(head=witness(labels, 1.5, 0), neighbors=nonsense), labels).weights
    assert weights["neighbors"] < 0.1
    assert weights["head"] == pytest.approx(1.0, abs=0.15)


def test_one_that_is_too_sure_is_toned_down() -> None:
    labels = truth(2000)
    assert fit_pool(Evidence(head=4 * witness(labels, 1.2, 0)), labels).weights["head"] == pytest.approx(0.25, abs=0.03)


def test_cosines_are_weighed_on_their_own_scale() -> None:
    labels = truth(1000)
    rng = np.random.default_rng(0)
    cosines = 0.2 + 0.1 * np.eye(6)[labels] + 0.05 * rng.normal(size=(1000, 6))
    weights = fit_pool(Evidence(names=cosines), labels).weights
    assert 20 < weights["names"] < 60


def test_few_queries_leave_the_say_shared() -> None:
    labels = truth(3)
    weights = fit_pool(Evidence(head=witness(labels, 1.0, 0), neighbors=witness(labels, 1.0, 1)), labels).weights
    assert all(0.2 < value < 0.9 for value in weights.values())


def test_without_queries_all_count_alike() -> None:
    empty = np.empty((0, 6))
    assert fit_pool(Evidence(head=empty, neighbors=empty), np.empty(0, dtype=int)).weights == {
        "head": 0.5,
        "neighbors": 0.5,
    }


def test_a_category_that_the_head_does_not_know_can_still_win() -> None:
    head = np.log([[0.5, 0.5, np.nan]])
    neighbors = np.log([[0.05, 0.05, 0.9]])
    found = OpinionPool({"head": 0.5, "neighbors": 0.5}).probabilities(Evidence(head=head, neighbors=neighbors))
    assert found[0].argmax() == 2


def test_a_new_category_among_many_is_not_ruled_out_by_a_sure_head() -> None:
    head = np.full((1, 100), np.log(0.1 / 98))
    head[0, 0], head[0, 99] = np.log(0.9), np.nan
    neighbors = np.full((1, 100), np.log(0.02 / 99))
    neighbors[0, 99] = np.log(0.98)
    found = OpinionPool({"head": 0.5, "neighbors": 0.5}).probabilities(Evidence(head=head, neighbors=neighbors))
    assert found[0].argmax() == 99


def test_a_silent_witness_changes_nothing() -> None:
    head = np.log([[0.7, 0.3]])
    pool = OpinionPool({"head": 1.0, "neighbors": 1.0})
    silent = Evidence(head=head, neighbors=np.full((1, 2), np.nan))
    assert pool.probabilities(silent) == pytest.approx(np.asarray([[0.7, 0.3]]))


def test_a_struck_category_has_no_probability() -> None:
    evidence = Evidence(head=np.log([[0.7, 0.2, 0.1]])).without(np.asarray([0]))
    assert OpinionPool({"head": 1.0}).probabilities(evidence) == pytest.approx(np.asarray([[0, 2 / 3, 1 / 3]]))


def test_the_fit_is_the_maximum() -> None:
    labels = truth(300)
    evidence = Evidence(head=witness(labels, 1.0, 0), neighbors=witness(labels, 0.7, 1))
    pool = fit_pool(evidence, labels)

    def loss(head: float, neighbors: float) -> float:
        found = OpinionPool({"head": head, "neighbors": neighbors}).probabilities(evidence)
        surprise = -np.log(found[np.arange(300), labels]).sum()
        return float(surprise + 2.0 * ((head - 0.5) ** 2 + (neighbors - 0.5) ** 2))

    at = pool.weights["head"], pool.weights["neighbors"]
    for step in ((0.02, 0), (-0.02, 0), (0, 0.02), (0, -0.02)):
        assert loss(*at) <= loss(at[0] + step[0], at[1] + step[1])


def test_it_survives_json() -> None:
    pool = OpinionPool({"head": 0.25, "names": 7.5})
    assert OpinionPool.from_dict(json.loads(json.dumps(pool.to_dict()))) == pool


def test_what_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="permitted"):
        OpinionPool({"head": -1.0})
    with pytest.raises(ValueError, match="permitted"):
        OpinionPool({"oracle": 1.0})
    with pytest.raises(ValueError, match="at least one witness"):
        Evidence()
    with pytest.raises(ValueError, match="all of"):
        Evidence(head=np.zeros((1, 2)), names=np.zeros((1, 3)))
