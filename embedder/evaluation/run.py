"""`python -m embedder eval`, without its flags."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from embedder.catalogs.loading import load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.splits import shuffled
from embedder.encoder import Encoder, open_encoder
from embedder.errors import TrainingError
from embedder.evaluation.attributes import MAX_PRODUCTS, AttributeFigures, measure_attributes
from embedder.evaluation.duplicates import find_like_pairs, find_title_clashes
from embedder.evaluation.embedding import Embedded, embed_pictures
from embedder.evaluation.figures import evaluate as measure
from embedder.evaluation.gallery import Gallery
from embedder.evaluation.held_out import HeldOut, hold_out
from embedder.evaluation.measurement import Measured
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


def evaluate(request: EvalRequest, config: EmbedderSettings) -> Measured:
    """Measure a model on a catalog's test products, searched among its training products, or among all of them.

    Raises:
        CatalogError, ModelError, BundleError: see `embedder.errors`.
        TrainingError: the catalog has no test products.
    """
    (measured,) = evaluate_models(request, [request.model], config)
    return measured


def evaluate_models(request: EvalRequest, models: Sequence[str], config: EmbedderSettings) -> tuple[Measured, ...]:
    """Measure several models on the same products: those that all their trainings held out.

    Args:
        request: what to measure; its model is not looked at.
        models: their names, 1 or more.
        config: seed, limits, cache.

    Raises:
        CatalogError, ModelError, BundleError: see `embedder.errors`.
        TrainingError: the catalog has no test products, or none that all trainings held out.
    """
    reader = open_catalog(
        request.catalog,
        columns=request.columns,
        allow_outside_pictures=request.allow_outside_pictures,
        web=config.web_pictures(),
    )
    products = shuffled(load_catalog(reader).products, config.seed)
    held_out = hold_out(products, models, config)
    queries = held_out.tested[: request.max_products]
    gallery = held_out.trained[: request.gallery]
    if not queries:
        shared = " that the trainings of all these models held out" if len(models) > 1 else ""
        raise TrainingError(
            f"catalog {request.catalog!r} has no test products{shared}; permitted: 1 or more (a tenth of the groups of "
            "siblings where the catalog names no split)"
        )
    taken = {product.id for product in (*queries, *gallery)}
    others = [product for product in products if product.id not in taken][: request.gallery - len(gallery)]
    parts = _Parts(queries, gallery, others, held_out)
    return tuple(_measure_model(replace(request, model=model), parts, config) for model in models)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Products to measure with: those that are tested, searched by picture, and searched besides."""

    queries: Sequence[Product]
    gallery: list[Product]
    others: Sequence[Product]
    held_out: HeldOut


def _measure_model(request: EvalRequest, parts: _Parts, config: EmbedderSettings) -> Measured:
    folder = resolve_bundle(
        request.model,
        config.cache_dir,
        base_image_size(
            request.model, request.image_size, parts.gallery or list(parts.queries), config.picture_limits()
        ),
    )
    encoder = open_encoder(folder, threads=config.threads, device=config.device, precision=config.precision)
    with ProgressReport(_log) as progress:
        step = progress.step("embedding", len(parts.queries) + len(parts.gallery) + len(parts.others))
        embedded, searched, further = (
            embed_products(
                encoder,
                part,
                limits=config.picture_limits(),
                decode_threads=config.decode_threads,
                on_progress=step.advance,
            )
            for part in (parts.queries, parts.gallery, parts.others)
        )
        views = None
        if request.view_kinds:
            views = _measure_views(encoder, (embedded, searched, further), request.view_kinds, config, progress)
        attributes = _measure_attributes(encoder, embedded.products, config, progress)
    found = measure(encoder, embedded, searched, others=further)
    products = [product for part in (embedded, searched, further) for product in part.products]
    vectors = np.concatenate([part.embeddings for part in (embedded, searched, further)])
    return Measured(
        figures=found.figures,
        queries=len(embedded.products),
        gallery=len(searched.products),
        products=len(products),
        views=views,
        splits=parts.held_out.report,
        model=request.model,
        base=encoder.info.base,
        fingerprint=encoder.info.fingerprint,
        catalog=request.catalog,
        seed=config.seed,
        outcomes=found.outcomes,
        titles=found.titles,
        trained=Counter(product.category for product in parts.held_out.trained if product.category is not None),
        title_clashes=find_title_clashes(products),
        like_pairs=find_like_pairs(
            embedded.products[:MAX_QUERIES], embedded.embeddings[:MAX_QUERIES], products, vectors
        ),
        by_id={product.id: product for product in products},
        attributes=attributes,
    )


def _measure_attributes(
    encoder: Encoder, products: Sequence[Product], config: EmbedderSettings, progress: ProgressReport
) -> tuple[AttributeFigures, ...]:
    if encoder.attributes is None:
        return ()
    # Each as it is, and as a photo.
    step = progress.step("attributes", 2 * min(len(products), MAX_PRODUCTS))
    return measure_attributes(
        encoder,
        products,
        reader=PixelReader(encoder.preprocessing, config.picture_limits()),
        decode_threads=config.decode_threads,
        on_progress=step.advance,
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
