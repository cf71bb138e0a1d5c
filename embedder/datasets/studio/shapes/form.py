"""A product's shape: parts, each an outline in one of the product's colours."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from embedder.catalogs.product import Split
from embedder.datasets.studio.shapes.outlines import Outline


class Role(IntEnum):
    """Which colour a part has."""

    MAIN = 1
    """The product's first colour, with its pattern and material."""
    SECOND = 2
    ACCENT = 3
    DARK = 4
    LIGHT = 5
    METAL = 6


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One piece, drawn over those before it."""

    outline: Outline
    role: Role


@dataclass(slots=True)
class Form:
    """Parts in the order in which they are drawn, and what is worth saying about them ("with a pom-pom").

    A shape's function adds its parts one by one, by the colour that they have.
    """

    parts: list[Part] = field(default_factory=list)
    features: list[str] = field(default_factory=list)

    def main(self, *outlines: Outline) -> None:
        """Add parts in the product's first colour."""
        self._add(Role.MAIN, outlines)

    def second(self, *outlines: Outline) -> None:
        """Add parts in the product's second colour."""
        self._add(Role.SECOND, outlines)

    def accent(self, *outlines: Outline) -> None:
        """Add parts in the product's third colour."""
        self._add(Role.ACCENT, outlines)

    def dark(self, *outlines: Outline) -> None:
        """Add dark parts: tyres, openings, strings."""
        self._add(Role.DARK, outlines)

    def light(self, *outlines: Outline) -> None:
        """Add light parts: dials, windows, pages."""
        self._add(Role.LIGHT, outlines)

    def metal(self, *outlines: Outline) -> None:
        """Add bare metal."""
        self._add(Role.METAL, outlines)

    def has(self, feature: str) -> None:
        """Name something that a title may mention."""
        self.features.append(feature)

    def _add(self, role: Role, outlines: Sequence[Outline]) -> None:
        self.parts.extend(Part(outline, role) for outline in outlines)


Draw = Callable[[Form, str, random.Random], None]
"""Adds the parts of one product of a family: the form, the kind's name, and where its measures are drawn from."""


@dataclass(frozen=True, slots=True)
class Family:
    """Shapes that are drawn by one function.

    Attributes:
        department: first level of the category.
        name: second level.
        kinds: third level, each with a shape of its own; singular, as titles have it.
        split: which side of the split the whole family is on.
        draw: makes a product's shape.
        materials: what its products may be made of.
    """

    department: str
    name: str
    kinds: tuple[str, ...]
    split: Split
    draw: Draw
    materials: tuple[str, ...]
