"""Stores by address."""

from __future__ import annotations

from pathlib import Path

from indexer.errors import StoreUrlInvalid
from indexer.stores.edge.arguments import EdgeArguments
from indexer.stores.protocol import Store
from indexer.stores.qdrant.arguments import QdrantArguments

PERMITTED = "edge:PATH, or qdrant://HOST:6334/CATALOG (qdrants:// with TLS)"


def open_store(
    url: str,
    qdrant_api_key: str | None = None,
    edge: EdgeArguments | None = None,
    qdrant: QdrantArguments | None = None,
) -> Store:
    """The store at an address; neither creates nor checks anything yet.

    Engines are imported when they are asked for: starting up with one does not wait for the other.

    Raises:
        StoreUrlInvalid: no such kind of store.
    """
    kind, _, rest = url.partition(":")
    if kind == "edge" and rest:
        from indexer.stores.edge.store import EdgeStore

        return EdgeStore(Path(rest).expanduser(), edge)
    if kind in ("qdrant", "qdrants"):
        from indexer.stores.qdrant.store import QdrantStore

        return QdrantStore.connect(url, qdrant_api_key, qdrant)
    raise StoreUrlInvalid(f"store {url!r}; permitted: {PERMITTED}")
