"""`python -m embedder eval`, without its flags."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.splits import in_split, shuffled
from embedder.encoder import Encoder, open_encoder
from embedder.errors import TrainingError
from embedder.evaluation.figures import Embedded
from embedder.evaluation.figures import evaluate as measure
from embedder.export.base_bundles import resolve_bundle
from embedder.export.image_size import base_image_size
from embedder.inputs.picture import PictureLimits
from embedder.inputs.pixels import PixelReader, UnusablePicture
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings

_log = logging.getLogger(__name__)

BATCH = 64


@dataclass(frozen=True, slots=True)
class EvalRequest:
    """What to measure; the fields are `python -m embedder eval`'s flags."""

    catalog: str
    columns: dict[str, str]
    model: str
    image_size: int | None
    max_products: int | None
    gallery: int
    allow_outside_pictures: bool = False


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
    reader = open_catalog(
        request.catalog, columns=request.columns, allow_outside_pictures=request.allow_outside_pictures
    )
    products = load_catalog(reader).products
    queries = shuffled(in_split(products, "test"), config.seed)[: request.max_products]
    gallery = shuffled(in_split(products, "train"), config.seed)[: request.gallery]
    if not queries:
        raise TrainingError(
            f"catalog {request.catalog!r} has no test products; permitted: 1 or more (a tenth of the ids where the "
            "catalog names no split)"
        )
    folder = resolve_bundle(
        request.model,
        config.cache_dir,
        base_image_size(request.model, request.image_size, gallery, config.picture_limits()),
    )
    encoder = open_encoder(folder, threads=config.threads, device=config.device)
    with ProgressReport(_log) as progress:
        step = progress.step("embedding", len(queries) + len(gallery))
        embedded, searched = (
            embed_products(
                encoder,
                products,
                limits=config.picture_limits(),
                decode_threads=config.decode_threads,
                on_progress=step.advance,
            )
            for products in (queries, gallery)
        )
    return Measured(measure(encoder, embedded, searched), len(embedded.products), len(searched.products))


def embed_products(
    encoder: Encoder,
    products: Sequence[Product],
    *,
    limits: PictureLimits | None = None,
    decode_threads: int = 2,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Embedded:
    """Embed the products' main pictures; unreadable ones are left out, with a line in the log.

    Args:
        encoder: the model.
        products: whose pictures.
        limits: what a picture may weigh; None: the default limits.
        decode_threads: how many pictures are decoded at once, 1 or more.
        on_progress: called with the number of products done since the last call.
    """
    reader = PixelReader(encoder.preprocessing, limits or PictureLimits())
    kept: list[Product] = []
    waiting: list[npt.NDArray[np.float32]] = []
    parts = [np.empty((0, encoder.dim), dtype=np.float32)]
    pictures = ((product, product.pictures[0].source) for product in products)
    with closing(reader.read_each(pictures, decode_threads)) as outcomes:
        for product, outcome in outcomes:
            if isinstance(outcome, UnusablePicture):
                _log.warning("product %s left out: %s", product.id, outcome.detail)
            else:
                kept.append(product)
                waiting.append(outcome.values)
            if len(waiting) == BATCH:
                parts.append(encoder.embed_pixels(np.stack(waiting)))
                waiting.clear()
            on_progress(1)
    if waiting:
        parts.append(encoder.embed_pixels(np.stack(waiting)))
    return Embedded(kept, np.concatenate(parts))
