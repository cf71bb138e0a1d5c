"""`python -m embedder eval`, without its flags."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.split_report import SplitReport
from embedder.catalogs.splits import shuffled
from embedder.encoder import Encoder, open_encoder
from embedder.errors import TrainingError
from embedder.evaluation.embedding import embed_pictures
from embedder.evaluation.figures import Embedded
from embedder.evaluation.figures import evaluate as measure
from embedder.evaluation.gallery import Gallery
from embedder.evaluation.held_out import split_as_trained
from embedder.evaluation.views import MAX_QUERIES, ViewFigures, measure_views
from embedder.export.base_bundles import resolve_bundle
from embedder.export.image_size import base_image_size
from embedder.inputs.picture import PictureLimits
from embedder.inputs.pixels import PixelReader
from embedder.progress import ProgressReport
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
    allow_outside_pictures: bool = False
    view_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures, and on how many products they were measured.

    Attributes:
        figures: see `embedder.evaluation.figures.evaluate`.
        queries: test products.
        gallery: training products that are searched by picture.
        products: all that are searched by title and by photo: the test products, the gallery, and others up to the
            asked-for size of the gallery.
        views: what photos find; None where not asked for, or where there is no test product to find.
        splits: how the test products were held out.
    """

    figures: dict[str, float]
    queries: int
    gallery: int
    products: int
    views: ViewFigures | None
    splits: SplitReport

    def to_figures(self) -> dict[str, float]:
        """All figures by name."""
        return self.figures | (self.views.to_figures() if self.views is not None else {})


def evaluate(request: EvalRequest, config: EmbedderSettings) -> Measured:
    """Measure a model on a catalog's test products, searched among its training products, or among all of them.

    Raises:
        CatalogError, ModelError, BundleError: see `embedder.errors`.
        TrainingError: the catalog has no test products.
    """
    reader = open_catalog(
        request.catalog, columns=request.columns, allow_outside_pictures=request.allow_outside_pictures
    )
    products = shuffled(load_catalog(reader).products, config.seed)
    splits = split_as_trained(products, request.model, config)
    queries = splits.products("test")[: request.max_products]
    gallery = splits.products("train")[: request.gallery]
    if not queries:
        raise TrainingError(
            f"catalog {request.catalog!r} has no test products; permitted: 1 or more (a tenth of the groups of "
            "siblings where the catalog names no split)"
        )
    taken = {product.id for product in (*queries, *gallery)}
    others = [product for product in products if product.id not in taken][: request.gallery - len(gallery)]
    folder = resolve_bundle(
        request.model,
        config.cache_dir,
        base_image_size(request.model, request.image_size, gallery or queries, config.picture_limits()),
    )
    encoder = open_encoder(folder, threads=config.threads, device=config.device)
    with ProgressReport(_log) as progress:
        step = progress.step("embedding", len(queries) + len(gallery) + len(others))
        embedded, searched, further = (
            embed_products(
                encoder,
                part,
                limits=config.picture_limits(),
                decode_threads=config.decode_threads,
                on_progress=step.advance,
            )
            for part in (queries, gallery, others)
        )
        views = None
        if request.view_kinds:
            parts = (embedded, searched, further)
            views = _measure_views(encoder, parts, request.view_kinds, config, progress)
    return Measured(
        measure(encoder, embedded, searched, others=further),
        len(embedded.products),
        len(searched.products),
        sum(len(part.products) for part in (embedded, searched, further)),
        views,
        splits.report,
    )


def _measure_views(
    encoder: Encoder,
    parts: Sequence[Embedded],
    kinds: Sequence[str],
    config: EmbedderSettings,
    progress: ProgressReport,
) -> ViewFigures | None:
    """Search with photos of the first part's products among all parts' products, all pictures of each."""
    reader = PixelReader(encoder.preprocessing, config.picture_limits())
    products = [product for part in parts for product in part.products]
    pictures = [
        (place, product.id, picture) for place, product in enumerate(products) for picture in product.pictures[1:]
    ]
    step = progress.step("further pictures", len(pictures))
    kept, vectors = embed_pictures(
        encoder,
        ((picture, picture[2].source) for picture in pictures),
        reader,
        decode_threads=config.decode_threads,
        name_of=lambda item: f"picture {item[2].name!r} of product {item[1]}",
        on_progress=step.advance,
    )
    gallery = Gallery.of_main_pictures(products, np.concatenate([part.embeddings for part in parts]))
    places = range(len(parts[0].products))[:MAX_QUERIES]
    return measure_views(
        encoder,
        gallery.with_further([place for place, _, _ in kept], vectors),
        places,
        kinds,
        seed=config.seed,
        reader=reader,
        decode_threads=config.decode_threads,
        on_progress=progress.step("views", len(places)).advance,
    )


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
    kept, embeddings = embed_pictures(
        encoder,
        ((product, product.pictures[0].source) for product in products),
        PixelReader(encoder.preprocessing, limits or PictureLimits()),
        decode_threads=decode_threads,
        name_of=lambda product: f"product {product.id}",
        on_progress=on_progress,
    )
    return Embedded(kept, embeddings)
