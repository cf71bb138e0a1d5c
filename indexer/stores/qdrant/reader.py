"""Answering from one collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qdrant_client import models

from indexer.filters.expression import Expression
from indexer.stores.points import IMAGE, in_order, point_id, to_scored, to_stored
from indexer.stores.protocol import Effort, QueryPart, Scored, Stored, only_part
from indexer.stores.qdrant.arguments import QdrantArguments
from indexer.stores.qdrant.condition import to_filter
from indexer.stores.qdrant.connection import Connection
from indexer.versions.manifest import Manifest


class QdrantReader:
    """See `VersionReader`."""

    def __init__(self, connection: Connection, name: str, manifest: Manifest, arguments: QdrantArguments) -> None:
        self._client = connection.client
        self._call = connection.call
        self._name = name
        self._manifest = manifest
        self._arguments = arguments

    @property
    def manifest(self) -> Manifest:
        """See `VersionReader`."""
        return self._manifest

    def query(
        self,
        parts: Sequence[QueryPart],
        weights: Sequence[float],
        limit: int,
        where: Expression | None = None,
        effort: Effort = "balanced",
    ) -> list[Scored]:
        """See `VersionReader`."""
        part = only_part(parts, weights)
        multivector, chosen = self._manifest.multivector, self._arguments
        candidates = chosen.fast_candidates if effort == "fast" else chosen.search_candidates
        found = self._call(
            self._client.query_points,
            self._name,
            query=[part.vector.tolist()] if multivector else part.vector.tolist(),
            using=part.using,
            limit=limit,
            query_filter=to_filter(where),
            search_params=models.SearchParams(exact=effort == "exact", hnsw_ef=max(candidates, limit)),
            with_payload=True,
            with_vectors=[IMAGE] if multivector else False,
        ).points
        return in_order(
            to_scored(point.payload or {}, float(point.score), part, _held(point) if multivector else None)
            for point in found
        )

    def fetch(self, product_id: str) -> Stored | None:
        """See `VersionReader`."""
        found = self._call(
            self._client.retrieve, self._name, [str(point_id(product_id))], with_payload=True, with_vectors=True
        )
        if not found:
            return None
        return to_stored(found[0].payload or {}, _held(found[0]))

    def count(self, where: Expression | None = None) -> int:
        """See `VersionReader`."""
        return int(self._call(self._client.count, self._name, count_filter=to_filter(where), exact=True).count)

    def check(self, pace: Callable[[int], None] | None = None) -> None:
        """See `VersionReader`; the server checks its own files."""

    def close(self) -> None:
        """Does nothing: the connection belongs to the store."""


def _held(point: Any) -> Any:
    """The pictures' vectors of a point that Qdrant gave back; its model knows of many more shapes."""
    return point.vector[IMAGE]
