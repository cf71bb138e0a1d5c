"""Filling one collection."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, Literal

from qdrant_client import models

from indexer.errors import StoreUnavailable
from indexer.stores.points import IMAGE, TITLE, WORDS, point_id, points_by_value
from indexer.stores.protocol import Batch, Row
from indexer.stores.qdrant.arguments import QdrantArguments
from indexer.stores.qdrant.collection import MANIFEST_KEY, payload_indexes, sparse_vector
from indexer.stores.qdrant.connection import Connection
from indexer.stores.qdrant.reader import QdrantReader
from indexer.stores.qdrant.waiting import wait_for
from indexer.versions.manifest import Manifest

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5
_MARKED_AT_ONCE = 200
_TOLD_EVERY_S = 10.0


class QdrantWriter:
    """See `VersionWriter`."""

    def __init__(
        self,
        connection: Connection,
        name: str,
        multivector: bool,
        arguments: QdrantArguments,
        is_revised: bool = False,
    ) -> None:
        """Of a collection that is there.

        Args:
            connection: to its server.
            name: the collection's.
            multivector: see `Manifest.multivector`.
            arguments: see there.
            is_revised: the collection was there before, and stays whatever happens.
        """
        self._connection = connection
        self._client = connection.client
        self._call = connection.call
        self._name = name
        self._multivector = multivector
        self._arguments = arguments
        self._is_revised = is_revised
        self._open = True
        self._indexed = False

    def upsert(self, batch: Batch) -> None:
        """See `VersionWriter`; not waited for: `finish` counts."""
        points = [
            models.PointStruct(id=str(point_id(row.product_id)), vector=self._vectors(row), payload=dict(row.payload))
            for row in batch.rows()
        ]
        self._call(self._client.upsert, self._name, points, wait=False)

    def delete(self, product_ids: Sequence[str]) -> None:
        """See `VersionWriter`."""
        points: list[Any] = [str(point_id(each)) for each in product_ids]
        self._call(self._client.delete, self._name, models.PointIdsList(points=points), wait=True)

    def _vectors(self, row: Row) -> dict[str, Any]:
        vectors: dict[str, Any] = {IMAGE: row.vectors.tolist() if self._multivector else row.vectors[0].tolist()}
        if row.title is not None:
            vectors[TITLE] = row.title.tolist()
        if row.words is not None:
            vectors[WORDS] = sparse_vector(row.words)
        return vectors

    def mark(self, product_ids: Sequence[str], key: str, values: Sequence[str]) -> None:
        """See `VersionWriter`; not waited for, as a shard applies its updates in order."""
        operations: list[models.UpdateOperation] = [
            models.SetPayloadOperation(
                set_payload=models.SetPayload(payload={key: value}, points=[str(point) for point in points])
            )
            for value, points in points_by_value(product_ids, values).items()
        ]
        for start in range(0, len(operations), _MARKED_AT_ONCE):
            some = operations[start : start + _MARKED_AT_ONCE]
            self._call(self._client.batch_update_points, self._name, some, wait=False)

    def index(self, manifest: Manifest) -> QdrantReader | None:
        """See `VersionWriter`."""
        is_green = self._index(manifest)
        reader = QdrantReader(self._connection, self._name, manifest, self._arguments)
        return reader if is_green and reader.has_graph() else None

    def _index(self, manifest: Manifest) -> bool:
        """Whether the server is through with it."""
        for key, kind in payload_indexes(manifest.schema).items():
            # Waiting for these also waits for the points before them: a shard applies its updates in order.
            self._call(self._client.create_payload_index, self._name, key, kind, wait=True)
        held = self._call(self._client.count, self._name, exact=True).count
        if held != manifest.products:
            raise StoreUnavailable(
                f"collection {self._name} holds {held:,} products of {manifest.products:,}; "
                "next step: run python -m indexer build again"
            )
        self._indexed = True
        return self._wait_for_graph()

    def finish(self, manifest: Manifest) -> None:
        """See `VersionWriter`."""
        if not self._indexed:
            self._index(manifest)
        self._call(self._client.update_collection, self._name, metadata={MANIFEST_KEY: manifest.to_json()})
        self._open = False

    def _wait_for_graph(self) -> bool:
        """Until the server has nothing left to optimize; False, and a warning, where that takes too long.

        Raises:
            StoreUnavailable: the server says that it failed.
        """
        green_wait_s = self._arguments.green_wait_s
        if not green_wait_s:
            return False
        told = time.monotonic()

        def look() -> Literal[True] | None:
            """True where nothing is left to optimize; raises as `_wait_for_graph`."""
            nonlocal told
            found = self._call(self._client.get_collection, self._name)
            if found.status == models.CollectionStatus.RED:
                raise StoreUnavailable(
                    f"collection {self._name} failed on the server: {found.optimizer_status}; next step: look at its "
                    "log, and run python -m indexer build again"
                )
            if found.status == models.CollectionStatus.GREEN:
                return True
            if time.monotonic() - told >= _TOLD_EVERY_S:
                told = time.monotonic()
                held = f"{found.indexed_vectors_count or 0:,}"
                _log.info("collection %s: %s vectors are in the graph by now", self._name, held)
            return None

        is_green = wait_for(look, green_wait_s, _LOOK_EVERY_S) is not None
        if not is_green:
            _log.warning(
                "collection %s: the server still builds its graph after %.0f s (qdrant.green_wait_s); it goes live "
                "nevertheless, and is searched more slowly until then",
                self._name,
                green_wait_s,
            )
        return is_green

    def abort(self) -> None:
        """See `VersionWriter`."""
        if self._open:
            self._open = False
            if self._is_revised:
                return
            self._call(self._client.delete_collection, self._name)
