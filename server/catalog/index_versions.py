"""The versions of an index, as callers see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from indexer.errors import StoreNotFound
from indexer.stores.protocol import Store
from indexer.versions.manifest import Manifest, moment


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version.

    Attributes:
        manifest: its own.
        is_live: whether it is the one that servers open when they start.
        is_served: whether it is the one that this server answers from.
        created, retired: when its build started, and when it stopped being live; None: not known, or it did not.
    """

    manifest: Manifest
    is_live: bool
    is_served: bool
    created: datetime | None
    retired: datetime | None


class IndexVersions:
    """All versions in a store, one of which is served. Calls from several threads are allowed."""

    def __init__(self, store: Store, served: Callable[[], Manifest]) -> None:
        """Take the store, and what the served version says of itself at the moment."""
        self._store = store
        self._served = served

    def served(self) -> KnownVersion:
        """The one that this server answers from."""
        return self._known(self._served(), self._store.live_version())

    def all(self) -> list[KnownVersion]:
        """Newest first."""
        live = self._store.live_version()
        return [self._known(manifest, live) for manifest in reversed(self._store.versions())]

    def _known(self, manifest: Manifest, live: str | None) -> KnownVersion:
        name = manifest.version
        try:
            retired = None if name == live else self._store.retired_at(name)
        # It was deleted a moment ago.
        except StoreNotFound:
            retired = None
        is_served = name == self._served().version
        return KnownVersion(manifest, name == live, is_served, moment(manifest.created_at), retired)
