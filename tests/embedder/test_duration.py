"""Lengths of time are read with their unit, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from embedder.duration import parse_duration
from embedder.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("20m", 1200.0),
        ("1.5h", 5400.0),
        ("0.25m", 15.0),
        ("0", 0.0),
        ("0.0", 0.0),
        ("0m", 0.0),
        (" 20m ", 1200.0),
    ],
)
def test_a_number_with_its_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "20", "m", "-1m", "+1m", "20 m", "20M", "20min", "1h30m", "1,5h", ".5h", "1.h", "1e3s", "inf", "nan",
     "infh", "nans", "20d", "100000h", "9" * 400 + "s", "0x10s", "20m\nx", "--1"],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_permitted(text: str) -> None:
    with pytest.raises(
        SettingsError, match=r"duration .*permitted: 0, or a number with its unit, as in 90s, 20m, 1\.5h"
    ):
        parse_duration(text)
