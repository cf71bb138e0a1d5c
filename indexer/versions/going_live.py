"""How a version comes to be: filled, sealed, tried, made live.

Whatever makes versions (`build`, `update`, `load`, `restore`) goes this way, each from its own source; on any failure
the live version stays as it was, and the unfinished one goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from indexer.settings import IndexerSettings
from indexer.stores.protocol import Store, VersionWriter
from indexer.versions.effort_measuring import HeldOut, index_and_measure
from indexer.versions.examination import Sample
from indexer.versions.manifest import Manifest
from indexer.versions.retention import clear_versions
from indexer.versions.trial import try_version

T = TypeVar("T")


@contextmanager
def filling(writer: VersionWriter) -> Iterator[VersionWriter]:
    """A version that is deleted unless it is sealed within the block, whatever goes wrong."""
    try:
        yield writer
    finally:
        # After `finish` this does nothing.
        writer.abort()


def seal_version(
    writer: VersionWriter,
    manifest: Manifest,
    settings: IndexerSettings,
    held_out: Callable[[], HeldOut] | None = None,
) -> tuple[Manifest, float]:
    """Index a version that is full, measure its graph, make it durable; from then on nothing changes it.

    Args:
        writer: of the version.
        manifest: of the version, whose state is "ready".
        settings: recall that is wanted.
        held_out: see `index_and_measure`.

    Returns:
        The manifest, with what was measured, and how many seconds measuring took.
    """
    manifest, effort_s = index_and_measure(writer, manifest, settings.wanted_recall, held_out)
    writer.finish(manifest)
    return manifest, effort_s


def go_live(
    store: Store,
    manifest: Manifest,
    sample: Sample | None,
    settings: IndexerSettings,
    judge: Callable[[], T] | None = None,
) -> tuple[T | None, float]:
    """Try a sealed version, make it the live one, and delete what the settings do not keep.

    Args:
        store: where it is.
        manifest: of the version.
        sample: see `try_version`.
        settings: versions to keep.
        judge: called before it goes live; raises where it must not. None: nobody is asked.

    Returns:
        What `judge` gave, and when it went live (`time.monotonic`).

    Raises:
        StoreError: it is not whole, and was deleted; the live version is the one before.
    """
    try_version(store, manifest, sample)
    judged = None if judge is None else judge()
    store.activate(manifest.version)
    live = time.monotonic()
    clear_versions(store, settings)
    return judged, live
