"""A version made of the products that another one held: without their pictures, and without a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import searched_words
from indexer.building.loading import Loading
from indexer.errors import TransferError
from indexer.settings import IndexerSettings
from indexer.stores.protocol import Batch, Payload, Store, Stored
from indexer.versions.examination import ASKED, Sample
from indexer.versions.going_live import filling, seal_version
from indexer.versions.holdings import Holdings
from indexer.versions.manifest import Manifest, State, new_version_name
from indexer.words.bm25 import Bm25Words


def refill(
    store: Store,
    held: Manifest,
    pages: Iterable[list[Stored]],
    settings: IndexerSettings,
    whence: str,
    on_progress: Callable[[int], None] = lambda done: None,
) -> tuple[Manifest, Sample]:
    """Fill and seal a new version; it is not live yet.

    Args:
        store: where it is written.
        held: manifest of the other version, whose calibration holds for the same products.
        pages: its products, some thousands at a time.
        settings: recall that is wanted of a graph.
        whence: where the products come from, for people.
        on_progress: called with the number of products done since the last call.

    Returns:
        The new version's manifest, and some of its products.

    Raises:
        TransferError: the products are not those that the manifest counted.
        StoreError: the store failed.
    """
    manifest = renamed(held, "building")
    words = None if held.texts is None or held.texts.bm25 is None else Bm25Words(held.texts.bm25)
    holdings = Holdings()
    sample: list[tuple[str, npt.NDArray[np.float32]]] = []
    with filling(store.create(manifest, expected_products=held.products)) as writer:
        with Loading(writer) as loading:
            for products in pages:
                for product in products:
                    holdings.add(product.payload)
                sample += [(item.product_id, item.vectors[0]) for item in products[: max(0, ASKED - len(sample))]]
                loading.send(_batch(products, manifest, words))
                on_progress(len(products))
            loading.wait()
        if holdings.noted(held) != held:
            raise TransferError(
                f"{whence} holds {holdings.products:,} products that are not the {held.products:,} of its "
                "manifest.json; nothing goes live; next step: export again"
            )
        manifest, _ = seal_version(writer, replace(manifest, state="ready"), settings)
    return manifest, sample


def renamed(held: Manifest, state: State) -> Manifest:
    """A manifest as that of a new version, begun now, which says the same of its products."""
    created_at = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(held, version=new_version_name(), created_at=created_at, state=state)


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
