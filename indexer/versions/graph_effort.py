"""How many candidates of a version's graph are enough, as measured when it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

MEASURED_AT = 10
"""Hits of which it was measured how many are right."""

BALANCED, FAST = 128, 32
"""Candidates where nothing was measured."""

CHANGED_SHARE = 0.1
"""Of the products: once more were changed by updates since it was measured, it is measured anew."""


@dataclass(frozen=True, slots=True)
class GraphEffort:
    """Of one of the vectors that a version holds.

    Attributes:
        balanced, fast: candidates (HNSW's ef) of a search of that effort for `MEASURED_AT` hits, 1 or more.
        recall, fast_recall: what these found of what exact search finds, 0..1, by kind of queries: "pictures" and
            "texts" were held out of the index, "noisy copies" are of its products, "filtered" are all of them with
            filters.
        queries: how many were asked, of all kinds together; 0: measuring took too long, and was given up.
        changed: products that updates wrote or took away since.
    """

    balanced: int = BALANCED
    fast: int = FAST
    recall: Mapping[str, float] = field(default_factory=dict)
    fast_recall: Mapping[str, float] = field(default_factory=dict)
    queries: int = 0
    changed: int = 0

    def __post_init__(self) -> None:
        if not (self.balanced >= 1 and self.fast >= 1):
            raise ValueError(f"{self.balanced} and {self.fast} candidates; permitted: 1 or more each")

    def at_least(self, before: GraphEffort | None) -> GraphEffort:
        """With no fewer candidates than before: copies of products ask less of a graph than words and photos may."""
        if before is None:
            return self
        return replace(self, balanced=max(self.balanced, before.balanced), fast=max(self.fast, before.fast))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`; raises TypeError or ValueError on anything else."""
        return cls(**data)


def carried(
    efforts: Mapping[str, GraphEffort], changed: int, products: int, permitted: float = CHANGED_SHARE
) -> Mapping[str, GraphEffort] | None:
    """What was measured, where it still holds after some products more were changed; None: measure anew.

    Args:
        efforts: by vector; none: nothing was measured, and there is nothing to carry on.
        changed: products written or taken away just now.
        products: that there are.
        permitted: share of the products that may have changed since.
    """
    added = {name: replace(effort, changed=effort.changed + changed) for name, effort in efforts.items()}
    holds = added and all(effort.changed <= permitted * products for effort in added.values())
    return added if holds else None


def describe_efforts(efforts: Mapping[str, GraphEffort], elapsed_s: float) -> list[str]:
    """What was measured, for people, a line for each vector; `elapsed_s` seconds for all of them."""
    return [
        f"graph of {name} vectors: a search for {MEASURED_AT} looks at {effort.balanced} candidates and finds "
        f"{_said(effort.recall)} of what exact search finds, a fast one at {effort.fast}, {_said(effort.fast_recall)}; "
        f"measured with {effort.queries:,} queries, {elapsed_s:.1f} s"
        for name, effort in efforts.items()
        if effort.queries
    ]


def _said(recall: Mapping[str, float]) -> str:
    return ", ".join(f"{value:.3f} ({kind})" for kind, value in recall.items())
