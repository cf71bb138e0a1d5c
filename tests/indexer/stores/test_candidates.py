"""How many candidates a search looks at: as the operator says, else as measured, else a fixed number."""

from __future__ import annotations

import pytest

from indexer.stores.candidates import Candidates
from indexer.versions.graph_effort import GraphEffort

MEASURED = {"image": GraphEffort(48, 24, {"pictures": 0.995}, {"pictures": 0.97}, 100), "title": GraphEffort()}


def test_what_was_measured_counts_for_the_vectors_it_was_measured_of() -> None:
    candidates = Candidates(measured=MEASURED)
    assert candidates.of("image", 10, "balanced") == 48
    assert candidates.of("image", 10, "fast") == 24
    # Measuring was given up there.
    assert candidates.of("title", 10, "balanced") == 128
    assert candidates.of("title", 10, "fast") == 32


def test_without_measurement_the_numbers_are_those_of_earlier_releases() -> None:
    candidates = Candidates()
    assert [candidates.of("image", 10, effort) for effort in ("balanced", "fast")] == [128, 32]


def test_what_the_operator_set_wins() -> None:
    candidates = Candidates(200, 8, MEASURED)
    assert candidates.of("image", 5, "balanced") == 200
    assert candidates.of("image", 5, "fast") == 8
    assert Candidates(200, None, MEASURED).of("image", 5, "fast") == 24


def test_a_number_is_taken_as_it_is() -> None:
    assert Candidates(200, 8, MEASURED).of("image", 10, 16) == 16


@pytest.mark.parametrize("effort", ["balanced", "fast", 4])
def test_there_are_never_fewer_than_hits_asked_for(effort) -> None:
    for candidates in (Candidates(), Candidates(4, 4), Candidates(measured=MEASURED)):
        assert candidates.of("image", 500, effort) >= 500


def test_whoever_asks_for_more_hits_gets_as_many_candidates_beyond_them_as_were_measured() -> None:
    assert Candidates(measured=MEASURED).of("image", 100, "balanced") == 138
