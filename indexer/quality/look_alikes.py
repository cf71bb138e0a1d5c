"""Categories that look the same: the pictures of each are often taken for the other's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEAST_TAKEN = 3
LEAST_SHARE = 0.2
"""Of each of the two categories at least so many products, and this share of them, are taken for the other."""


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """Two categories.

    Attributes:
        first, second: their numbers, the smaller one first.
        first_taken, second_taken: products of each that are taken for the other.
        first_held, second_held: products of each.
        examples: places of some that are taken for the other, at most three of each.
    """

    first: int
    second: int
    first_taken: int
    second_taken: int
    first_held: int
    second_held: int
    examples: tuple[int, ...]


def find_look_alikes(
    labels: npt.NDArray[np.intp], top: npt.NDArray[np.intp], left_out: Collection[int]
) -> tuple[LookAlikes, ...]:
    """Pairs of categories that are confused both ways, the most confused first.

    Args:
        labels: the catalog's categories, int (n,); -1: none.
        top: what the products' pictures are taken for, int (n,).
        left_out: places of products whose category is thought to be wrong: they say nothing of how it looks.
    """
    judged = labels >= 0
    judged[list(left_out)] = False
    held = Counter(labels[judged].tolist())
    taken = Counter(zip(labels[judged].tolist(), top[judged].tolist(), strict=True))
    found = []
    for (first, second), count in taken.items():
        back = taken.get((second, first), 0)
        shares = count / held[first], back / max(1, held[second])
        if first < second and min(count, back) >= LEAST_TAKEN and min(shares) >= LEAST_SHARE:
            ways = ((first, second), (second, first))
            some = [np.flatnonzero(judged & (labels == own) & (top == other))[:3] for own, other in ways]
            examples = tuple(int(place) for place in np.concatenate(some))
            found.append(LookAlikes(first, second, count, back, held[first], held[second], examples))
    return tuple(sorted(found, key=lambda item: (-(item.first_taken + item.second_taken), item.first, item.second)))
