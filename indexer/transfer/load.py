"""Making a version from what another one held: without its pictures, and without a model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import searched_words
from indexer.building.loading import Loading
from indexer.errors import TransferError
from indexer.settings import IndexerSettings
from indexer.stores.protocol import Batch, Payload, Store, Stored
from indexer.transfer.export import MANIFEST_FILE, PRODUCTS_FILE
from indexer.transfer.products_file import ProductsFile
from indexer.versions.examination import ASKED
from indexer.versions.going_live import filling, go_live, seal_version
from indexer.versions.holdings import Holdings
from indexer.versions.manifest import Manifest, new_version_name
from indexer.words.bm25 import Bm25Words


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
    manifest = replace(
        exported,
        version=new_version_name(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        state="building",
    )
    words = None if exported.texts is None or exported.texts.bm25 is None else Bm25Words(exported.texts.bm25)
    holdings = Holdings()
    sample: list[tuple[str, npt.NDArray[np.float32]]] = []
    with filling(store.create(manifest, expected_products=exported.products)) as writer:
        with Loading(writer) as loading:
            for products in file.read():
                for product in products:
                    holdings.add(product.payload)
                sample += [(item.product_id, item.vectors[0]) for item in products[: max(0, ASKED - len(sample))]]
                loading.send(_batch(products, manifest, words))
                on_progress(len(products))
            loading.wait()
        if holdings.noted(exported) != exported:
            raise TransferError(
                f"{folder} holds {holdings.products:,} products that are not the {exported.products:,} of its "
                f"{MANIFEST_FILE}; nothing goes live; next step: export again"
            )
        manifest, _ = seal_version(writer, replace(manifest, state="ready"), settings)
    go_live(store, manifest, sample, settings)
    return LoadResult(manifest, time.monotonic() - started)


def _batch(products: list[Stored], manifest: Manifest, words: Bm25Words | None) -> Batch:
    titles = None
    if manifest.layout.title_dim:
        absent = np.zeros(manifest.layout.title_dim, dtype=np.float32)
        titles = np.stack([absent if item.title is None else item.title for item in products])
    return Batch(
        [item.product_id for item in products],
        np.concatenate([item.vectors for item in products]),
        [item.payload for item in products],
        [len(item.vectors) for item in products],
        titles,
        None if words is None else [words.title(_spoken(item.payload)) for item in products],
    )


def _spoken(payload: Payload) -> str:
    """What was indexed of the product's words."""
    return searched_words(str(payload.get("title", "")), payload.get("category"), str(payload.get("description", "")))


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_FILE
    try:
        return Manifest.from_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise TransferError(
            f"{folder} is no export ({error}); permitted: a folder that python -m indexer export wrote"
        ) from error
