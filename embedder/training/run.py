"""`python -m embedder train`, without its flags: from a catalog and a base model to a bundle."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from embedder import bundle
from embedder.catalogs.loading import data_hash
from embedder.encoder import Encoder
from embedder.errors import BudgetTooShort, SettingsError, TrainingError
from embedder.export.image_size import why_image_size
from embedder.export.onnx import write_bundle
from embedder.progress import ProgressReport
from embedder.seen_products import SeenProducts
from embedder.settings import EmbedderSettings
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import join
from embedder.training.base_model import Base, open_base
from embedder.training.comparison import Looked, Stage, compare
from embedder.training.ends import rehearse, tune_ends
from embedder.training.heads.attribute_fit import fit_attributes
from embedder.training.heads.picture_head import with_picture_weights
from embedder.training.instance.part import InstancePart, make_instance_part
from embedder.training.pictures.gathering import Gathered, Gatherer
from embedder.training.proposal import with_model
from embedder.training.settings import What
from embedder.training.split_products import SplitCatalog, TrainRequest, load_everything, split_products

_log = logging.getLogger(__name__)

LEAST_STEPS = 20
"""Of the towers' tuning, where it was not asked for: fewer are worth less than projections trained to the end."""

TOWERS_FROM_S = 300.0
"""A budget from which on the towers themselves are tuned where nothing else is asked for, seconds."""


def train(request: TrainRequest, config: EmbedderSettings) -> bundle.BundleInfo:
    """Fine-tune a model, solve for its instance part, and write its bundle.

    Raises:
        CatalogError, ModelError, BundleError, TrainingError: see `embedder.errors`. `TrainingLost` comes after a bundle
            was written whose towers are the base's.
    """
    started = time.monotonic()
    what, why = choose_what(config.tune.what, request.budget_s)
    _log.info("what is tuned: %s (%s)", what, why)
    everything = load_everything(request, config)
    request = with_model(request, config, everything, what)
    if what in ("lora", "full"):
        from embedder.training.tower_run import train_towers

        is_free = config.tune.what == "auto"
        try:
            return train_towers(request, config, what, everything, started, LEAST_STEPS if is_free else 1)
        except BudgetTooShort as error:
            if not is_free:
                raise
            _log.warning("%s. The projections are tuned instead", error)
            what = "projection"
    catalog = split_products(request, config, everything)
    base = open_base(request, config, catalog)
    with ProgressReport(_log) as progress:
        gathered = Gatherer(base.encoder, config, progress, catalog.left_s).gather(catalog.training, catalog.validation)
        check_pictures(gathered)
        tuned, metrics, tuning = base.stage, dict[str, float](), dict[str, Any](what=what)
        if request.budget_s != 0:
            head_only = what == "heads"
            rehearsal = None if head_only else rehearse(base, request, config, progress)
            tuned, metrics, share = tune_ends(progress, base, gathered, config, rehearsal, head_only=head_only)
            tuning |= {"kept_share": share}
    return finish(request, config, catalog, base, gathered, tuned, metrics, tuning)


def choose_what(asked: What, budget_s: float | None) -> tuple[What, str]:
    """What is tuned, and why.

    Raises:
        SettingsError: the towers are to be tuned in no time.
    """
    if asked in ("lora", "full") and budget_s == 0:
        raise SettingsError(
            f"budget 0 with --tune {asked}; permitted: more than 0, or none; with 0 nothing is tuned, and the instance "
            "part is solved in closed form"
        )
    if asked != "auto":
        return asked, "as asked"
    if budget_s is None:
        return "projection", "no budget is given; --tune full, or a --budget of 5m or more, tunes the towers too"
    if budget_s >= TOWERS_FROM_S:
        return "full", f"a budget of {budget_s:.0f} s is enough to tune the towers"
    return "projection", f"a budget of {budget_s:.0f} s is short for tuning the towers, which 5m or more are enough for"


def finish(
    request: TrainRequest,
    config: EmbedderSettings,
    catalog: SplitCatalog,
    base: Base,
    gathered: Gathered,
    tuned: Stage,
    metrics: dict[str, float],
    tuning: Mapping[str, Any],
    report: Mapping[str, str | bytes] | None = None,
    learnt: Sequence[str] = (),
) -> bundle.BundleInfo:
    """Solve for the instance part behind the base's towers, compare, and write the bundle.

    Args:
        gathered: by the base's towers.
        tuned: projections and head.
        metrics: figures on the validation products.
        tuning: what the bundle says of how it was tuned.
        report: further files.
        learnt: ids of products that were trained on beside the gathered ones.
    """
    part = make_instance_part(gathered, tuned.image, base.encoder.info.level_widths, config.instance)
    after = replace(tuned, part=part)
    if after.head is not None:
        after = replace(after, head=with_picture_weights(after.head, after.image, part, gathered))
    fitted = fit_attributes(base.encoder, after, gathered, config.attributes, config.seed)
    compared = compare(Looked(base.encoder, base.stage, gathered), Looked(base.encoder, after, gathered))
    described = describe(request, config, catalog, base.encoder, gathered, part)
    described |= {"tuning": dict(tuning), "compared": compared.to_dict(), "attributes": fitted.described}
    metrics = metrics | dict(compared.after)
    trained = load_folder(base.folder, base.encoder.info.base)
    join(trained, "image", after.image)
    join(trained, "text", after.text)
    return write_bundle(
        trained,
        request.out,
        head=after.head,
        instance=None if part is None else part.instance,
        space=None if part is None else part.space,
        base=base.folder,
        training=described,
        data_hash=data_hash(gathered.training.products),
        metrics=metrics,
        report={**(report or {}), "training.json": json.dumps({**described, "metrics": metrics}, indent=1) + "\n"},
        seen=SeenProducts.of([*gathered.training.product_ids, *learnt]).and_of(base.encoder.seen),
        attributes=fitted.attributes,
    )


def check_pictures(gathered: Gathered) -> None:
    """Refuse a catalog of whose training products no picture can be read."""
    if not gathered.training.shots:
        found = gathered.rejected
        example = f", such as {found[0].product_id!r}: {found[0].detail}" if found else ""
        raise TrainingError(
            f"0 training products with readable pictures ({len(found)} rejected{example}); permitted: 2 or more; next "
            "step: look at the catalog's pictures"
        )


def describe(
    request: TrainRequest,
    config: EmbedderSettings,
    catalog: SplitCatalog,
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
        "model_reason": request.model_reason,
        "training_products": len(gathered.training.shots),
        "validation_products": len(gathered.validation.shots),
        "rejected": len(rejections),
        "rejected_reasons": dict(Counter(rejection.reason for rejection in rejections).most_common()),
        "image_size": side,
        "image_size_reason": request.image_size_reason or why_image_size(request.model, request.image_size, side),
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
