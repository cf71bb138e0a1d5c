"""Answering from one collection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from qdrant_client import models

from indexer.errors import StoreNotFound, StoreUnavailable
from indexer.filters.expression import Expression
from indexer.filters.schema import Field
from indexer.stores.candidates import Candidates
from indexer.stores.payload_indexes import counted_key
from indexer.stores.points import (
    FUSED_FROM,
    FUSION_K,
    IMAGE,
    SCANNED,
    WORDS,
    in_order,
    needed_vectors,
    point_id,
    recommended,
    to_scored,
    to_stored,
    value_name,
)
from indexer.stores.protocol import Effort, Page, Payload, QueryPart, Scored, Stored, WordVector, ranking_parts
from indexer.stores.qdrant.arguments import QdrantArguments
from indexer.stores.qdrant.collection import sparse_vector
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
        self._candidates = Candidates(arguments.search_candidates, arguments.fast_candidates, manifest.effort)

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
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """See `VersionReader`."""
        layout = self._manifest.layout
        ranking = ranking_parts(parts, weights, layout.held)
        needed = needed_vectors(parts, ranking, layout.multivector)
        condition = to_filter(where)
        fused = len(ranking) > 1
        candidates = max(limit, FUSED_FROM) if fused else limit
        asked: dict[str, Any]
        if fused:
            asked = {
                "query": models.RrfQuery(
                    rrf=models.Rrf(k=FUSION_K, weights=[weight for weight in weights if weight > 0])
                ),
                "prefetch": [
                    models.Prefetch(
                        query=self._nearest(part),
                        using=part.using,
                        filter=condition,
                        params=self._search_params(part, candidates, effort),
                        limit=candidates,
                    )
                    for part in ranking
                ],
            }
        else:
            (part,) = ranking
            asked = {
                "query": self._nearest(part),
                "using": part.using,
                "query_filter": condition,
                "search_params": self._search_params(part, candidates, effort),
            }
        found = self._call(
            self._client.query_points,
            self._name,
            limit=limit,
            with_payload=True,
            with_vectors=needed or False,
            **asked,
        ).points
        return in_order(
            (
                (
                    float(point.score),
                    to_scored(point.payload or {}, float(point.score), parts, _held(point) if needed else None),
                )
                for point in found
            ),
            ranking,
        )

    def scores(self, part: QueryPart, product_ids: Sequence[str]) -> dict[str, float]:
        """See `VersionReader`."""
        if not product_ids:
            return {}
        these = models.HasIdCondition(has_id=[str(point_id(each)) for each in product_ids])
        found = self._call(
            self._client.query_points,
            self._name,
            query=self._nearest(part),
            using=part.using,
            query_filter=models.Filter(must=[these]),
            search_params=None if part.using == WORDS else models.SearchParams(exact=True),
            limit=len(product_ids),
            with_payload=["product_id"],
        ).points
        return {str((point.payload or {})["product_id"]): float(point.score) for point in found}

    def recommend(
        self,
        liked: Sequence[QueryPart],
        disliked: Sequence[QueryPart],
        limit: int,
        where: Expression | None = None,
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """See `VersionReader`."""
        by = models.RecommendInput(
            positive=[self._nearest(part) for part in liked],
            negative=[self._nearest(part) for part in disliked],
            strategy=models.RecommendStrategy.BEST_SCORE,
        )
        found = self._call(
            self._client.query_points,
            self._name,
            query=models.RecommendQuery(recommend=by),
            using=IMAGE,
            query_filter=to_filter(where),
            search_params=self._search_params(liked[0], limit, effort),
            limit=limit,
            with_payload=True,
            with_vectors=[IMAGE],
        ).points
        return recommended([(point.payload or {}, _held(point)) for point in found], liked, disliked)

    def _search_params(self, part: QueryPart, limit: int, effort: Effort | int) -> models.SearchParams | None:
        if part.using == WORDS:
            return None
        return models.SearchParams(exact=effort == "exact", hnsw_ef=self._candidates.of(part.using, limit, effort))

    def _nearest(self, part: QueryPart) -> Any:
        if isinstance(part.vector, WordVector):
            return sparse_vector(part.vector)
        several = part.using == IMAGE and self._manifest.multivector
        return [part.vector.tolist()] if several else part.vector.tolist()

    def has_graph(self) -> bool:
        """See `VersionReader`."""
        indexed = self._call(self._client.get_collection, self._name).indexed_vectors_count or 0
        if indexed and self._manifest.layout.has_words:
            # Words are counted as indexed, though no graph holds them.
            worded = models.Filter(must=[models.HasVectorCondition(has_vector=WORDS)])
            indexed -= self._call(self._client.count, self._name, count_filter=worded, exact=True).count
        return indexed > 0

    def fetch(self, product_id: str) -> Stored | None:
        """See `VersionReader`."""
        return next(iter(self.fetch_many([product_id])), None)

    def fetch_many(self, product_ids: Sequence[str]) -> list[Stored]:
        """See `VersionReader`."""
        points = [str(point_id(each)) for each in product_ids]
        found = self._call(self._client.retrieve, self._name, points, with_payload=True, with_vectors=True)
        stored = {item.product_id: item for item in (to_stored(point.payload or {}, _held(point)) for point in found)}
        return [stored[each] for each in product_ids if each in stored]

    def scan(self, fields: Sequence[str]) -> Iterator[list[Payload]]:
        """See `VersionReader`."""
        offset = None
        while True:
            found, offset = self._call(
                self._client.scroll,
                self._name,
                offset=offset,
                limit=SCANNED,
                with_payload=list(fields),
                with_vectors=False,
            )
            yield [point.payload or {} for point in found]
            if offset is None:
                return

    def count(self, where: Expression | None = None) -> int:
        """See `VersionReader`."""
        return int(self._call(self._client.count, self._name, count_filter=to_filter(where), exact=True).count)

    def counts_values_of(self, field: Field) -> bool:
        """See `VersionReader`."""
        return self._counted_key(field) is not None

    def count_values(self, field: Field, limit: int, where: Expression | None = None) -> dict[str, int]:
        """See `VersionReader`."""
        found = self._call(
            self._client.facet,
            self._name,
            key=self._counted_key(field) or "",
            facet_filter=to_filter(where),
            limit=limit,
            exact=True,
        )
        return {value_name(hit.value): hit.count for hit in found.hits}

    def _counted_key(self, field: Field) -> str | None:
        return counted_key(field, self._manifest.schema, ids=True)

    def page(self, limit: int, start: str = "", where: Expression | None = None) -> Page:
        """See `VersionReader`."""
        found, following = self._call(
            self._client.scroll,
            self._name,
            offset=start or None,
            limit=limit,
            scroll_filter=to_filter(where),
            with_payload=True,
            with_vectors=False,
        )
        return Page(tuple(point.payload or {} for point in found), "" if following is None else str(following))

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
    """The vectors of a point that Qdrant gave back, by name; its model knows of many more shapes."""
    return point.vector
