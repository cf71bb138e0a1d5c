"""Which settings of a tuning are searched, and in which ranges: one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args, get_type_hints

from embedder.training.settings import TuneSettings

Value = float | int | str
"""What a setting may be."""

_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two others, both included.

    Attributes:
        least, most: with as many digits as `rounded` leaves, or it could leave the range.
        by_factor: drawn evenly by its logarithm.
    """

    least: float
    most: float
    by_factor: bool = False

    def holds(self, value: Value) -> bool:
        """Whether a value is in it."""
        return not isinstance(value, str) and self.least <= value <= self.most


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values."""

    values: tuple[Value, ...]

    def holds(self, value: Value) -> bool:
        """Whether a value is among them."""
        return value in self.values


Space = Mapping[str, Range | Choice]
"""Names of fields of `TuneSettings`, with what each may be."""

SPACE: Space = {
    "learning_rate": Range(1e-4, 2e-3, by_factor=True),
    "layer_decay": Range(0.75, 1.0),
    "products": Choice((32, 64)),
    "temperature": Range(0.04, 0.12),
    "contrastive_weight": Range(0.25, 4.0, by_factor=True),
    "category_weight": Range(0.1, 2.0, by_factor=True),
    # From 0: whether the base must be held on to at all is a question too.
    "distillation_weight": Range(0.0, 2.0),
    "view_share": Range(0.4, 1.0),
    "crop": Range(0.5, 1.0),
    "flip_share": Choice((0.0, 0.5)),
    "batch_norm": Choice(get_args(get_type_hints(TuneSettings)["batch_norm"])),
}


def space_for(products: int) -> Space:
    """The space for so many training products: no batch is larger than they are; what leaves no choice is left out."""
    sizes = SPACE["products"]
    assert isinstance(sizes, Choice)
    capped = Choice(tuple(sorted({min(size, products) for size in sizes.values if isinstance(size, int)})))
    space = {**SPACE, "products": capped}
    return {name: item for name, item in space.items() if isinstance(item, Range) or len(item.values) > 1}


def within(settings: TuneSettings, space: Space) -> dict[str, Value]:
    """Those values of given settings that the space holds; of a larger batch than there can be, the largest."""
    values: dict[str, Value] = {name: getattr(settings, name) for name in space}
    sizes = space.get("products")
    if isinstance(sizes, Choice):
        values["products"] = min(settings.products, max(size for size in sizes.values if isinstance(size, int)))
    return rounded({name: value for name, value in values.items() if space[name].holds(value)})


def rounded(values: Mapping[str, Value]) -> dict[str, Value]:
    """Values as they are used and written down: numbers with three digits, which a reader can copy."""
    return {
        name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value for name, value in values.items()
    }


def with_values(settings: TuneSettings, values: Mapping[str, Value]) -> TuneSettings:
    """Settings with other values.

    Raises:
        pydantic.ValidationError: one is outside the setting's range.
    """
    changed: dict[str, Any] = dict(values)
    return replace(settings, **changed)
