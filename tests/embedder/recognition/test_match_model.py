"""Probabilities of hits hold on queries that they were not fitted on, and nonsense is told from what is sold here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embedder.recognition.logistic import log_odds
from embedder.recognition.match_model import (
    HitEvidence,
    MatchModel,
    fit_anything,
    fit_hits,
    hit_probabilities,
)


def hits(count: int, seed: int, *, meaning: bool = True, silent: bool = False) -> tuple[HitEvidence, np.ndarray]:
    """Ten hits of each query: right ones have higher scores, more of the words and a likelier category."""
    rng = np.random.default_rng(seed)
    right = rng.random((count, 10)) < (np.linspace(0.8, 0.1, 10) if meaning else 0.0)
    scores = 0.3 + 0.1 * right + 0.06 * rng.normal(size=right.shape)
    order = np.argsort(-scores, axis=1)
    right, scores = (np.take_along_axis(values, order, axis=1) for values in (right, scores))
    words = np.clip(0.3 * right + 0.7 * rng.random(right.shape), 0, 1)
    category = 2.0 * right - 1 + rng.normal(size=right.shape)
    absent = np.full(right.shape, np.nan)
    known = rng.normal(size=count) + (1.5 if meaning else -1.5)
    return HitEvidence(scores, absent if silent else words, absent if silent else category, known), right


@pytest.mark.parametrize("silent", [False, True])
def test_probabilities_of_hits_hold(silent: bool) -> None:
    model = fit_hits(hits(300, 0, silent=silent))
    assert model is not None
    evidence, right = hits(2000, 1, silent=silent)
    found = hit_probabilities(model, evidence)
    for low in np.linspace(0, 0.8, 5):
        there = (found >= low) & (found < low + 0.2)
        assert found[there].mean() == pytest.approx(right[there].mean(), abs=0.06)


def test_they_say_more_than_the_base_rate() -> None:
    model = fit_hits(hits(300, 0))
    assert model is not None
    evidence, right = hits(2000, 1)
    brier = ((hit_probabilities(model, evidence) - right) ** 2).mean()
    assert brier < 0.7 * right.mean() * (1 - right.mean())


@pytest.mark.parametrize("alike", [True, False])
def test_where_all_or_none_were_right_others_are_nearly_certain(alike: bool) -> None:
    evidence, right = hits(50, 0)
    model = fit_hits((evidence, np.full_like(right, alike)))
    assert model is not None
    assert hit_probabilities(model, evidence).mean() == pytest.approx(float(alike), abs=0.01)


def test_without_hits_nothing_is_fitted() -> None:
    nothing = HitEvidence(np.empty((0, 10)), np.empty((0, 10)), np.empty((0, 10)), np.empty(0))
    assert fit_hits((nothing, np.empty((0, 10), dtype=bool))) is None


def test_hits_that_are_not_there_are_left_out() -> None:
    evidence, right = hits(300, 0)
    scores = np.array(evidence.scores)
    scores[:, 5:] = np.nan
    fewer = HitEvidence(scores, evidence.words, evidence.category, evidence.known)
    model = fit_hits((fewer, right))
    assert model is not None
    assert np.isfinite(model.weights).all()


def test_the_first_hits_lead_is_over_the_second() -> None:
    scores = np.asarray([[0.9, 0.7, 0.6]])
    absent = np.full((1, 3), np.nan)
    features = HitEvidence(scores, absent, absent, np.asarray([np.nan])).of_hits()
    assert features[0, :, 1] == pytest.approx([0.2, -0.2, -0.3])


def test_a_filter_changes_no_hits_evidence() -> None:
    scores, absent = np.asarray([[0.9, 0.7, 0.6]]), np.full((1, 3), np.nan)
    whole = HitEvidence(scores, absent, absent, np.asarray([np.nan])).of_hits()
    rest = HitEvidence(scores[:, 1:], absent[:, 1:], absent[:, 1:], np.asarray([np.nan]), scores[:, :2]).of_hits()
    assert np.array_equal(whole[:, 1:], rest, equal_nan=True)


def test_one_hit_has_no_lead() -> None:
    one = np.asarray([[0.9]])
    features = HitEvidence(one, one, one, np.asarray([0.0])).of_hits()
    assert np.isnan(features[0, 0, 1])


def test_nonsense_is_told_from_what_is_sold_here() -> None:
    model, least = fit_anything(hits(200, 0)[0], hits(200, 1, meaning=False)[0])
    good = model.probabilities(hits(1000, 2)[0].of_queries())
    bad = model.probabilities(hits(1000, 3, meaning=False)[0].of_queries())
    assert (good[:, None] > bad[None, :]).mean() > 0.95
    # Promised is one in twenty, on the average of many catalogs.
    assert (good < least).mean() <= 0.1
    assert (bad < least).mean() > 0.7


def test_a_query_without_hits_is_no_trouble() -> None:
    nothing = HitEvidence(np.empty((1, 0)), np.empty((1, 0)), np.empty((1, 0)), np.asarray([np.nan]))
    assert nothing.of_hits().shape == (1, 0, 5)
    assert np.isnan(nothing.of_queries()).all()


def test_it_survives_json() -> None:
    relevant = fit_hits(hits(100, 0))
    anything, least = fit_anything(hits(50, 0)[0], hits(50, 1, meaning=False)[0])
    model = MatchModel(relevant, None, anything, least, 100)
    assert MatchModel.from_dict(json.loads(json.dumps(model.to_dict()))) == model


def test_log_odds_stay_finite() -> None:
    assert np.isfinite(log_odds(np.asarray([0.0, 1.0]))).all()
    assert log_odds(np.asarray([0.5])) == pytest.approx([0.0])


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="permitted"):
        HitEvidence(np.zeros((1, 2)), np.zeros((1, 3)), np.zeros((1, 2)), np.zeros(1))
