"""The nearest products vote for a category, by how near they are, with some doubt left."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.recognition.neighbor_vote import Held, NeighborVote, fit_vote


def test_votes_by_hand() -> None:
    found = NeighborVote(temperature=0.1, doubt=0.5).probabilities(["boot", "bag", "boot"], [0.9, 0.8, 0.7])
    near, middle, far = 1.0, np.exp(-1), np.exp(-2)
    total = near + middle + far + 0.5
    assert found == pytest.approx({"boot": (near + far) / total, "bag": middle / total})


def test_the_likeliest_comes_first() -> None:
    found = NeighborVote(0.1, 0.1).probabilities(["bag", "boot", "boot", "boot"], [0.91, 0.9, 0.9, 0.9])
    assert list(found) == ["boot", "bag"]


def test_nobody_near_no_votes() -> None:
    assert NeighborVote().probabilities([], []) == {}


def test_doubt_keeps_certainty_away() -> None:
    assert sum(NeighborVote(1.0, 1.0).probabilities(["boot"] * 20, [0.9] * 20).values()) == pytest.approx(20 / 21)


@pytest.mark.parametrize(("temperature", "doubt"), [(0.0, 0.1), (-1.0, 0.1), (float("nan"), 0.1), (0.1, -0.1)])
def test_settings_out_of_range(temperature: float, doubt: float) -> None:
    with pytest.raises(ValueError, match=r"permitted: above 0, 0 or more"):
        NeighborVote(temperature, doubt)


def drawn(right: float, count: int = 400) -> list[Held]:
    """Products whose 20 neighbours all say one category, which is their own with the given probability."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(count):
        said = f"c{rng.integers(10)}"
        own = said if rng.random() < right else f"c{rng.integers(10)}"
        held.append(Held(own, (said,) * 20, tuple(np.linspace(0.9, 0.8, 20))))
    return held


@pytest.mark.parametrize("right", [0.95, 0.6, 0.1])
def test_the_fitted_probability_is_how_often_the_neighbours_are_right(right: float) -> None:
    held = drawn(right)
    vote = fit_vote(held)
    told = np.mean([max(vote.probabilities(item.neighbor_categories, item.scores).values()) for item in held])
    share = np.mean([item.category == item.neighbor_categories[0] for item in held])
    assert told == pytest.approx(share, abs=0.12)


def test_nothing_to_fit_on() -> None:
    assert fit_vote([]) == NeighborVote()


def test_a_product_alone_in_its_catalog() -> None:
    assert fit_vote([Held("boot", (), ())]).probabilities([], []) == {}
