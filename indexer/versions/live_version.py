"""What the live version says of itself."""

from __future__ import annotations

from indexer.stores.protocol import Store
from indexer.versions.manifest import Manifest


def live_manifest(store: Store) -> Manifest | None:
    """Of the live version; None where there is none, or it cannot be read.

    Raises:
        StoreError: the store failed.
    """
    live = store.live_version()
    return next((item for item in store.versions() if item.version == live), None)
