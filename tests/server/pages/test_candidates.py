"""Which products a query's pages are made of: the best that differ."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.stores.protocol import Scored
from server.pages import candidates
from server.pages.candidates import collect, fold


def product(number: int, duplicate_set: str | None = None) -> Scored:
    payload = {"product_id": f"p-{number}"} | ({} if duplicate_set is None else {"duplicate_set": duplicate_set})
    return Scored(f"p-{number}", 1 - number / 10_000, payload)


def names(found: Sequence[candidates.Candidate]) -> list[str]:
    return [item.hit.product_id for item in found]


def test_the_best_of_a_set_stands_for_the_others() -> None:
    found = [product(0), product(1, "p-9"), product(2), product(3, "p-9"), product(9, "p-9")]
    folded = fold(found, keep_duplicates=False)
    assert names(folded) == ["p-0", "p-1", "p-2"]
    assert [item.duplicates for item in folded] == [(), ("p-3", "p-9"), ()]


def test_duplicates_may_be_kept() -> None:
    folded = fold([product(1, "p-1"), product(2, "p-1")], keep_duplicates=True)
    assert names(folded) == ["p-1", "p-2"]
    assert len({item.key for item in folded}) == 2


def test_a_set_keeps_its_key_whichever_of_it_is_best() -> None:
    (first,), (second,) = (fold([product(number, "p-1")], keep_duplicates=False) for number in (1, 2))
    assert first.key == second.key


@given(
    sets=st.lists(st.none() | st.integers(0, 5), max_size=60),
    wanted=st.integers(1, 40),
    keep=st.booleans(),
    more=st.integers(0, 30),
)
@settings(deadline=None)
def test_as_many_that_differ_as_are_wanted_or_all_there_are(
    sets: list[int | None], wanted: int, keep: bool, more: int
) -> None:
    """Compared with folding everything at once; an engine may give more than it was asked for."""
    everything = [product(place, None if each is None else f"set {each}") for place, each in enumerate(sets)]
    asked: list[int] = []

    def search(limit: int) -> list[Scored]:
        asked.append(limit)
        return everything[:limit]

    found = collect(everything[: wanted + more], wanted, wanted, keep, search)
    whole = fold(everything, keep)
    assert names(found.items) == names(whole[:wanted])
    assert asked == sorted(set(asked))
    if found.are_all:
        assert len(whole) <= wanted
    if len(whole) < wanted:
        assert found.are_all


def test_a_catalog_of_one_thing_is_not_searched_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "MOST_SEARCHED", 64)
    everything = [product(place, "p-0") for place in range(10_000)]
    asked = []

    def search(limit: int) -> list[Scored]:
        asked.append(limit)
        return everything[:limit]

    found = collect(search(11), 11, 11, False, search)
    assert (names(found.items), found.are_all) == (["p-0"], False)
    assert asked == [11, 64]
