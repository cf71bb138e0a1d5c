"""How a catalog was split, and what of its test is known from training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from embedder.catalogs.siblings.groups import MOST_ALIKE

NotCompared = Literal["", "explicit", "budget"]

MOST_COMPARED = 20_000
"""Most pictures that are compared only to count leaks, where the catalog itself names each product's split."""

WHY_NOT_COMPARED: Mapping[NotCompared, str] = {
    "": "they were",
    "explicit": f"the catalog names the split of every product, and has more than {MOST_COMPARED:,} pictures",
    "budget": "a tenth of the time given to the training was not enough",
}
"""Why pictures are not compared, for people."""


@dataclass(frozen=True, slots=True)
class SplitReport:
    """Counts for people, and for the bundle's description.

    Attributes:
        train, validation, test: products in each split.
        variant_groups, identical, near_duplicates, left_apart: see `SiblingGroups`.
        validation_leaks, test_leaks: how many of these products have a sibling in training. 0, unless the catalog's
            own splits set siblings apart.
        not_compared: why the pictures were not compared, and so only variant groups and files of the same path are
            known: one of `WHY_NOT_COMPARED`.
    """

    train: int
    validation: int
    test: int
    variant_groups: int
    identical: int
    near_duplicates: int
    left_apart: int
    validation_leaks: int
    test_leaks: int
    not_compared: NotCompared = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SplitReport:
        """Inverse of `to_dict`; raises TypeError on anything else."""
        return cls(**data)

    def __str__(self) -> str:
        """One line."""
        kept = [
            f"{count:,} {name if count != 1 else name.replace('groups', 'group', 1)}"
            for count, name in (
                (self.variant_groups, "groups of variants"),
                (self.identical, "of identical pictures"),
                (self.near_duplicates, "of near-duplicates"),
            )
        ]
        parts = [
            f"{self.train:,} train, {self.validation:,} validation, {self.test:,} test products",
            f"kept together: {', '.join(kept)}",
            f"leaks: {self.test_leaks:,} of {self.test:,} test and {self.validation_leaks:,} of {self.validation:,} "
            "validation products have a sibling in training",
        ]
        if self.left_apart:
            parts.append(
                f"{self.left_apart:,} products have pictures like those of more than {MOST_ALIKE} others, which do not "
                "make them siblings"
            )
        if self.not_compared:
            parts.append(f"the pictures were not compared: {WHY_NOT_COMPARED[self.not_compared]}")
        return f"splits: {'; '.join(parts)}"
