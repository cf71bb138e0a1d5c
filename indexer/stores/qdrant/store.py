"""`qdrant://HOST:6334/CATALOG`: index versions in a Qdrant server or cluster. All of `qdrant_client` stays in here.

A version is a collection named CATALOG-VERSION whose metadata holds the manifest (Qdrant 1.16 or later); the live one
is what the alias CATALOG points to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from indexer.errors import StoreError, StoreNotFound, StoreUnavailable, StoreUrlInvalid, VersionIncomplete
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
from indexer.stores.points import IMAGE, in_order, point_id, to_scored, to_stored
from indexer.stores.protocol import Batch, Effort, QueryPart, Scored, Stored, only_part
from indexer.stores.qdrant.arguments import QdrantArguments
from indexer.versions.manifest import Manifest

_MANIFEST = "merchlens_manifest"
_NEXT_STEP = "next step: run python -m indexer build again"
DEFAULT_CATALOG = "merchlens"

_INDEX_TYPES = {
    FieldType.KEYWORD: models.PayloadSchemaType.KEYWORD,
    FieldType.NUMBER: models.PayloadSchemaType.FLOAT,
    FieldType.BOOL: models.PayloadSchemaType.BOOL,
}

T = TypeVar("T")


class QdrantStore:
    """See `Store`."""

    def __init__(
        self,
        client: QdrantClient,
        url: str,
        catalog: str = DEFAULT_CATALOG,
        arguments: QdrantArguments | None = None,
    ) -> None:
        """Use a client that is connected already (see `connect`)."""
        self._client = client
        self._arguments = arguments or QdrantArguments()
        self._url = url
        self._alias = catalog

    @classmethod
    def connect(cls, url: str, api_key: str | None = None, arguments: QdrantArguments | None = None) -> QdrantStore:
        """Connect to `qdrant://HOST[:PORT][/CATALOG]` over gRPC; `qdrants://` is with TLS.

        Raises:
            StoreUrlInvalid: not such a URL.
        """
        parts = urlsplit(url)
        try:
            port = parts.port or 6334
        except ValueError as error:
            raise StoreUrlInvalid(f"store {url!r}: {error}; permitted: qdrant://HOST:6334/CATALOG") from error
        if parts.scheme not in ("qdrant", "qdrants") or not parts.hostname or parts.path.count("/") > 1:
            raise StoreUrlInvalid(f"store {url!r}; permitted: qdrant://HOST:6334/CATALOG, or qdrants:// with TLS")
        arguments = arguments or QdrantArguments()
        client = QdrantClient(
            host=parts.hostname,
            grpc_port=port,
            prefer_grpc=True,
            https=parts.scheme == "qdrants",
            api_key=api_key,
            timeout=arguments.timeout_s,
            check_compatibility=False,
        )
        catalog = parts.path.strip("/") or DEFAULT_CATALOG
        return cls(client, f"{parts.scheme}://{parts.hostname}:{port}/{catalog}", catalog, arguments)

    @property
    def url(self) -> str:
        """`qdrant://HOST:PORT/CATALOG`, without credentials."""
        return self._url

    def versions(self) -> list[Manifest]:
        """See `Store`."""
        names = [item.name for item in self._call(self._client.get_collections).collections]
        manifests = []
        for name in sorted(name for name in names if name.startswith(self._alias + "-v")):
            version = name.removeprefix(self._alias + "-")
            try:
                manifest = self._manifest(version)
            except (VersionIncomplete, StoreNotFound):
                continue
            # A catalog "shop" must not take versions of a catalog "shop-vintage" for its own.
            if manifest.version == version:
                manifests.append(manifest)
        return manifests

    def live_version(self) -> str | None:
        """See `Store`."""
        for alias in self._call(self._client.get_aliases).aliases:
            if alias.alias_name == self._alias:
                return str(alias.collection_name).removeprefix(self._alias + "-")
        return None

    def create(self, manifest: Manifest) -> QdrantWriter:
        """See `Store`."""
        name = self._collection(manifest.version)
        self._call(
            self._client.create_collection,
            name,
            vectors_config={IMAGE: _vector_params(manifest)},
            shard_number=self._arguments.shards,
            replication_factor=self._arguments.replicas,
            write_consistency_factor=self._arguments.write_consistency,
            metadata={_MANIFEST: manifest.to_json()},
        )
        return QdrantWriter(self._client, name, manifest.multivector, self._call)

    def activate(self, version: str) -> None:
        """See `Store`; one request deletes the old alias and sets the new one."""
        manifest = self._manifest(version)
        if manifest.state != "ready":
            raise VersionIncomplete(f"version {version} is {manifest.state!r}; permitted: 'ready'; {_NEXT_STEP}")
        operations: list[Any] = []
        if self.live_version() is not None:
            operations.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._alias)))
        target = models.CreateAlias(collection_name=self._collection(version), alias_name=self._alias)
        operations.append(models.CreateAliasOperation(create_alias=target))
        self._call(self._client.update_collection_aliases, operations)

    def open(self, version: str | None = None, owner: str = "") -> QdrantReader:
        """See `Store`."""
        name = version or self.live_version()
        if name is None:
            raise StoreNotFound(f"no index at {self.url}; next step: python -m indexer build --store {self.url} …")
        manifest = self._manifest(name)
        if manifest.state != "ready":
            raise VersionIncomplete(f"version {name} at {self.url} is {manifest.state!r}, not 'ready'; {_NEXT_STEP}")
        reader = QdrantReader(self._client, self._collection(name), manifest, self._arguments, self._call)
        held = reader.count()
        if held != manifest.products:
            raise VersionIncomplete(
                f"version {name} at {self.url} holds {held:,} products, its manifest says {manifest.products:,}; "
                f"{_NEXT_STEP}"
            )
        return reader

    def drop(self, version: str) -> None:
        """See `Store`."""
        if version == self.live_version():
            raise StoreError(
                f"version {version} is the live one; permitted: any other; next step: activate another first"
            )
        self._call(self._client.delete_collection, self._collection(version))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _collection(self, version: str) -> str:
        return f"{self._alias}-{version}"

    def _manifest(self, version: str) -> Manifest:
        name = self._collection(version)
        if not self._call(self._client.collection_exists, name):
            raise StoreNotFound(f"no version {version!r} at {self.url}; {_NEXT_STEP}")
        text = (self._call(self._client.get_collection, name).config.metadata or {}).get(_MANIFEST)
        if not isinstance(text, str):
            raise VersionIncomplete(f"version {version} at {self.url} has no manifest; {_NEXT_STEP}")
        return Manifest.from_json(text, f"{self.url} {version}")

    def _call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call the client; whatever it raises becomes one of ours."""
        try:
            return function(*args, **kwargs)
        except (grpc.RpcError, ApiException, ResponseHandlingException, UnexpectedResponse, OSError) as error:
            detail = error.details() if isinstance(error, grpc.Call) else str(error)
            raise StoreUnavailable(
                f"Qdrant at {self.url} failed: {str(detail)[:300]}; next step: is it up, and is this its gRPC port?"
            ) from error


class QdrantWriter:
    """See `VersionWriter`."""

    def __init__(self, client: QdrantClient, name: str, multivector: bool, call: Callable[..., Any]) -> None:
        self._client = client
        self._name = name
        self._multivector = multivector
        self._call = call
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
        for key, kind in _payload_indexes(manifest.schema).items():
            # Waiting for these also waits for the points before them: a shard applies its updates in order.
            self._call(self._client.create_payload_index, self._name, key, kind, wait=True)
        held = self._call(self._client.count, self._name, exact=True).count
        if held != manifest.products:
            raise StoreUnavailable(
                f"collection {self._name} holds {held:,} products of {manifest.products:,}; {_NEXT_STEP}"
            )
        self._call(self._client.update_collection, self._name, metadata={_MANIFEST: manifest.to_json()})
        self._open = False

    def abort(self) -> None:
        """See `VersionWriter`."""
        if self._open:
            self._open = False
            self._call(self._client.delete_collection, self._name)


class QdrantReader:
    """See `VersionReader`."""

    def __init__(
        self,
        client: QdrantClient,
        name: str,
        manifest: Manifest,
        arguments: QdrantArguments,
        call: Callable[..., Any],
    ) -> None:
        self._client = client
        self._name = name
        self._manifest = manifest
        self._arguments = arguments
        self._call = call

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
            query_filter=None if where is None else _to_filter(to_condition(where)),
            search_params=models.SearchParams(exact=effort == "exact", hnsw_ef=max(candidates, limit)),
            with_payload=True,
            with_vectors=[IMAGE] if multivector else False,
        ).points
        return in_order(
            to_scored(point.payload, float(point.score), part.vector, point.vector[IMAGE] if multivector else None)
            for point in found
        )

    def fetch(self, product_id: str) -> Stored | None:
        """See `VersionReader`."""
        found = self._call(
            self._client.retrieve, self._name, [str(point_id(product_id))], with_payload=True, with_vectors=True
        )
        if not found:
            return None
        return to_stored(found[0].payload or {}, found[0].vector[IMAGE])

    def count(self, where: Expression | None = None) -> int:
        """See `VersionReader`."""
        condition = None if where is None else _to_filter(to_condition(where))
        return int(self._call(self._client.count, self._name, count_filter=condition, exact=True).count)

    def close(self) -> None:
        """The connection is the store's."""


def _vector_params(manifest: Manifest) -> models.VectorParams:
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    return models.VectorParams(
        size=manifest.dim,
        distance=models.Distance.COSINE,
        multivector_config=several if manifest.multivector else None,
    )


def _payload_indexes(schema: Schema) -> dict[str, models.PayloadSchemaType]:
    keys = {"category": models.PayloadSchemaType.KEYWORD, CATEGORY_PATH_KEY: models.PayloadSchemaType.KEYWORD}
    for field in schema.fields():
        if field.type in _INDEX_TYPES and field.name != "title":
            keys[payload_key(field)] = _INDEX_TYPES[field.type]
    return keys


def _to_filter(clause: Clause) -> models.Filter:
    return models.Filter(
        must=[_to_model(node) for node in clause.must] or None,
        should=[_to_model(node) for node in clause.should] or None,
        must_not=[_to_model(node) for node in clause.must_not] or None,
    )


def _to_model(node: Node) -> Any:
    if isinstance(node, Clause):
        return _to_filter(node)
    if isinstance(node, MatchNode):
        return models.FieldCondition(key=node.key, match=models.MatchValue(value=node.value))
    assert isinstance(node, RangeNode)
    return models.FieldCondition(key=node.key, range=models.Range(gt=node.gt, gte=node.gte, lt=node.lt, lte=node.lte))
