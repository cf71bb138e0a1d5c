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
from uuid import UUID

import numpy as np
import numpy.typing as npt
import qdrant_edge as edge

from indexer.errors import StoreUnavailable, VersionIncomplete
from indexer.filters.expression import Expression
from indexer.filters.schema import FieldType, Schema
from indexer.stores.candidates import Candidates
from indexer.stores.condition import (
    Clause,
    MatchNode,
    Node,
    RangeNode,
    to_condition,
)
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.payload_indexes import choose_payload_indexes
from indexer.stores.points import (
    FUSED_FROM,
    FUSION_K,
    IMAGE,
    SCANNED,
    TITLE,
    WORDS,
    in_order,
    needed_vectors,
    point_id,
    points_by_value,
    recommended,
    to_scored,
    to_stored,
    value_name,
)
from indexer.stores.protocol import (
    Batch,
    Effort,
    Page,
    Payload,
    QueryPart,
    Row,
    Scored,
    Stored,
    WordVector,
    ranking_parts,
)
from indexer.versions.graph_effort import GraphEffort
from indexer.versions.layout import Part, VectorLayout

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

    def __init__(
        self,
        shard: edge.EdgeShard,
        arguments: EdgeArguments,
        layout: VectorLayout,
        measured: Mapping[str, GraphEffort] | None = None,
    ) -> None:
        self._shard = shard
        self._arguments = arguments
        self._layout = layout
        self._candidates = Candidates(arguments.search_candidates, arguments.fast_candidates, measured)

    @classmethod
    def create(cls, path: Path, layout: VectorLayout, arguments: EdgeArguments) -> Shard:
        """Make an empty shard in a folder that does not exist.

        Args:
            path: the folder.
            layout: the products' vectors; where a product has several pictures, the nearest one counts (MaxSim).
            arguments: see there.

        Raises:
            StoreUnavailable: Edge cannot write there.
        """
        several = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim) if layout.multivector else None
        vectors: dict[str, edge.EdgeVectorParams] = {
            IMAGE: edge.EdgeVectorParams(layout.dim, edge.Distance.Cosine, multivector_config=several)
        }
        if layout.title_dim:
            vectors[TITLE] = edge.EdgeVectorParams(layout.title_dim, edge.Distance.Cosine)
        config = edge.EdgeConfig(
            vectors=vectors,
            sparse_vectors={WORDS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)}
            if layout.has_words
            else None,
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
            return cls(edge.EdgeShard.create(str(path), config), arguments, layout)

    @classmethod
    def load(
        cls,
        path: Path,
        layout: VectorLayout,
        arguments: EdgeArguments,
        measured: Mapping[str, GraphEffort] | None = None,
    ) -> Shard:
        """Open an existing shard.

        Args:
            path: the folder.
            layout: the products' vectors.
            arguments: see there.
            measured: how many candidates its graph needs, by vector; None: not known.

        Raises:
            StoreUnavailable: Edge cannot open it.
            VersionIncomplete: its files are damaged.
        """
        with _translated(f"opening the shard {path}"):
            return cls(edge.EdgeShard.load(str(path)), arguments, layout, measured)

    def upsert(self, batch: Batch) -> None:
        """Write products; durable after `flush`."""
        points = [edge.Point(point_id(row.product_id), self._vectors(row), dict(row.payload)) for row in batch.rows()]
        with _translated("writing products"):
            self._shard.update(edge.UpdateOperation.upsert_points(points))

    def delete(self, product_ids: Sequence[str]) -> None:
        """Take products away; durable after `flush`."""
        with _translated("deleting products"):
            self._shard.update(edge.UpdateOperation.delete_points([point_id(each) for each in product_ids]))

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

    def has_graph(self) -> bool:
        """See `VersionReader.has_graph`; of a shard that was changed, only once it was opened again."""
        with _translated("looking at the shard"):
            indexed = int(self._shard.info().indexed_vectors_count)
            if self._layout.has_words:
                # Words are counted as indexed, though no graph holds them.
                worded = edge.Filter(must=[edge.HasVectorCondition(WORDS)])
                indexed -= int(self._shard.count(edge.CountRequest(exact=True, filter=worded)))
            return indexed > 0

    def query(
        self,
        parts: Sequence[QueryPart],
        weights: Sequence[float],
        limit: int,
        where: Expression | None = None,
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """See `VersionReader.query`."""
        ranking = ranking_parts(parts, weights, self._layout.held)
        condition = None if where is None else _to_filter(to_condition(where))
        unknown = needed_vectors(parts, ranking, self._layout.multivector)
        # Which of several pictures it was is told by the vectors alone. Of others, Edge is asked for the hits' cosines,
        # which takes a tenth of the time that handing vectors over to Python does.
        needed: list[str] = [IMAGE] if IMAGE in unknown and self._layout.multivector else []
        asked = [part for part in parts if part.using in unknown and part.using not in needed]
        if len(ranking) == 1:
            request = edge.QueryRequest(
                limit=limit,
                query=_nearest(ranking[0]),
                filter=condition,
                params=self._search_params(ranking[0].using, limit, effort),
                with_payload=True,
                with_vector=needed or False,
            )
        else:
            candidates = max(limit, FUSED_FROM)
            request = edge.QueryRequest(
                limit=limit,
                query=_fused(weights),
                prefetches=[
                    edge.Prefetch(
                        limit=candidates,
                        query=_nearest(part),
                        params=self._search_params(part.using, candidates, effort),
                        filter=condition,
                    )
                    for part in ranking
                ],
                with_payload=True,
                with_vector=needed or False,
            )
        with _translated("searching"):
            found = self._shard.query(request)
            cosines = self._cosines(asked, [point.id for point in found]) if asked else {}
            return in_order(
                (
                    (
                        float(point.score),
                        to_scored(
                            payload,
                            float(point.score),
                            parts,
                            _held(point) if needed else None,
                            cosines[point.id] if asked else None,
                        ),
                    )
                    for point in found
                    if (payload := point.payload) is not None
                ),
                ranking,
            )

    def _cosines(self, parts: Sequence[QueryPart], ids: Sequence[Any]) -> Mapping[Any, dict[str, float]]:
        """Of some points' vectors with these parts, by point and name; a point without such a vector has none."""
        found: dict[Any, dict[str, float]] = {each: {} for each in ids}
        if not ids:
            return found
        these = edge.Filter(must=[edge.HasIdCondition(set(ids))])
        # Of the vectors themselves, whatever they are searched by.
        params = edge.SearchParams(exact=True, quantization=edge.QuantizationSearchParams(ignore=True))
        for part in parts:
            request = edge.QueryRequest(
                limit=len(ids), query=_nearest(part), filter=these, params=params, with_payload=False, with_vector=False
            )
            for point in self._shard.query(request):
                found[point.id][part.using] = float(point.score)
        return found

    def scores(self, part: QueryPart, product_ids: Sequence[str]) -> dict[str, float]:
        """See `VersionReader.scores`."""
        points = {point_id(each): each for each in product_ids}
        with _translated("comparing products"):
            found = self._cosines([part], list(points))
        return {points[point]: scores[part.using] for point, scores in found.items() if part.using in scores}

    def recommend(
        self,
        liked: Sequence[QueryPart],
        disliked: Sequence[QueryPart],
        limit: int,
        where: Expression | None = None,
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """See `VersionReader.recommend`."""
        wanted, unwanted = ([_edge_vector(part.dense) for part in parts] for parts in (liked, disliked))
        request = edge.QueryRequest(
            limit=limit,
            query=edge.Query.RecommendBestScore(edge.RecommendQuery(wanted, unwanted), using=IMAGE),
            filter=None if where is None else _to_filter(to_condition(where)),
            params=self._search_params(IMAGE, limit, effort),
            with_payload=True,
            with_vector=[IMAGE],
        )
        with _translated("searching"):
            found = [(point.payload or {}, _held(point)) for point in self._shard.query(request)]
        return recommended(found, liked, disliked)

    def fetch_many(self, product_ids: Sequence[str]) -> list[Stored]:
        """See `VersionReader.fetch_many`."""
        with _translated("reading products"):
            found = self._shard.retrieve([point_id(each) for each in product_ids], with_payload=True, with_vector=True)
            stored = {
                item.product_id: item for item in (to_stored(point.payload or {}, _held(point)) for point in found)
            }
        return [stored[each] for each in product_ids if each in stored]

    def payloads_of(self, product_ids: Sequence[str]) -> dict[str, Payload]:
        """The payloads of those of some products that are there, by id: a sixth of the time of `fetch_many`."""
        with _translated("reading products"):
            found = self._shard.retrieve([point_id(each) for each in product_ids], with_payload=True, with_vector=False)
            payloads: list[Payload] = [point.payload or {} for point in found]
        return {str(payload["product_id"]): payload for payload in payloads}

    def scan(self, fields: Sequence[str]) -> Iterator[list[Payload]]:
        """See `VersionReader.scan`."""
        offset = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=SCANNED, with_payload=list(fields), with_vector=False)
            with _translated("reading products"):
                found, offset = self._shard.scroll(request)
                page: list[Payload] = [point.payload or {} for point in found]
            yield page
            if offset is None:
                return

    def count(self, where: Expression | None) -> int:
        """See `VersionReader.count`."""
        condition = None if where is None else _to_filter(to_condition(where))
        with _translated("counting products"):
            return int(self._shard.count(edge.CountRequest(exact=True, filter=condition)))

    def count_values(self, key: str, limit: int, where: Expression | None) -> dict[str, int]:
        """See `VersionReader.count_values`; the key is one of a payload, and indexed."""
        condition = None if where is None else _to_filter(to_condition(where))
        with _translated("counting values"):
            found = self._shard.facet(edge.FacetRequest(key, limit=limit, exact=True, filter=condition))
            return {value_name(hit.value): hit.count for hit in found.hits}

    def page(self, limit: int, start: str, where: Expression | None) -> Page:
        """See `VersionReader.page`."""
        condition = None if where is None else _to_filter(to_condition(where))
        offset = UUID(start) if start else None
        request = edge.ScrollRequest(offset=offset, limit=limit, filter=condition, with_payload=True, with_vector=False)
        with _translated("reading products"):
            found, following = self._shard.scroll(request)
            return Page(tuple(point.payload or {} for point in found), "" if following is None else str(following))

    def close(self) -> None:
        """Flush and let go of the folder."""
        with _translated("closing the shard"):
            self._shard.close()

    def _vectors(self, row: Row) -> dict[str, Any]:
        pictures = np.ascontiguousarray(row.vectors, dtype=np.float32)
        if self._layout.multivector:
            vectors: dict[str, Any] = {IMAGE: [_edge_vector(picture) for picture in pictures]}
        else:
            (picture,) = pictures
            vectors = {IMAGE: _edge_vector(picture)}
        if row.title is not None:
            vectors[TITLE] = _edge_vector(np.ascontiguousarray(row.title, dtype=np.float32))
        if row.words is not None:
            vectors[WORDS] = _sparse(row.words)
        return vectors

    def _search_params(self, part: Part, limit: int, effort: Effort | int) -> edge.SearchParams:
        chosen = self._arguments
        quantized = edge.QuantizationSearchParams(rescore=True, oversampling=chosen.oversampling)
        return edge.SearchParams(
            exact=effort == "exact",
            hnsw_ef=self._candidates.of(part, limit, effort),
            quantization=quantized if chosen.quantization != "none" else None,
        )


def _quantization(arguments: EdgeArguments) -> edge.ScalarQuantizationConfig | None:
    if arguments.quantization == "none":
        return None
    return edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=arguments.quantile, always_ram=True)


def _held(point: Any) -> Any:
    """The vectors of a point that Edge gave back, by name."""
    return point.vector


def _nearest(part: QueryPart) -> edge.Query:
    vector: Any = _sparse(part.vector) if isinstance(part.vector, WordVector) else _edge_vector(part.vector)
    return edge.Query.Nearest(vector, using=part.using)


def _fused(weights: Sequence[float]) -> Any:
    """Edge's stubs do not know that `Rrf` is a `Fusion`."""
    return edge.Fusion.Rrf(FUSION_K, [weight for weight in weights if weight > 0])


def _sparse(words: WordVector) -> edge.SparseVector:
    return edge.SparseVector(list(words.indices), list(words.values))


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
