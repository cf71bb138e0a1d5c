"""`python -m embedder train`, without its flags: from a catalog and a base model to a bundle."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedder import bundle
from embedder.catalogs.loading import data_hash, load_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.splits import in_split, shuffled
from embedder.encoder import Encoder, open_encoder
from embedder.errors import TrainingError
from embedder.export.base_bundles import resolve_bundle
from embedder.export.image_size import base_image_size
from embedder.export.onnx import write_bundle
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import Projection, TowerName, is_trainable, join, split, untrainable
from embedder.training.examples import Examples
from embedder.training.features import Features, compute_features
from embedder.training.loop import FineTuned, fine_tune

_log = logging.getLogger(__name__)

VALIDATION_CAP = 5000


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to train.

    Attributes:
        catalog: as `open_catalog` takes it.
        columns: our field to the catalog's column.
        model: base model, by any name.
        out: the bundle to write.
        image_size: side of the input in pixels; None fits it to the catalog (starter) or keeps the model's own.
        budget_s: about how long to take, seconds; products beyond it are left out. None: all products.
        max_products: at most this many training products; None: all.
        allow_outside_pictures: pictures may lie outside the catalog's folder.
    """

    catalog: str
    columns: dict[str, str]
    model: str
    out: Path
    image_size: int | None
    budget_s: float | None
    max_products: int | None
    allow_outside_pictures: bool = False


def train(request: TrainRequest, config: EmbedderSettings) -> bundle.BundleInfo:
    """Fine-tune a model and write its bundle.

    Raises:
        CatalogError, ModelError, BundleError, TrainingError: see `embedder.errors`.
    """
    reader = open_catalog(
        request.catalog, columns=request.columns, allow_outside_pictures=request.allow_outside_pictures
    )
    # The test products' rows are read with the others'; their pictures are not, and nothing is learnt from them.
    everything = load_catalog(reader)
    training = shuffled(in_split(everything.products, "train"), config.seed)[: request.max_products]
    validation = shuffled(in_split(everything.products, "validation"), config.seed)[:VALIDATION_CAP]
    if not training:
        raise TrainingError(
            f"catalog {request.catalog!r} has no training products ({len(everything.rejections)} rows rejected); "
            "permitted: 2 or more"
        )
    folder = resolve_bundle(
        request.model,
        config.cache_dir,
        base_image_size(request.model, request.image_size, training, config.picture_limits()),
    )
    projections = _projections(folder)
    encoder = open_encoder(folder, threads=config.threads, device=config.device)
    started = time.monotonic()
    with ProgressReport(_log) as progress:
        # Most of the time goes into features; a sixth of a budget is kept for validation and the loop each.
        held_out = _features(
            "features (validation)", progress, encoder, validation, config, _share(request.budget_s, 1 / 6)
        )
        features = _features(
            "features (training)", progress, encoder, training, config, _share(request.budget_s, 4 / 6)
        )
        tuned = _loop(progress, encoder, projections, features, held_out, config)
    _log.info("fine-tuned on %d products in %.0f s", len(features.products), time.monotonic() - started)
    trained = load_folder(folder, encoder.info.base)
    join(trained, "image", tuned.image)
    join(trained, "text", tuned.text)
    described: dict[str, Any] = {
        "catalog": request.catalog,
        "base_fingerprint": encoder.info.fingerprint,
        "training_products": len(features.products),
        "validation_products": len(held_out.products),
        "rejected": len(features.rejected) + len(held_out.rejected) + len(everything.rejections),
        "seed": config.seed,
        **config.train.to_dict(),
    }
    return write_bundle(
        trained,
        request.out,
        head=tuned.head,
        training=described,
        data_hash=data_hash(features.products),
        metrics=tuned.metrics,
        report={"training.json": json.dumps({**described, "metrics": tuned.metrics}, indent=1) + "\n"},
    )


def _share(budget_s: float | None, share: float) -> float | None:
    return None if budget_s is None else budget_s * share


def _features(
    label: str,
    progress: ProgressReport,
    encoder: Encoder,
    products: list[Product],
    config: EmbedderSettings,
    budget_s: float | None,
) -> Features:
    step = progress.step(label, len(products))
    features = compute_features(
        encoder,
        products,
        config.cache_dir,
        limits=config.picture_limits(),
        decode_threads=config.decode_threads,
        budget_s=budget_s,
        on_progress=step.advance,
    )
    used = len(features.products) + len(features.rejected)
    if used < len(products):
        step.update(total=used, note="(time budget)")
    return features


def _loop(
    progress: ProgressReport,
    encoder: Encoder,
    projections: tuple[Projection, Projection],
    training: Features,
    validation: Features,
    config: EmbedderSettings,
) -> FineTuned:
    step = progress.step("training", config.train.epochs)

    def on_epoch(epoch: int, figures: dict[str, float]) -> None:
        accuracy = figures.get("validation_accuracy")
        step.update(note=f"loss {figures['train_loss']:.2f}" if accuracy is None else f"accuracy {accuracy:.4f}")
        step.advance()

    return fine_tune(
        encoder,
        projections,
        Examples(training.products, training.values),
        Examples(validation.products, validation.values),
        config.train,
        config.seed,
        on_epoch,
    )


def _projections(folder: Path) -> tuple[Projection, Projection]:
    """The base model's own (image, text), once both towers are known to take what training makes of them."""
    model = load_folder(folder)
    towers: tuple[TowerName, TowerName] = ("image", "text")
    for tower in towers:
        if not is_trainable(model, tower):
            raise untrainable(model, tower)
    return split(model, "image")[1], split(model, "text")[1]
