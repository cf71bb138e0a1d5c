"""Making a version from an export of another one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import TransferError
from indexer.settings import IndexerSettings
from indexer.stores.protocol import Store
from indexer.transfer.export import MANIFEST_FILE, PRODUCTS_FILE
from indexer.transfer.products_file import ProductsFile
from indexer.transfer.refilling import refill
from indexer.versions.going_live import go_live
from indexer.versions.manifest import Manifest


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What was loaded: the live version's manifest, and how long it took in seconds."""

    manifest: Manifest
    elapsed_s: float


def load(
    folder: Path, store: Store, settings: IndexerSettings, on_progress: Callable[[int], None] = lambda done: None
) -> LoadResult:
    """Load an export as a new version and make it the live one; on any failure the live one stays as it was.

    Args:
        folder: as `indexer.transfer.export` wrote it.
        store: where the version is written.
        settings: versions to keep.
        on_progress: called with the number of products done since the last call.

    Raises:
        TransferError: the export is missing, damaged or incomplete.
        StoreError: the store failed.
    """
    started = time.monotonic()
    exported = _manifest(folder)
    file = ProductsFile(folder / PRODUCTS_FILE)
    if (file.heading.model_fingerprint, file.heading.layout) != (exported.model_fingerprint, exported.layout):
        raise TransferError(
            f"{folder / PRODUCTS_FILE} and {MANIFEST_FILE} beside it are of different exports; next step: export again"
        )
    manifest, sample = refill(store, exported, file.read(), settings, str(folder), on_progress)
    go_live(store, manifest, sample, settings)
    return LoadResult(manifest, time.monotonic() - started)


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_FILE
    try:
        return Manifest.from_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise TransferError(
            f"{folder} is no export ({error}); permitted: a folder that python -m indexer export wrote"
        ) from error
