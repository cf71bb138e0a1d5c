"""One version's shard of Qdrant Edge: the only module that touches `qdrant_edge` types.

Every call into Edge holds the interpreter, and `optimize` blocks for as long as it takes, so shards are built in a
process of their own (`edge_loader`) and only read where queries are served.
"""

from __future__ import annotations

import array
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import qdrant_edge as edge

from indexer.errors import StoreUnavailable
from indexer.filters.expression import Expression
from indexer.filters.schema import FieldType, Schema
from indexer.stores.condition import (
    CATEGORY_PATH_KEY,
    Clause,
    MatchNode,
    Node,
    RangeNode,
    payload_key,
    to_condition,
)
from indexer.stores.protocol import Batch, Scored, Stored, point_id

EXACT_BELOW = 20_000
"""Up to this many products every search compares with all of them: at this size that is as fast as the graph (0.5 ms
for 10,000 x 384), misses nothing, and saves the build."""

GRAPH_EF = 128

_INDEX_TYPES = {
    FieldType.KEYWORD: edge.PayloadSchemaType.Keyword,
    FieldType.NUMBER: edge.PayloadSchemaType.Float,
    FieldType.BOOL: edge.PayloadSchemaType.Bool,
}


class Shard:
    """A shard on disk, open in this process."""

    def __init__(self, shard: edge.EdgeShard) -> None:
        self._shard = shard

    @classmethod
    def create(cls, path: Path, dim: int) -> Shard:
        """Make an empty shard for vectors of `dim` values in a folder that does not exist."""
        path.mkdir(parents=True)
        params = edge.EdgeVectorParams(dim, edge.Distance.Cosine)
        return cls(edge.EdgeShard.create(str(path), edge.EdgeConfig(vectors=params)))

    @classmethod
    def load(cls, path: Path) -> Shard:
        """Open an existing shard.

        Raises:
            StoreUnavailable: Edge cannot open it.
        """
        try:
            return cls(edge.EdgeShard.load(str(path)))
        # Edge raises bare Exception, and where its Rust side panics a BaseException.
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise StoreUnavailable(
                f"shard {path} cannot be opened ({str(error)[:200]}); next step: is another process using it? else "
                "build the index again"
            ) from error

    def upsert(self, batch: Batch) -> None:
        """Write products into the log; durable after `flush`."""
        points = [
            edge.Point(point_id(product_id), _edge_vector(vector), dict(payload))
            for product_id, vector, payload in zip(
                batch.product_ids, np.ascontiguousarray(batch.vectors, dtype=np.float32), batch.payloads, strict=True
            )
        ]
        self._shard.update(edge.UpdateOperation.upsert_points(points))

    def optimize(self, schema: Schema) -> None:
        """Index the payload, and above `EXACT_BELOW` products build the graph. Blocks."""
        # Payload indexes come first: the graph then gets the links that keep filtered searches precise.
        keys: dict[str, edge.PayloadSchemaType] = {
            "category": edge.PayloadSchemaType.Keyword,
            CATEGORY_PATH_KEY: edge.PayloadSchemaType.Keyword,
        }
        keys |= {
            payload_key(field): _INDEX_TYPES[field.type]
            for field in schema.fields()
            if field.type in _INDEX_TYPES and field.name not in ("id", "title")
        }
        for key, kind in keys.items():
            self._shard.update(edge.UpdateOperation.create_field_index(key, kind))
        if self._shard.info().points_count > EXACT_BELOW:
            self._shard.optimize()

    def flush(self) -> None:
        """Make all that was written durable."""
        self._shard.flush()

    def points(self) -> int:
        """How many points there are."""
        return int(self._shard.info().points_count)

    def search(
        self, vector: npt.NDArray[np.float32], limit: int, where: Expression | None, exact: bool
    ) -> list[Scored]:
        """See `VersionReader.search`."""
        request = edge.QueryRequest(
            limit=limit,
            query=edge.Query.Nearest(_edge_vector(vector)),
            filter=None if where is None else _to_filter(to_condition(where)),
            params=edge.SearchParams(exact=exact, hnsw_ef=max(GRAPH_EF, limit)),
            with_payload=True,
        )
        return sort_scored(
            Scored(payload["product_id"], float(point.score), payload)
            for point in self._shard.query(request)
            if (payload := point.payload) is not None
        )

    def fetch(self, product_id: str) -> Stored | None:
        """See `VersionReader.fetch`."""
        found = self._shard.retrieve([point_id(product_id)], with_payload=True, with_vector=True)
        if not found:
            return None
        return Stored(product_id, np.asarray(found[0].vector, dtype=np.float32), found[0].payload or {})

    def count(self, where: Expression | None) -> int:
        """See `VersionReader.count`."""
        condition = None if where is None else _to_filter(to_condition(where))
        return int(self._shard.count(edge.CountRequest(exact=True, filter=condition)))

    def close(self) -> None:
        """Flush and let go of the folder."""
        self._shard.close()


def sort_scored(found: Iterable[Scored]) -> list[Scored]:
    """Nearest first; equal scores by product id, so that the same query gives the same answer."""
    return sorted(found, key=lambda item: (-item.score, item.product_id))


def _to_filter(clause: Clause) -> edge.Filter:
    return edge.Filter(
        must=[_to_edge(node) for node in clause.must] or None,
        should=[_to_edge(node) for node in clause.should] or None,
        must_not=[_to_edge(node) for node in clause.must_not] or None,
    )


def _edge_vector(vector: npt.NDArray[np.float32]) -> Any:
    """An array goes in three times faster than a list of floats; Edge's stubs know of lists only."""
    return array.array("f", vector.tobytes())


def _to_edge(node: Node) -> Any:
    if isinstance(node, Clause):
        return _to_filter(node)
    if isinstance(node, MatchNode):
        # Edge 0.9 takes Python's bool for the integer that it also is, and then matches no bool; numpy's is none.
        value: Any = np.bool_(node.value) if isinstance(node.value, bool) else node.value
        return edge.FieldCondition(node.key, match=edge.MatchValue(value))
    assert isinstance(node, RangeNode)
    bounds: Mapping[str, float | None] = {"gt": node.gt, "gte": node.gte, "lt": node.lt, "lte": node.lte}
    return edge.FieldCondition(node.key, range=edge.RangeFloat(**bounds))
