"""`qdrant://HOST:6334/CATALOG`: index versions in a Qdrant server or cluster.

A version is a collection named CATALOG-VERSION whose metadata holds the manifest (Qdrant 1.16 or later); the live one
is what the alias CATALOG points to.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from qdrant_client import QdrantClient, models

from indexer.changes.change import Reembed
from indexer.errors import StoreError, StoreNotFound, VersionIncomplete
from indexer.stores.protocol import VersionReader
from indexer.stores.qdrant.arguments import QdrantArguments
from indexer.stores.qdrant.collection import MANIFEST_KEY, RETIRED_KEY, sparse_params, vector_params
from indexer.stores.qdrant.connection import DEFAULT_CATALOG, Connection, connect
from indexer.stores.qdrant.reader import QdrantReader
from indexer.stores.qdrant.waiting import wait_for
from indexer.stores.qdrant.writer import QdrantWriter
from indexer.versions.manifest import Manifest, moment
from indexer.versions.verify import Verification

_LOOK_EVERY_S = 0.02

_NEXT_STEP = "next step: run python -m indexer build again"


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
        self._connection = Connection(client, url)
        self._client = client
        self._call = self._connection.call
        self._arguments = arguments or QdrantArguments()
        self._alias = catalog

    @classmethod
    def connect(cls, url: str, api_key: str | None = None, arguments: QdrantArguments | None = None) -> QdrantStore:
        """Connect to `qdrant://HOST[:PORT][/CATALOG]`; see `connection.connect`.

        Raises:
            StoreUrlInvalid: not such a URL.
        """
        connection, catalog = connect(url, api_key, arguments or QdrantArguments())
        return cls(connection.client, connection.url, catalog, arguments)

    @property
    def url(self) -> str:
        """`qdrant://HOST:PORT/CATALOG`, without credentials."""
        return self._connection.url

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

    def create(self, manifest: Manifest, expected_products: int = 0) -> QdrantWriter:
        """See `Store`."""
        name = self._collection(manifest.version)
        self._call(
            self._client.create_collection,
            name,
            vectors_config=vector_params(manifest.layout),
            sparse_vectors_config=sparse_params(manifest.layout),
            shard_number=self._arguments.shards,
            replication_factor=self._arguments.replicas,
            write_consistency_factor=self._arguments.write_consistency,
            metadata={MANIFEST_KEY: manifest.to_json()},
        )
        return QdrantWriter(self._connection, name, manifest.multivector, self._arguments)

    @property
    def revises_in_place(self) -> bool:
        """See `Store`: on a server the write itself is the record; a collection is not copied."""
        return True

    def revise(self, manifest: Manifest, base: str, reembed: Reembed | None = None) -> QdrantWriter:
        """See `Store`."""
        if manifest.version != base:
            raise ValueError(f"version {manifest.version}; permitted: {base}, since a collection is revised in place")
        self._finished(base)
        return QdrantWriter(
            self._connection,
            self._collection(base),
            manifest.multivector,
            self._arguments,
            is_revised=True,
        )

    def activate(self, version: str) -> None:
        """See `Store`; one request deletes the old alias and sets the new one."""
        self._finished(version)
        operations: list[Any] = []
        before = self.live_version()
        if before is not None:
            operations.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._alias)))
        target = models.CreateAlias(collection_name=self._collection(version), alias_name=self._alias)
        operations.append(models.CreateAliasOperation(create_alias=target))
        # Before the flip, so that nothing can fail after it. A live version that says that it is retired is live.
        if before not in (None, version):
            self._retire(str(before), datetime.now(UTC).isoformat())
        self._retire(version, "")
        self._call(self._client.update_collection_aliases, operations)

    def retired_at(self, version: str) -> datetime | None:
        """See `Store`."""
        name = self._collection(version)
        if not self._call(self._client.collection_exists, name):
            raise StoreNotFound(f"no version {version!r} at {self.url}; {_NEXT_STEP}")
        if version == self.live_version():
            return None
        text = (self._call(self._client.get_collection, name).config.metadata or {}).get(RETIRED_KEY)
        return moment(str(text))

    def _retire(self, version: str, when: str) -> None:
        """Metadata is merged: the manifest beside it stays."""
        name = self._collection(version)
        if self._call(self._client.collection_exists, name):
            self._call(self._client.update_collection, name, metadata={RETIRED_KEY: when})

    def open(self, version: str | None = None, owner: str = "", beside: bool = False) -> QdrantReader:
        """See `Store`; a server has many readers, so no copy is made."""
        name = version or self.live_version()
        if name is None:
            raise StoreNotFound(f"no index at {self.url}; next step: python -m indexer build --store {self.url} …")
        manifest = self._finished(name)
        reader = QdrantReader(self._connection, self._collection(name), manifest, self._arguments)
        held = reader.count()
        if held != manifest.products:
            raise VersionIncomplete(
                f"version {name} at {self.url} holds {held:,} products, its manifest says {manifest.products:,}; "
                f"{_NEXT_STEP}"
            )
        return reader

    def take_changes(self, reader: VersionReader, reembed: Reembed, owner: str = "") -> None:
        """See `Store`: none, as a collection does not know which requests it has seen; `indexer update` changes it."""

    def verify(self, version: str, deep: bool = False) -> Verification:
        """See `Store`. The server keeps its files itself: the manifest and the number of products are checked."""
        manifest = self._manifest(version)
        checked = f"manifest and number of products ({manifest.products:,}); the server checks its own files"
        try:
            self.open(version).close()
        except VersionIncomplete as error:
            return Verification(version, checked, (str(error),))
        return Verification(version, checked)

    @property
    def file_form(self) -> str:
        """See `Store`: the server keeps them."""
        return ""

    def files(self, version: str) -> NoReturn:
        """See `Store`."""
        raise ValueError(f"files of version {version}; permitted: none, the server keeps them")

    def take_in(self, manifest: Manifest, unpack: Callable[[Path], None], needed: int) -> NoReturn:
        """See `Store`."""
        raise ValueError(f"files of version {manifest.version}; permitted: none, the server keeps its own")

    def drop(self, version: str) -> bool:
        """See `Store`."""
        if version == self.live_version():
            raise StoreError(
                f"version {version} is the live one; permitted: any other; next step: activate another first"
            )
        return bool(self._call(self._client.delete_collection, self._collection(version)))

    def drop_unfinished(self, abandoned_after_s: float) -> tuple[str, ...]:
        """See `Store`. Whether a builder lives is not known here, so age decides."""
        now, gone = datetime.now(UTC), []
        for manifest in self.versions():
            begun = moment(manifest.created_at)
            if manifest.state != "building" or begun is None:
                continue
            if (now - begun).total_seconds() > abandoned_after_s and self._call(
                self._client.delete_collection, self._collection(manifest.version)
            ):
                gone.append(manifest.version)
        return tuple(gone)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _collection(self, version: str) -> str:
        return f"{self._alias}-{version}"

    def _finished(self, version: str) -> Manifest:
        """A finished version's manifest. In a cluster another node may not know yet that it is finished: look again."""

        def look() -> Manifest | None:
            manifest = self._manifest(version)
            return manifest if manifest.state == "ready" else None

        found = wait_for(look, self._arguments.visible_wait_s, _LOOK_EVERY_S)
        if found is None:
            raise VersionIncomplete(
                f"version {version} at {self.url} is 'building', also after {self._arguments.visible_wait_s:g} s; "
                f"permitted: 'ready'; {_NEXT_STEP}"
            )
        return found

    def _manifest(self, version: str) -> Manifest:
        name = self._collection(version)
        if not self._call(self._client.collection_exists, name):
            raise StoreNotFound(f"no version {version!r} at {self.url}; {_NEXT_STEP}")
        text = (self._call(self._client.get_collection, name).config.metadata or {}).get(MANIFEST_KEY)
        if not isinstance(text, str):
            raise VersionIncomplete(f"version {version} at {self.url} has no manifest; {_NEXT_STEP}")
        return Manifest.from_json(text, f"{self.url} {version}")
