"""Filling one collection."""

from __future__ import annotations

from qdrant_client import models

from indexer.errors import StoreUnavailable
from indexer.stores.points import IMAGE, point_id
from indexer.stores.protocol import Batch
from indexer.stores.qdrant.collection import MANIFEST_KEY, payload_indexes
from indexer.stores.qdrant.connection import Connection
from indexer.versions.manifest import Manifest


class QdrantWriter:
    """See `VersionWriter`."""

    def __init__(self, connection: Connection, name: str, multivector: bool) -> None:
        self._client = connection.client
        self._call = connection.call
        self._name = name
        self._multivector = multivector
        self._open = True

    def upsert(self, batch: Batch) -> None:
        """See `VersionWriter`; not waited for: `finish` counts."""
        points = [
            models.PointStruct(
                id=str(point_id(product_id)),
                vector={IMAGE: vectors.tolist() if self._multivector else vectors[0].tolist()},
                payload=dict(payload),
            )
            for product_id, vectors, payload in batch.rows()
        ]
        self._call(self._client.upsert, self._name, points, wait=False)

    def finish(self, manifest: Manifest) -> None:
        """See `VersionWriter`."""
        for key, kind in payload_indexes(manifest.schema).items():
            # Waiting for these also waits for the points before them: a shard applies its updates in order.
            self._call(self._client.create_payload_index, self._name, key, kind, wait=True)
        held = self._call(self._client.count, self._name, exact=True).count
        if held != manifest.products:
            raise StoreUnavailable(
                f"collection {self._name} holds {held:,} products of {manifest.products:,}; "
                "next step: run python -m indexer build again"
            )
        self._call(self._client.update_collection, self._name, metadata={MANIFEST_KEY: manifest.to_json()})
        self._open = False

    def abort(self) -> None:
        """See `VersionWriter`."""
        if self._open:
            self._open = False
            self._call(self._client.delete_collection, self._name)
