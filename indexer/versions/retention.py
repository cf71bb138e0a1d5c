"""Which old versions stay after a build."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from math import inf

from indexer.errors import StoreError
from indexer.settings import IndexerSettings
from indexer.stores.protocol import Store
from indexer.versions.manifest import moment
from indexer.versions.rollback import NEVER

_log = logging.getLogger(__name__)


def clear_versions(store: Store, settings: IndexerSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Delete what the settings do not keep: names of old versions, and of those that killed builds left."""
    old = drop_old(store, settings.keep_versions, settings.drop_after_s, settings.abandoned_after_s)
    return old, drop_abandoned(store, settings.abandoned_after_s)


def drop_old(store: Store, keep: int, drop_after_s: float = 0.0, abandoned_after_s: float = inf) -> tuple[str, ...]:
    """Delete all but the live version and the `keep` ready ones that were live last; those in use stay.

    One that is younger than the live one and never was live stays for a while: another build is about to make it live,
    or it was refused, and somebody will look at it. What cannot be deleted is a warning, not a failed build: the new
    version is live already.

    Args:
        store: whose versions.
        keep: how many ready ones stay besides the live one, 0 or more.
        drop_after_s: one that stopped being live less than so many seconds ago stays too: page tokens and running
            servers may still ask for it.
        abandoned_after_s: how old one that never was live must be to count as old.

    Returns:
        The names of the deleted ones.
    """
    try:
        live = store.live_version()
        others = {item.version: item for item in store.versions() if item.version != live and item.state == "ready"}
        retired = {version: store.retired_at(version) for version in others}
    except StoreError as error:
        _log.warning("old versions could not be listed: %s", error)
        return ()
    # One that a build was killed before it could make live must not push out the one to roll back to.
    ready = sorted(
        (
            version
            for version, item in others.items()
            if retired[version] is not None
            or live is None
            or version < live
            or _age_s(moment(item.created_at)) > abandoned_after_s
        ),
        key=lambda version: (retired[version] or NEVER, version),
    )
    gone = []
    for version in ready[: max(0, len(ready) - keep)]:
        try:
            left_s = drop_after_s - _age_s(retired[version])
            if left_s > 0:
                _log.info("version %s stays for another %.0f s: it was live until lately", version, left_s)
                continue
            dropped = store.drop(version)
        except (StoreError, OSError) as error:
            _log.warning("version %s is not deleted: %s; the live version is not affected", version, error)
            continue
        if dropped:
            gone.append(version)
        _log.info("dropped version %s" if dropped else "version %s is in use, and stays", version)
    return tuple(gone)


def drop_abandoned(store: Store, abandoned_after_s: float) -> tuple[str, ...]:
    """Delete what killed builds left (see `Store.drop_unfinished`); what cannot be deleted is a warning."""
    try:
        gone = store.drop_unfinished(abandoned_after_s)
    except StoreError as error:
        _log.warning("what killed builds left could not be deleted: %s; the live version is not affected", error)
        return ()
    for version in gone:
        _log.info("dropped version %s, which a build left unfinished", version)
    return gone


def _age_s(since: datetime | None) -> float:
    """Seconds since then; endless where that is not known.

    A clock that was set back makes it negative: then it stays longer, and is not lost.
    """
    return inf if since is None else (datetime.now(UTC) - since).total_seconds()
