"""How many candidates a search of the graph looks at."""

from __future__ import annotations

from collections.abc import Mapping

from indexer.stores.protocol import Effort
from indexer.versions.graph_effort import BALANCED, FAST, MEASURED_AT, GraphEffort
from indexer.versions.layout import Part


class Candidates:
    """HNSW's ef of each search: what the operator set, else what was measured, else a fixed number."""

    def __init__(
        self, balanced: int | None = None, fast: int | None = None, measured: Mapping[str, GraphEffort] | None = None
    ) -> None:
        """By effort as the operator set it, None where not; and what a manifest says was measured, by vector."""
        self._balanced = balanced
        self._fast = fast
        self._measured = measured or {}

    def of(self, part: Part, limit: int, effort: Effort | int) -> int:
        """Never fewer than the hits asked for.

        Args:
            part: which vectors are searched.
            limit: hits asked for, 1 or more.
            effort: see `VersionReader.query`.
        """
        if isinstance(effort, int):
            return max(effort, limit)
        fast = effort == "fast"
        given = self._fast if fast else self._balanced
        if given is not None:
            return max(given, limit)
        measured = self._measured.get(part)
        if measured is None or not measured.queries:
            return max(FAST if fast else BALANCED, limit)
        found = measured.fast if fast else measured.balanced
        # As many beyond the hits asked for as where it was measured: 100 of 100 candidates are not the nearest 100.
        return max(found, found - MEASURED_AT + limit)
