"""How much of a budget is left for what comes after the steps."""

from __future__ import annotations

import pytest

from embedder.training.pictures.features import Pace
from embedder.training.tower_budget import closing_s

FAST, SLOW = Pace(1000, 2.0), Pace(1000, 200.0)


def test_a_quarter_is_left_where_nothing_tells_how_long_it_takes() -> None:
    assert closing_s(3600, 5000, Pace()) == 900
    assert closing_s(3600, 5000, Pace(3, 0.1)) == 900, "three pictures tell nothing"


def test_what_pictures_took_before_tells_what_they_will_take_afterwards() -> None:
    assert closing_s(7200, 5_000, FAST) < 400
    assert closing_s(7200, 5_000, FAST) < closing_s(7200, 50_000, FAST) < closing_s(7200, 50_000, Pace(1000, 4.0))


def test_it_is_a_quarter_at_most() -> None:
    assert closing_s(1200, 20_000, SLOW) == 300


@pytest.mark.parametrize("pace", [Pace(), Pace(1000, 0.1)])
def test_it_is_a_minute_at_least(pace: Pace) -> None:
    assert closing_s(120, 10, pace) >= 60
    assert closing_s(1, 10, pace) == 60
