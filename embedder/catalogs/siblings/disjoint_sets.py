"""Disjoint sets of positions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection


class DisjointSets:
    """Positions 0..n-1, each in a set of its own until sets are joined (Tarjan 1975, with path halving)."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def copy(self) -> DisjointSets:
        """The same sets, joined on their own from here on."""
        other = DisjointSets(0)
        other._parents = self._parents.copy()
        return other

    def find(self, position: int) -> int:
        """The member that stands for the position's set."""
        parents = self._parents
        while parents[position] != position:
            parents[position] = position = parents[parents[position]]
        return position

    def join(self, one: int, other: int) -> None:
        """Make one set of two."""
        # The smaller position stands for both, so that the result does not depend on the order of the calls.
        low, high = sorted((self.find(one), self.find(other)))
        self._parents[high] = low

    def groups(self) -> Collection[list[int]]:
        """All sets, each in ascending order."""
        members: dict[int, list[int]] = defaultdict(list)
        for position in range(len(self._parents)):
            members[self.find(position)].append(position)
        return members.values()
