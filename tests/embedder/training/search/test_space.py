"""The searched ranges lie within the settings' own, and what is drawn is what is written."""

from __future__ import annotations

import pytest

from embedder.training.search.space import SPACE, Choice, Range, rounded, space_for, with_values, within
from embedder.training.settings import TuneSettings


@pytest.mark.parametrize("name", SPACE)
def test_each_range_lies_within_the_settings_own(name: str) -> None:
    item = SPACE[name]
    ends = item.values if isinstance(item, Choice) else (item.least, item.most)
    for value in ends:
        assert getattr(with_values(TuneSettings(), {name: value}), name) == value
    if isinstance(item, Range):
        # Rounding never leaves the range.
        assert rounded({"least": item.least, "most": item.most}) == {"least": item.least, "most": item.most}


def test_the_defaults_can_be_tried() -> None:
    assert within(TuneSettings(), SPACE) == {name: getattr(TuneSettings(), name) for name in SPACE}


def test_a_batch_larger_than_the_catalog_is_tried_as_large_as_can_be() -> None:
    assert within(TuneSettings(products=64), space_for(50))["products"] == 50
    assert within(TuneSettings(products=32), space_for(50))["products"] == 32
    assert "products" not in within(TuneSettings(products=48), SPACE)
    assert "learning_rate" not in within(TuneSettings(learning_rate=0.01), SPACE)


def test_no_batch_is_larger_than_the_catalog() -> None:
    assert space_for(2_000)["products"] == Choice((32, 64))
    assert space_for(50)["products"] == Choice((32, 50))
    assert "products" not in space_for(20)


def test_numbers_are_rounded_and_all_else_stays() -> None:
    values = rounded({"rate": 0.000123456, "products": 12345, "norm": "frozen"})
    assert values == {"rate": 0.000123, "products": 12345, "norm": "frozen"}
