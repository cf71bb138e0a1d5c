"""Looking again until something is so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], most_s: float, every_s: float) -> T | None:
    """What `look` gives as soon as that is not None; None where it is not within `most_s` seconds.

    Args:
        look: called at least once.
        most_s: seconds until it is given up, 0 or more.
        every_s: seconds between two looks, above 0.
    """
    until = time.monotonic() + most_s
    while True:
        found = look()
        left_s = until - time.monotonic()
        if found is not None or left_s <= 0:
            return found
        time.sleep(min(every_s, left_s))
