"""Which old versions stay after a build."""

from __future__ import annotations

import logging

from indexer.errors import StoreError
from indexer.stores.protocol import Store

_log = logging.getLogger(__name__)


def drop_old(store: Store, keep: int) -> None:
    """Delete all but the live version and the `keep` youngest ready ones before it; those in use stay.

    The new version is live already, so what cannot be deleted is a warning, not a failed build.
    """
    try:
        live = store.live_version()
        ready = [item.version for item in store.versions() if item.version != live and item.state == "ready"]
    except StoreError as error:
        _log.warning("old versions could not be listed: %s", error)
        return
    for version in ready[: max(0, len(ready) - keep)]:
        try:
            dropped = store.drop(version)
        except (StoreError, OSError) as error:
            _log.warning("version %s is not deleted: %s; the new version is live nevertheless", version, error)
            continue
        _log.info("dropped version %s" if dropped else "version %s is in use, and stays", version)
