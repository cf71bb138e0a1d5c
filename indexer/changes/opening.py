"""A version together with what it was changed while it was served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from indexer.changes.change import Reembed
from indexer.stores.protocol import Store, VersionReader


@contextmanager
def opened_with_changes(store: Store, version: str | None, reembed: Reembed, owner: str) -> Iterator[VersionReader]:
    """Open a version, apply later changes, and close it at the end; arguments and errors are the store's own.

    Args:
        store: where it is.
        version, owner: see `Store.open`.
        reembed: see `Store.take_changes`.
    """
    reader = store.open(version, owner)
    online = None
    try:
        online = store.take_changes(reader, reembed, owner)
        yield reader if online is None else online.reader
    finally:
        (online or reader).close()
