"""The training of the towers themselves: ends first, then the towers, the guard, and what lies behind them anew."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from embedder import bundle
from embedder.catalogs.captions import title_of
from embedder.catalogs.loading import Catalog, data_hash
from embedder.encoder import open_encoder
from embedder.errors import TrainingLost
from embedder.export.onnx import write_bundle
from embedder.progress import ProgressReport
from embedder.recognition.head import CategoryHead
from embedder.settings import EmbedderSettings
from embedder.towers.dual_encoder import load_folder
from embedder.training.base import Base, open_base
from embedder.training.comparison import Looked, Stage, compare
from embedder.training.ends import recalibrated, rehearse, tune_ends
from embedder.training.guard.report import PLOT, TABLE, sweep_plot, sweep_table
from embedder.training.guard.retained import Retained
from embedder.training.guard.sweep import SHARES, Sweep, sweep
from embedder.training.instance.part import embed, make_instance_part
from embedder.training.pictures.gathering import Gathered, Gatherer
from embedder.training.pictures.rehearsal import Rehearsal
from embedder.training.run import check_pictures, describe, finish
from embedder.training.settings import What
from embedder.training.split_products import SplitCatalog, TrainRequest, split_products
from embedder.training.tuning.augmentation import trained_kinds
from embedder.training.tuning.model import Ends, TunableModel
from embedder.training.tuning.processes import Processes
from embedder.training.tuning.stage import HeldOut, TunedTowers, tune_towers, what_more_time_would_bring
from embedder.training.tuning.start import TuningStart
from embedder.training.tuning.validation import pictures_for, score_of
from embedder.training.tuning.work_folder import owned, remove, work_folder

_log = logging.getLogger(__name__)

_GATHERING, _CLOSING, _LEAST_CLOSING_S = 0.25, 0.25, 60.0
"""Shares of a budget for looking at pictures before the towers are tuned, and for guard, export and the instance part
after it; and the least seconds of the latter."""


def train_towers(
    request: TrainRequest, config: EmbedderSettings, what: What, everything: Catalog, started: float
) -> bundle.BundleInfo:
    """Tune the towers and write the bundle; the same command goes on where an earlier one was stopped.

    Of several processes the first does all that is done once; the others take part in the steps.

    Args:
        request: what to train; its model is named.
        config: how.
        what: is tuned, "lora" or "full".
        everything: the catalog.
        started: when the training began, on the monotonic clock; its budget counts from there.

    Raises:
        TrainingLost: no tuned model may be kept; a bundle with the base's towers was written.
        TrainingStopped: by a signal; a checkpoint is there.
    """
    config = config.model_copy(update={"tune": replace(config.tune, what=what)})
    processes = Processes(config.device)
    work = work_folder(config.cache_dir, identify(request, config, everything))
    if not processes.is_first:
        return _take_part(request, config, everything, processes, work)
    with owned(work), ProgressReport(_log) as progress:
        start = TuningStart.load(work)
        catalog = split_products(request, config, everything, "" if start is None else start.not_compared)
        base = open_base(request, config, catalog)
        gatherer = Gatherer(base.encoder, config, progress, _share(catalog.left_s, _GATHERING))
        gathered = gatherer.gather(catalog.training, catalog.validation)
        check_pictures(gathered)
        rehearsal = rehearse(base, config, progress, towers=True)
        ends, _, _ = tune_ends(progress, base, gathered, config, rehearsal)
        if start is None:
            start = build_start(base, ends, gathered, rehearsal, catalog, config, _left(request, started))
            start.save(work)
        processes.wait()
        held_out = HeldOut(gathered.validation.products, gathered.validation_pairs.shots)
        products = start.chosen(everything.products)
        towers = tune_towers(base.folder, base.encoder, start, products, held_out, config, processes, work, progress)
        swept = _guard(request, everything, towers, start, base, config, progress)
        tuning = _describe_tuning(config, towers, swept)
        report: dict[str, str | bytes] = {TABLE: sweep_table(swept), PLOT: sweep_plot(swept)}
        if swept.kept is None:
            info = _keep_base(request, config, catalog, base, gathered, progress, tuning, report)
        else:
            tuned = _open_tuned(towers.model, base, work, config)
            try:
                left_s = None if request.budget_s is None else max(10.0, request.budget_s - time.monotonic() + started)
                seen = Gatherer(tuned.encoder, config, progress, left_s).gather(
                    catalog.training[: config.instance.products], catalog.validation
                )
                info = _write(request, config, catalog, base, gathered, tuned, seen, towers, start, tuning, report)
            finally:
                shutil.rmtree(config.cache_dir / "features" / tuned.encoder.info.fingerprint[:16], ignore_errors=True)
        processes.wait()
    remove(work)
    _log.info("trained on %d products in %.0f s", len(products), time.monotonic() - started)
    if swept.kept is None:
        reasons = "; ".join(f"{item.share:.2f}: {item.refused}" for item in swept.mixtures[1:])
        raise TrainingLost(
            f"no tuned model may be kept, so the bundle {request.out} has the towers of {base.encoder.info.base!r} and "
            f"only a head and an instance part of its own. Shares of the tuned weights and why not: {reasons}; next "
            "step: a lower tune.learning_rate, a higher tune.distillation_weight, or --tune projection"
        )
    return info


def identify(request: TrainRequest, config: EmbedderSettings, everything: Catalog) -> dict[str, Any]:
    """What makes a training the same one as another."""
    path = Path(request.model)
    free = {"checkpoint_s": 0.0, "pixel_cache_mb": 0}
    return {
        "catalog": data_hash(everything.products),
        "model": bundle.load_info(path).fingerprint if bundle.is_bundle(path) else request.model,
        "image_size": request.image_size,
        "budget_s": request.budget_s,
        "max_products": request.max_products,
        "train": config.train.to_dict(),
        "tune": config.tune.to_dict() | free,
        "instance": config.instance.to_dict(),
        "seed": config.seed,
    }


def _take_part(
    request: TrainRequest, config: EmbedderSettings, everything: Catalog, processes: Processes, work: Path
) -> bundle.BundleInfo:
    """What every process but the first does."""
    processes.wait()
    start = TuningStart.load(work)
    assert start is not None
    products = start.chosen(everything.products)
    catalog = split_products(request, config, everything, start.not_compared)
    base = open_base(request, config, catalog)
    with ProgressReport(_log) as progress:
        tune_towers(base.folder, base.encoder, start, products, HeldOut((), ()), config, processes, work, progress)
    processes.wait()
    return bundle.load_info(request.out)


def _share(left_s: float | None, share: float) -> float | None:
    return None if left_s is None else left_s * share


def _left(request: TrainRequest, started: float) -> float | None:
    """Seconds for the steps: what the budget has left, without what comes after them."""
    if request.budget_s is None:
        return None
    closing_s = max(_LEAST_CLOSING_S, _CLOSING * request.budget_s)
    return max(0.0, request.budget_s - closing_s - (time.monotonic() - started))


def build_start(
    base: Base,
    ends: Stage,
    gathered: Gathered,
    rehearsal: Rehearsal | None,
    catalog: SplitCatalog,
    config: EmbedderSettings,
    left_s: float | None,
) -> TuningStart:
    """What a tuning starts from: trained ends behind the base's towers, and the instance part in closed form.

    Args:
        left_s: for the steps, seconds; None: there is no budget.
    """
    part = make_instance_part(gathered, ends.image, base.encoder.info.level_widths, config.instance)
    head = ends.head
    dim = len(ends.image.weight)
    weight, bias = (
        (np.zeros((1, dim), np.float32), np.zeros(1, np.float32)) if head is None else (head.weight, head.bias)
    )
    return TuningStart(
        products=gathered.training.product_ids,
        categories=() if head is None else head.categories,
        ends=Ends(
            ends.image,
            ends.text,
            (torch.from_numpy(weight), torch.from_numpy(bias)),
            None if part is None else part.instance,
        ),
        teacher=torch.from_numpy(embed(base.projections[0], gathered.training)),
        rehearsal=rehearsal,
        budget_s=left_s,
        not_compared=catalog.report.not_compared,
    )


def _guard(
    request: TrainRequest,
    everything: Catalog,
    towers: TunedTowers,
    start: TuningStart,
    base: Base,
    config: EmbedderSettings,
    progress: ProgressReport,
) -> Sweep:
    """Sweep between base and tuned weights: on held-out products of the catalog, and on things of other kinds."""
    # Where whatever is lost is accepted, it is not measured either.
    retained = None
    if config.tune.tolerance < 1:
        retained = Retained(
            base.encoder,
            config.tune.text_tower,
            pictures=pictures_for(start.budget_s),
            catalog=request.catalog,
            titles={title_of(product) for product in everything.products},
        )
    step = progress.step("guard", len(SHARES) + 2)
    towers.model.load({**towers.base, **start.named_ends()})
    start_score = score_of(towers.validation.measure(towers.model))
    step.advance()

    def load(state: Mapping[str, torch.Tensor]) -> None:
        towers.model.load(state)
        towers.tuner.estimate_statistics()

    return sweep(
        load,
        towers.base,
        towers.tuned,
        start_score=start_score,
        in_domain=lambda: towers.validation.measure(towers.model),
        retention=lambda: {} if retained is None else retained.measure(towers.model),
        lost=lambda before, after: 0.0 if retained is None else retained.lost(before, after),
        tolerance=config.tune.tolerance,
        on_progress=step.advance,
    )


def _open_tuned(model: TunableModel, base: Base, work: Path, config: EmbedderSettings) -> Base:
    """Export the tuned towers as a bundle of their own, from which all features are computed."""
    whole = load_folder(base.folder, base.encoder.info.base)
    model.write_to(whole)
    folder = work / "tuned"
    write_bundle(whole, folder)
    encoder = open_encoder(folder, threads=config.threads, device=config.device)
    projections = model.projections()
    return Base(folder, encoder, projections, Stage(*projections))


def _write(
    request: TrainRequest,
    config: EmbedderSettings,
    catalog: SplitCatalog,
    base: Base,
    gathered: Gathered,
    tuned: Base,
    seen: Gathered,
    towers: TunedTowers,
    start: TuningStart,
    tuning: Mapping[str, Any],
    report: Mapping[str, str | bytes],
) -> bundle.BundleInfo:
    """Calibrate, choose the instance part and its weight, compare and write."""
    model = towers.model
    part = make_instance_part(
        seen, tuned.projections[0], tuned.encoder.info.level_widths, config.instance, model.instance_map()
    )
    after = Stage(*tuned.projections, None, part)
    if start.categories:
        weight, bias = (value.detach().cpu().numpy().copy() for value in (model.head.weight, model.head.bias))
        after = replace(after, head=CategoryHead(start.categories, weight, bias, {"image": 1.0, "text": 1.0}))
        after = replace(after, head=recalibrated(after, tuned.encoder, seen, config))
    compared = compare(Looked(base.encoder, base.stage, gathered), Looked(tuned.encoder, after, seen))
    described = describe(request, config, catalog, base.encoder, gathered, part)
    described |= {"tuning": dict(tuning), "compared": compared.to_dict()}
    metrics = dict(compared.after)
    return write_bundle(
        load_folder(tuned.folder, base.encoder.info.base),
        request.out,
        head=after.head,
        instance=None if part is None else part.instance,
        space=None if part is None else part.space,
        base=tuned.folder,
        training=described,
        data_hash=data_hash(gathered.training.products),
        metrics=metrics,
        report={**report, "training.json": json.dumps({**described, "metrics": metrics}, indent=1) + "\n"},
    )


def _keep_base(
    request: TrainRequest,
    config: EmbedderSettings,
    catalog: SplitCatalog,
    base: Base,
    gathered: Gathered,
    progress: ProgressReport,
    tuning: Mapping[str, Any],
    report: Mapping[str, str | bytes],
) -> bundle.BundleInfo:
    """The base's towers and projections, with a head and an instance part."""
    ends, metrics, _ = tune_ends(progress, base, gathered, config, None, head_only=True)
    return finish(request, config, catalog, base, gathered, ends, metrics, tuning, report)


def _describe_tuning(config: EmbedderSettings, towers: TunedTowers, swept: Sweep) -> dict[str, Any]:
    """What the bundle says of how it was tuned, JSON-able."""
    checks = [*towers.run.checks, {"step": float(towers.plan.steps), **swept.mixtures[-1].in_domain}]
    return {
        **config.tune.to_dict(),
        "plan": asdict(towers.plan),
        "spent_s": round(towers.run.spent_s, 1),
        "checks": checks,
        "more_time": what_more_time_would_bring(checks),
        "kept_share": swept.kept,
        "start_score": swept.start_score,
        "sweep": [asdict(item) for item in swept.mixtures],
        "view_kinds": list(trained_kinds(config.tune)),
    }
