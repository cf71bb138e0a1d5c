"""A client of Qdrant in memory that behaves as servers and clusters do on bad days."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import grpc
from qdrant_client import QdrantClient, models


class Refusal(grpc.RpcError, grpc.Call):
    """What a call over gRPC raises."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        self._code, self._details = code, details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


Refusal.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


@dataclass
class TroubledClient:
    """A client of its own data, with troubles that are set from outside.

    Attributes:
        client: whose data it is.
        refused: method to what its next calls raise, first one first; None: that call goes well.
        stale: how many of the next looks at a collection show its metadata as they were when it was created.
        yellow: how many of the next looks show that it is being optimized.
        failed: whether a look shows that the optimizer failed.
        has_graph: whether a look shows that the vectors are in a graph, as on a server; a client in memory has none.
        lost: collections that are not there any more.
        calls: how often each method was called.
        candidates: HNSW's ef of each search, with whether it was exact.
    """

    client: QdrantClient = field(default_factory=lambda: QdrantClient(":memory:"))
    refused: dict[str, list[Refusal | None]] = field(default_factory=dict)
    stale: int = 0
    yellow: int = 0
    failed: bool = False
    has_graph: bool = False
    lost: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    candidates: list[tuple[int, bool]] = field(default_factory=list)
    _begun: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            waiting = self.refused.get(name, [])
            refusal = waiting.pop(0) if waiting else None
            if refusal is not None:
                raise refusal
            collection = args[0] if args and isinstance(args[0], str) else kwargs.get("collection_name")
            if collection in self.lost:
                if name == "collection_exists":
                    return False
                raise Refusal(grpc.StatusCode.NOT_FOUND, f"Collection `{collection}` doesn't exist!")
            if name == "create_collection":
                self._begun[collection] = dict(kwargs.get("metadata") or {})
            if name == "query_points" and kwargs.get("search_params") is not None:
                self.candidates.append((kwargs["search_params"].hnsw_ef, kwargs["search_params"].exact))
            found = method(*args, **kwargs)
            return self._troubled(collection, found) if name == "get_collection" else found

        return call

    def _troubled(self, collection: str, found: models.CollectionInfo) -> models.CollectionInfo:
        found = found.model_copy(deep=True)
        if self.stale:
            self.stale -= 1
            found.config.metadata = self._begun[collection]
        if self.yellow:
            self.yellow -= 1
            found.status = models.CollectionStatus.YELLOW
        if self.has_graph:
            # All vectors of a version: pictures, titles, words.
            found.indexed_vectors_count = 3 * (found.points_count or 0)
        if self.failed:
            found.status = models.CollectionStatus.RED
        return found
