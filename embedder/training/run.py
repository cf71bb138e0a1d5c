"""`python -m embedder train`, without its flags: from a catalog and a base model to a bundle."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from embedder import bundle
from embedder.catalogs.loading import data_hash, load_catalog
from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.split_report import SplitReport
from embedder.catalogs.splits import shuffled, split_catalog
from embedder.encoder import Encoder, open_encoder
from embedder.errors import TrainingError
from embedder.export.base_bundles import resolve_bundle
from embedder.export.image_size import base_image_size, why_image_size
from embedder.export.onnx import write_bundle
from embedder.instance_map import load_instance
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import Projection, TowerName, is_trainable, join, split, untrainable
from embedder.training.comparison import Stage, compare
from embedder.training.heads.examples import Examples
from embedder.training.heads.loop import fine_tune
from embedder.training.instance.part import InstancePart, make_instance_part
from embedder.training.pictures.gathering import Gathered, Gatherer

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
        budget_s: about how long to take, seconds; products beyond it are left out. 0: nothing is tuned, the instance
            part is solved in closed form from all products. None: all products.
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
    """Fine-tune a model, solve for its instance part, and write its bundle.

    Raises:
        CatalogError, ModelError, BundleError, TrainingError: see `embedder.errors`.
    """
    catalog = _load(request, config)
    folder = resolve_bundle(
        request.model,
        config.cache_dir,
        base_image_size(request.model, request.image_size, catalog.training, config.picture_limits()),
        with_levels=config.instance.dim > 0,
    )
    projections = _projections(folder)
    encoder = open_encoder(folder, threads=config.threads, device=config.device)
    before = _stage(folder, encoder, projections)
    started = time.monotonic()
    with ProgressReport(_log) as progress:
        gathered = Gatherer(encoder, config, progress, catalog.left_s).gather(catalog.training, catalog.validation)
        _check_pictures(gathered)
        tuned = before
        metrics: dict[str, float] = {}
        if request.budget_s != 0:
            tuned, metrics = _tuned(progress, encoder, projections, gathered, config)
    part = make_instance_part(gathered, tuned.image, encoder.info.level_widths, config.instance)
    after = replace(tuned, part=part)
    compared = compare(encoder, before, after, gathered)
    _log.info("trained on %d products in %.0f s", len(gathered.training.shots), time.monotonic() - started)
    described = _describe(request, config, catalog, encoder, gathered, part) | {"compared": compared.to_dict()}
    metrics |= compared.after
    trained = load_folder(folder, encoder.info.base)
    join(trained, "image", after.image)
    join(trained, "text", after.text)
    return write_bundle(
        trained,
        request.out,
        head=after.head,
        instance=None if part is None else part.instance,
        space=None if part is None else part.space,
        base=folder,
        training=described,
        data_hash=data_hash(gathered.training.products),
        metrics=metrics,
        report={"training.json": json.dumps({**described, "metrics": metrics}, indent=1) + "\n"},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _SplitCatalog:
    """What is learnt from and what is held out, both in an order of which every prefix is a fair sample.

    Attributes:
        rejections: rows that hold no product.
        left_s: what splitting has left of the time budget, seconds; None: there is none.
    """

    training: list[Product]
    validation: list[Product]
    rejections: tuple[Rejection, ...]
    report: SplitReport
    left_s: float | None


def _load(request: TrainRequest, config: EmbedderSettings) -> _SplitCatalog:
    """Read and split the catalog: the test products' pictures are compared with the others', to keep siblings together;
    nothing is learnt from them.
    """
    reader = open_catalog(
        request.catalog, columns=request.columns, allow_outside_pictures=request.allow_outside_pictures
    )
    everything = load_catalog(reader)
    started = time.monotonic()
    splits = split_catalog(
        everything.products,
        config.cache_dir,
        limits=config.picture_limits(),
        decode_threads=config.decode_threads,
        budget_s=request.budget_s / 10 if request.budget_s else None,
    )
    left_s = max(1.0, request.budget_s - (time.monotonic() - started)) if request.budget_s else None
    training = shuffled(splits.products("train"), config.seed)[: request.max_products]
    if not training:
        raise TrainingError(
            f"catalog {request.catalog!r} has no training products ({len(everything.rejections)} rows rejected); "
            "permitted: 2 or more"
        )
    validation = shuffled(splits.products("validation"), config.seed)[:VALIDATION_CAP]
    return _SplitCatalog(training, validation, everything.rejections, splits.report, left_s)


def _check_pictures(gathered: Gathered) -> None:
    if not gathered.training.shots:
        found = gathered.rejected
        example = f", such as {found[0].product_id!r}: {found[0].detail}" if found else ""
        raise TrainingError(
            f"0 training products with readable pictures ({len(found)} rejected{example}); permitted: 2 or more; next "
            "step: look at the catalog's pictures"
        )


def _stage(folder: Path, encoder: Encoder, projections: tuple[Projection, Projection]) -> Stage:
    """A base model as it is; one that was trained has a head and an instance part already."""
    instance = load_instance(folder)
    part = None if instance is None else InstancePart(instance, encoder.space, (), 0)
    return Stage(*projections, encoder.head, part)


def _describe(
    request: TrainRequest,
    config: EmbedderSettings,
    catalog: _SplitCatalog,
    encoder: Encoder,
    gathered: Gathered,
    part: InstancePart | None,
) -> dict[str, Any]:
    """What the bundle says of its training, JSON-able."""
    rejections = [*catalog.rejections, *gathered.rejected]
    side = encoder.preprocessing.size[0]
    return {
        "catalog": request.catalog,
        "base_fingerprint": encoder.info.fingerprint,
        "training_products": len(gathered.training.shots),
        "validation_products": len(gathered.validation.shots),
        "rejected": len(rejections),
        "rejected_reasons": dict(Counter(rejection.reason for rejection in rejections).most_common()),
        "image_size": side,
        "image_size_reason": why_image_size(request.model, request.image_size, side),
        "splits": catalog.report.to_dict(),
        "seed": config.seed,
        **config.train.to_dict(),
        **({"epochs": 0} if request.budget_s == 0 else {}),
        "instance": _describe_part(part, config),
    }


def _describe_part(part: InstancePart | None, config: EmbedderSettings) -> dict[str, Any]:
    if part is None:
        return {"dim": 0}
    return {
        **config.instance.to_dict(),
        "dim": part.instance.dim,
        "semantic_dim": part.space.kept_dim,
        "weight": part.space.instance_weight,
        "pairs": part.pairs,
        "weights_tried": [asdict(item) for item in part.weights],
    }


def _tuned(
    progress: ProgressReport,
    encoder: Encoder,
    projections: tuple[Projection, Projection],
    gathered: Gathered,
    config: EmbedderSettings,
) -> tuple[Stage, dict[str, float]]:
    step = progress.step("training", config.train.epochs)

    def on_epoch(epoch: int, figures: dict[str, float]) -> None:
        accuracy = figures.get("validation_accuracy")
        step.update(note=f"loss {figures['train_loss']:.2f}" if accuracy is None else f"accuracy {accuracy:.4f}")
        step.advance()

    tuned = fine_tune(
        encoder,
        projections,
        Examples(gathered.training.products, gathered.training.values),
        Examples(gathered.validation.products, gathered.validation.values),
        config.train,
        config.seed,
        on_epoch,
    )
    return Stage(tuned.image, tuned.text, tuned.head), tuned.metrics


def _projections(folder: Path) -> tuple[Projection, Projection]:
    """The base model's own (image, text), once both towers are known to take what training makes of them."""
    model = load_folder(folder)
    towers: tuple[TowerName, TowerName] = ("image", "text")
    for tower in towers:
        if not is_trainable(model, tower):
            raise untrainable(model, tower)
    return split(model, "image")[1], split(model, "text")[1]
