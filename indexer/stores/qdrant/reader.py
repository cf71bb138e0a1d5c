"""Answering from one collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from qdrant_client import models

from indexer.errors import StoreNotFound, StoreUnavailable
from indexer.filters.expression import Expression
from indexer.stores.points import IMAGE, in_order, point_id, to_scored, to_stored
from indexer.stores.protocol import Effort, QueryPart, Scored, Stored, only_part
from indexer.stores.qdrant.arguments import QdrantArguments
from indexer.stores.qdrant.condition import to_filter
from indexer.stores.qdrant.connection import Connection
from indexer.versions.manifest import Manifest

T = TypeVar("T")


class QdrantReader:
    """See `VersionReader`. Once its collection is found to be gone, it stays gone: names are never used twice."""

    def __init__(self, connection: Connection, name: str, manifest: Manifest, arguments: QdrantArguments) -> None:
        self._client = connection.client
        self._connection = connection
        self._name = name
        self._gone: StoreNotFound | None = None
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
        """See `VersionReader`; the server checks its own files, so what is asked is whether the collection is there.

        Raises:
            StoreNotFound: it is not. A server that cannot be reached proves nothing.
        """
        if self._gone is None and pace is not None:
            try:
                if not self._call(self._client.collection_exists, self._name):
                    self._gone = StoreNotFound(
                        f"collection {self._name} is gone: the version was deleted while it was served; next step: "
                        "restart the server, and raise drop_after_s"
                    )
            except StoreUnavailable:
                return
        if self._gone is not None:
            raise self._gone

    def close(self) -> None:
        """Does nothing: the connection belongs to the store."""

    def _call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        try:
            return self._connection.call(function, *args, **kwargs)
        except StoreNotFound as error:
            self._gone = error
            raise


def _held(point: Any) -> Any:
    """The pictures' vectors of a point that Qdrant gave back; its model knows of many more shapes."""
    return point.vector[IMAGE]
