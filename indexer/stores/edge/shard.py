"""One version's shard of Qdrant Edge: the only module that touches `qdrant_edge` types.

Every call into Edge holds the interpreter, and `optimize` blocks for as long as it takes, so shards are built in a
process of their own (`loader`) and only read where queries are served.
"""

from __future__ import annotations

import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import qdrant_edge as edge

from indexer.errors import StoreUnavailable, VersionIncomplete
from indexer.filters.expression import Expression
from indexer.filters.schema import FieldType, Schema
from indexer.stores.condition import (
    Clause,
    MatchNode,
    Node,
    RangeNode,
    to_condition,
)
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.stores.points import IMAGE, in_order, point_id, points_by_value, to_scored, to_stored
from indexer.stores.protocol import Batch, Effort, QueryPart, Scored, Stored, only_part

_INDEX_TYPES = {
    FieldType.KEYWORD: edge.PayloadSchemaType.Keyword,
    FieldType.NUMBER: edge.PayloadSchemaType.Float,
    FieldType.BOOL: edge.PayloadSchemaType.Bool,
}


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Whatever Edge raises becomes one of ours: it raises bare Exception, and where its Rust side panics, as it does
    on files whose contents make no sense, a BaseException that no `except Exception` would stop.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except Exception as error:
        raise StoreUnavailable(
            f"{doing} failed in Qdrant Edge ({str(error)[:300]}); next step: is there memory and disk space left? is "
            "another process using the folder? else build the index again"
        ) from error
    except BaseException as error:
        raise VersionIncomplete(
            f"{doing} met damaged files ({str(error)[:300]}); next step: python -m indexer verify --deep names them; "
            "build the index again"
        ) from error


class Shard:
    """A shard on disk, open in this process."""

    def __init__(self, shard: edge.EdgeShard, arguments: EdgeArguments, multivector: bool) -> None:
        self._shard = shard
        self._arguments = arguments
        self._multivector = multivector

    @classmethod
    def create(cls, path: Path, dim: int, multivector: bool, arguments: EdgeArguments) -> Shard:
        """Make an empty shard in a folder that does not exist.

        Args:
            path: the folder.
            dim: length of the vectors.
            multivector: whether a product may have several; compared by the nearest one (MaxSim).
            arguments: see there.

        Raises:
            StoreUnavailable: Edge cannot write there.
        """
        several = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim) if multivector else None
        config = edge.EdgeConfig(
            vectors={IMAGE: edge.EdgeVectorParams(dim, edge.Distance.Cosine, multivector_config=several)},
            hnsw_config=edge.HnswIndexConfig(
                m=arguments.graph_links, ef_construct=arguments.graph_build_candidates, full_scan_threshold=10_000
            ),
            quantization_config=_quantization(arguments),
            # A build that dies begins anew, and a version that is whole is never written again: a log, of which Edge
            # reserves 64 MB, would be kept for nothing.
            wal_enabled=False,
        )
        with _translated(f"making the shard {path}"):
            path.mkdir(parents=True)
            return cls(edge.EdgeShard.create(str(path), config), arguments, multivector)

    @classmethod
    def load(cls, path: Path, multivector: bool, arguments: EdgeArguments) -> Shard:
        """Open an existing shard.

        Raises:
            StoreUnavailable: Edge cannot open it.
            VersionIncomplete: its files are damaged.
        """
        with _translated(f"opening the shard {path}"):
            return cls(edge.EdgeShard.load(str(path)), arguments, multivector)

    def upsert(self, batch: Batch) -> None:
        """Write products; durable after `flush`."""
        points = [
            edge.Point(point_id(product_id), {IMAGE: self._vectors(vectors)}, dict(payload))
            for product_id, vectors, payload in batch.rows()
        ]
        with _translated("writing products"):
            self._shard.update(edge.UpdateOperation.upsert_points(points))

    def mark(self, product_ids: Sequence[str], key: str, values: Sequence[str]) -> None:
        """See `VersionWriter.mark`; durable after `flush`."""
        with _translated("marking products"):
            for value, points in points_by_value(product_ids, values).items():
                self._shard.update(edge.UpdateOperation.set_payload([*points], {key: value}))

    def optimize(self, schema: Schema) -> None:
        """Index the payload, and above `graph_above` products build the graph. Blocks."""
        # Payload indexes come first: the graph then gets the links that keep filtered searches precise.
        with _translated("indexing the products"):
            for key, kind in choose_payload_indexes(schema).keys.items():
                self._shard.update(edge.UpdateOperation.create_field_index(key, _INDEX_TYPES[kind]))
            if self._shard.info().points_count > self._arguments.graph_above:
                self._shard.optimize()

    def flush(self) -> None:
        """Make all that was written durable."""
        with _translated("flushing the shard"):
            self._shard.flush()

    def points(self) -> int:
        """How many points there are."""
        with _translated("counting the products"):
            return int(self._shard.info().points_count)

    def query(
        self, parts: Sequence[QueryPart], weights: Sequence[float], limit: int, where: Expression | None, effort: Effort
    ) -> list[Scored]:
        """See `VersionReader.query`."""
        part = only_part(parts, weights)
        request = edge.QueryRequest(
            limit=limit,
            query=edge.Query.Nearest(_edge_vector(part.vector), using=part.using),
            filter=None if where is None else _to_filter(to_condition(where)),
            params=self._search_params(limit, effort),
            with_payload=True,
            with_vector=self._multivector,
        )
        with _translated("searching"):
            found = self._shard.query(request)
            return in_order(
                to_scored(payload, float(point.score), part, _held(point) if self._multivector else None)
                for point in found
                if (payload := point.payload) is not None
            )

    def fetch(self, product_id: str) -> Stored | None:
        """See `VersionReader.fetch`."""
        with _translated("reading a product"):
            found = self._shard.retrieve([point_id(product_id)], with_payload=True, with_vector=True)
            return to_stored(found[0].payload or {}, _held(found[0])) if found else None

    def count(self, where: Expression | None) -> int:
        """See `VersionReader.count`."""
        condition = None if where is None else _to_filter(to_condition(where))
        with _translated("counting products"):
            return int(self._shard.count(edge.CountRequest(exact=True, filter=condition)))

    def close(self) -> None:
        """Flush and let go of the folder."""
        with _translated("closing the shard"):
            self._shard.close()

    def _vectors(self, vectors: npt.NDArray[np.float32]) -> Any:
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if self._multivector:
            return [_edge_vector(row) for row in rows]
        (row,) = rows
        return _edge_vector(row)

    def _search_params(self, limit: int, effort: Effort) -> edge.SearchParams:
        chosen = self._arguments
        candidates = chosen.fast_candidates if effort == "fast" else chosen.search_candidates
        quantized = edge.QuantizationSearchParams(rescore=True, oversampling=chosen.oversampling)
        return edge.SearchParams(
            exact=effort == "exact",
            hnsw_ef=max(candidates, limit),
            quantization=quantized if chosen.quantization != "none" else None,
        )


def _quantization(arguments: EdgeArguments) -> edge.ScalarQuantizationConfig | None:
    if arguments.quantization == "none":
        return None
    return edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=arguments.quantile, always_ram=True)


def _held(point: Any) -> Any:
    """The pictures' vectors of a point that Edge gave back."""
    return point.vector[IMAGE]


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
        # Edge 0.9 takes Python's bool for the integer that it also is, and then matches no bool; numpy's is none since
        # 2.3, where it lost `__index__`.
        value: Any = np.bool_(node.value) if isinstance(node.value, bool) else node.value
        return edge.FieldCondition(node.key, match=edge.MatchValue(value))
    assert isinstance(node, RangeNode)
    bounds: Mapping[str, float | None] = {"gt": node.gt, "gte": node.gte, "lt": node.lt, "lte": node.lte}
    return edge.FieldCondition(node.key, range=edge.RangeFloat(**bounds))
