"""Lengths of time as people write them on a command line."""

from __future__ import annotations

import math
import re

from embedder.errors import SettingsError

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Seconds of "90s", "20m", "1.5h" or "0".

    Raises:
        SettingsError: anything else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    seconds = float(found[1]) * _UNITS_S.get(found[2], 0.0) if found else math.nan
    if found is None or (not found[2] and float(found[1]) != 0.0) or not seconds < 1e8:
        raise SettingsError(f"duration {text!r}; permitted: 0, or a number with its unit, as in 90s, 20m, 1.5h")
    return seconds
