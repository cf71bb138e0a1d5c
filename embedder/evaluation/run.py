"""`python -m embedder eval`, without its flags."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from embedder.catalogs.loading import products_of
from embedder.catalogs.product import Product
from embedder.catalogs.splits import shuffled
from embedder.encoder import Encoder, open_encoder
from embedder.errors import PictureError, TrainingError
from embedder.evaluation.figures import Embedded
from embedder.evaluation.figures import evaluate as measure
from embedder.export.base_bundles import resolve_bundle
from embedder.export.image_size import base_image_size
from embedder.settings import EmbedderSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EvalRequest:
    """What to measure; the fields are `python -m embedder eval`'s flags."""

    catalog: str
    columns: dict[str, str]
    model: str
    image_size: int | None
    max_products: int | None
    gallery: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures (see `embedder.evaluation.figures.evaluate`), and on how many products they were measured."""

    figures: dict[str, float]
    queries: int
    gallery: int


def evaluate(request: EvalRequest, config: EmbedderSettings) -> Measured:
    """Measure a model on a catalog's test products, against a gallery of its training products.

    Raises:
        CatalogError, ModelError, BundleError: see `embedder.errors`.
        TrainingError: the catalog has no test products.
    """
    queries = shuffled(products_of(request.catalog, request.columns, "test"), config.seed)[: request.max_products]
    gallery = shuffled(products_of(request.catalog, request.columns, "train"), config.seed)[: request.gallery]
    if not queries:
        raise TrainingError(
            f"catalog {request.catalog!r} has no test products; permitted: 1 or more (a tenth of the ids where the "
            "catalog names no split)"
        )
    folder = resolve_bundle(
        request.model, config.cache_dir, base_image_size(request.model, request.image_size, gallery)
    )
    encoder = open_encoder(folder, threads=config.threads, device=config.device)
    columns = (TextColumn("embedding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("embedding", total=len(queries) + len(gallery))
        embedded, searched = (
            embed_products(encoder, products, lambda done: progress.advance(task, done))
            for products in (queries, gallery)
        )
    return Measured(measure(encoder, embedded, searched), len(embedded.products), len(searched.products))


def embed_products(
    encoder: Encoder, products: list[Product], on_progress: Callable[[int], None] = lambda done: None
) -> Embedded:
    """Embed the products' pictures; unreadable ones are left out, with a line in the log."""
    kept: list[Product] = []
    parts = [np.empty((0, encoder.dim), dtype=np.float32)]
    for start in range(0, len(products), 256):
        images = []
        for product in products[start : start + 256]:
            try:
                images.append(encoder.decode(product.pictures[0].source)[0])
                kept.append(product)
            except PictureError as error:
                _log.warning("product %s left out: %s", product.id, error)
        parts.append(encoder.encode_images(images))
        on_progress(len(products[start : start + 256]))
    return Embedded(kept, np.concatenate(parts))
