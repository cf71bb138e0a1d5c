"""A product that neither its title nor a photo of it finds is named; how many were asked for is said."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from embedder.index_space import IndexSpace
from indexer.quality import unfound
from indexer.quality.roll import ProductRoll
from indexer.quality.unfound import Search, search_products
from tests.indexer.conftest import DIM, unit_rows
from tests.indexer.quality.rolls import Shown, fill, png, roll_in

COUNT, LOST = 40, (3, 17)


class Encoder(SimpleNamespace):
    """Titles lie at their product's vector, those of lost ones opposite."""

    space = IndexSpace(DIM)

    def text_queries(self, texts: list[str]) -> list:
        return self.space.text_queries(seen([int(text.split()[-1]) for text in texts]))


def seen(numbers: list[int]) -> np.ndarray:
    """What queries for products look like."""
    vectors = unit_rows(COUNT)
    return np.stack([-vectors[number] if number in LOST else vectors[number] for number in numbers])


@pytest.fixture(scope="module")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductRoll]:
    """Product 17 has no title."""
    picture, vectors = png(Image.new("RGB", (40, 40))), unit_rows(COUNT)
    with roll_in(tmp_path_factory.mktemp("roll")) as kept:
        for number in range(COUNT):
            title = "" if number == 17 else f"product {number}"
            fill(kept, [Shown(f"p-{number}", [picture], title, vectors=vectors[number : number + 1])])
        yield kept


def search(roll: ProductRoll, numbers: range, owners: np.ndarray | None = None) -> Search:
    views = {f"p-{number}": seen([number])[0] for number in numbers}
    return search_products(Encoder(), views, roll, np.arange(COUNT) if owners is None else owners)  # type: ignore[arg-type]


@pytest.mark.parametrize("at_once", [8192, 7])
def test_those_that_both_queries_miss_are_named(
    roll: ProductRoll, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfound, "_HELD_AT_ONCE", at_once)
    found = search(roll, range(COUNT))
    assert (found.asked, found.among) == (COUNT, 10)
    assert {item.place: item.before_by_title for item in found.unfound} == {3: COUNT - 1, 17: None}
    assert [item.before_by_view for item in found.unfound] == [COUNT - 1] * 2


def test_what_shows_the_same_is_as_good(roll: ProductRoll) -> None:
    opposite = int(np.argmin(unit_rows(COUNT) @ unit_rows(COUNT)[3]))
    owners = np.arange(COUNT)
    owners[opposite] = 3
    assert [item.place for item in search(roll, range(COUNT), owners).unfound] == [17]


def test_only_products_with_a_view_are_asked_for(roll: ProductRoll) -> None:
    assert search(roll, range(5)).asked == 5
    assert search(roll, range(0)) == Search(0, 10, ())


def test_of_several_pictures_the_nearest_counts(roll: ProductRoll) -> None:
    with roll_in(roll._folder) as kept:
        picture, vectors = png(Image.new("RGB", (40, 40))), unit_rows(24)
        fill(kept, [Shown(f"p-{n}", [picture] * 2, vectors=vectors[2 * n : 2 * n + 2]) for n in range(12)])
        views = {f"p-{n}": vectors[2 * n + 1] for n in range(12)}
        found = search_products(Encoder(), views, kept, np.arange(12))  # type: ignore[arg-type]
        assert (found.asked, found.unfound) == (12, ())
