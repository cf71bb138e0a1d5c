"""Pictures that are too small to tell much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.quality.roll import ProductRoll

LEAST_SIDE = 64
"""A picture whose shorter side has fewer pixels is tiny: enlarged it is a blur, to people as well."""

_NAMED_AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class TinyPicture:
    """One of them: its product's place, which of that product's pictures it is, from 0, and its size in pixels."""

    place: int
    picture: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class TinyPictures:
    """All of them are counted, some are named: the smallest first."""

    count: int
    named: tuple[TinyPicture, ...]


def find_tiny(roll: ProductRoll) -> TinyPictures:
    """Pictures with a side of fewer than `LEAST_SIDE` pixels."""
    traits, firsts = roll.traits(), roll.firsts
    sides = np.minimum(traits["width"], traits["height"])
    (found,) = np.nonzero(sides < LEAST_SIDE)
    order = found[np.argsort(sides[found], kind="stable")][:_NAMED_AT_MOST]
    places = np.searchsorted(firsts, order, side="right") - 1
    named = [
        TinyPicture(place, picture - int(firsts[place]), int(traits["width"][picture]), int(traits["height"][picture]))
        for place, picture in zip(places.tolist(), order.tolist(), strict=True)
    ]
    return TinyPictures(len(found), tuple(named))
