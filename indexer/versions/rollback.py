"""Going back to an earlier version."""

from __future__ import annotations

from datetime import UTC, datetime

from indexer.errors import StoreNotFound, VersionIncomplete
from indexer.stores.protocol import Store
from indexer.versions.manifest import Manifest

# Earlier than any version stopped being live; of those that never were live, or where an older release left no word.
NEVER = datetime.min.replace(tzinfo=UTC)


def version_before(store: Store) -> str:
    """The version that was live before the live one: of the finished ones the last that stopped being live.

    Where none says when it did (an older release made them), it is the youngest that is older than the live one.

    Raises:
        StoreNotFound: there is none to go back to.
    """
    live = store.live_version()
    others = [item.version for item in store.versions() if item.version != live and item.state == "ready"]
    retired = {name: when for name in others if (when := store.retired_at(name)) is not None}
    if retired:
        return max(others, key=lambda name: retired.get(name, NEVER))
    older = [name for name in others if live is None or name < live]
    if not older:
        raise StoreNotFound(
            f"{store.url} has no version that was live before {live or 'this'}; next step: python -m indexer status "
            "shows what there is, and --version names one"
        )
    return max(older)


def roll_back(store: Store, version: str) -> Manifest:
    """Make an earlier version the live one again, once it is known to be whole.

    Raises:
        StoreNotFound: there is no such version.
        VersionIncomplete: it is damaged or was never finished; the live one stays.
    """
    found = store.verify(version)
    if not found.whole:
        raise VersionIncomplete(
            f"version {version} at {store.url} is damaged: {found.differences[0]}; the live version stays; next step: "
            "another --version, or python -m indexer build"
        )
    manifest = next(item for item in store.versions() if item.version == version)
    store.activate(version)
    return manifest
