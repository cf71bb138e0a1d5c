"""Categories as a tree: a category's probability is the sum of those below it, and its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """A category on some level.

    Attributes:
        path: its levels, separated by "/".
        probability: that the query belongs to it or to a category below it, 0..1.
    """

    path: str
    probability: float


def ancestors(path: str) -> tuple[str, ...]:
    """A path and all above it, from the top: "a/b/c" gives "a", "a/b", "a/b/c"."""
    levels = path.split(SEPARATOR)
    return tuple(SEPARATOR.join(levels[: depth + 1]) for depth in range(len(levels)))


class CategoryTree:
    """The categories that products have, and all above them.

    A category that has products of its own and others below it is both: its own share is part of its sum.
    """

    def __init__(self, categories: Sequence[str]) -> None:
        """Take c paths, without repetition."""
        self._categories = tuple(categories)
        places: dict[str, list[int]] = {}
        for place, path in enumerate(self._categories):
            for node in ancestors(path):
                places.setdefault(node, []).append(place)
        self._places = {node: np.asarray(below, dtype=np.intp) for node, below in places.items()}

    @property
    def nodes(self) -> tuple[str, ...]:
        """All paths on all levels."""
        return tuple(self._places)

    def probability(self, node: str, probabilities: npt.NDArray[np.floating]) -> float:
        """Of a category on any level, given those of the c categories, float (c,)."""
        return min(1.0, float(probabilities[self._places[node]].sum()))

    def branch(self, place: int, probabilities: npt.NDArray[np.floating]) -> tuple[CategoryNode, ...]:
        """The category at a place, 0..c-1, with all above it, from the top: probabilities never grow downwards."""
        path = ancestors(self._categories[place])
        return tuple(CategoryNode(node, self.probability(node, probabilities)) for node in path)


def deepest(nodes: Sequence[CategoryNode], least: float) -> CategoryNode | None:
    """The lowest of a branch's nodes, from the top, whose probability is at least `least`; None: none of them."""
    sure = [node for node in nodes if node.probability >= least]
    return sure[-1] if sure else None
