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

import torch

from embedder import bundle
from embedder.catalogs.captions import title_of
from embedder.catalogs.loading import Catalog, data_hash
from embedder.encoder import open_encoder
from embedder.errors import BudgetTooShort, TrainingLost
from embedder.export.onnx import write_bundle
from embedder.progress import ProgressReport
from embedder.recognition.head import CategoryHead
from embedder.seen_products import SeenProducts
from embedder.settings import EmbedderSettings
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import has_projection
from embedder.training.base_model import Base, open_base, own_projections
from embedder.training.comparison import Looked, Stage, compare
from embedder.training.ends import recalibrated, rehearse, tune_ends
from embedder.training.guard.report import PLOT, TABLE, sweep_plot, sweep_table
from embedder.training.guard.retained import Retained
from embedder.training.guard.shares import layer_depths
from embedder.training.guard.sweep import Frozen, Sweep, sweep
from embedder.training.heads.attribute_fit import fit_attributes
from embedder.training.heads.picture_head import with_picture_weights
from embedder.training.instance.part import make_instance_part
from embedder.training.pictures.features import Pace
from embedder.training.pictures.gathering import Gathered, Gatherer
from embedder.training.run import check_pictures, describe, finish
from embedder.training.settings import What
from embedder.training.split_products import SplitCatalog, TrainRequest
from embedder.training.tower_budget import GATHERING, LEAST_LOOKING_S, MEASUREMENTS, closing_s
from embedder.training.tower_start import build_start, held_out_of, identify, split_as_begun
from embedder.training.tuning.augmentation import trained_kinds
from embedder.training.tuning.model import TunableModel
from embedder.training.tuning.processes import Processes
from embedder.training.tuning.stage import BOARD, HeldOut, TunedTowers, tune_towers, what_more_time_would_bring
from embedder.training.tuning.start import TuningStart
from embedder.training.tuning.validation import pictures_for, score_of
from embedder.training.tuning.work_folder import owned, remove, work_folder

_log = logging.getLogger(__name__)


def train_towers(
    request: TrainRequest,
    config: EmbedderSettings,
    what: What,
    everything: Catalog,
    started: float,
    least_steps: int = 1,
) -> bundle.BundleInfo:
    """Tune the towers and write the bundle; the same command goes on where an earlier one was stopped.

    Of several processes the first does all that is done once; the others take part in the steps.

    Args:
        request: what to train; its model is named.
        config: how.
        what: is tuned, "lora" or "full".
        everything: the catalog.
        started: when the training began, on the monotonic clock; its budget counts from there.
        least_steps: fewer are not worth it.

    Raises:
        BudgetTooShort: there is no time for that many steps.
        TrainingLost: no tuned model may be kept; a bundle with the base's towers was written.
        TrainingStopped: by a signal; a checkpoint is there.
    """
    config = config.model_copy(update={"tune": replace(config.tune, what=what)})
    processes = Processes(config.device)
    work = work_folder(config.cache_dir, identify(request, config, everything))
    if not processes.is_first:
        return _take_part(request, config, everything, processes, work, least_steps)
    try:
        with owned(work), ProgressReport(_log) as progress:
            run = _Run(request, config, everything, processes, work, progress, started)
            info, swept = run.train(least_steps)
            processes.wait()
    except BudgetTooShort:
        remove(work)
        raise
    remove(work)
    if swept.kept is None:
        raise TrainingLost(_why_lost(request, swept))
    return info


class _Run:
    """What the first process does, step by step."""

    def __init__(
        self,
        request: TrainRequest,
        config: EmbedderSettings,
        everything: Catalog,
        processes: Processes,
        work: Path,
        progress: ProgressReport,
        started: float,
    ) -> None:
        self._request = request
        self._config = config
        self._everything = everything
        self._processes = processes
        self._work = work
        self._progress = progress
        self._started = started

    def train(self, least_steps: int) -> tuple[bundle.BundleInfo, Sweep]:
        """See `train_towers`."""
        request, config, work, progress = self._request, self._config, self._work, self._progress
        start = TuningStart.load(work)
        catalog = split_as_begun(request, config, self._everything, start)
        base = open_base(request, config, catalog)
        gatherer = Gatherer(base.encoder, config, progress, _share(catalog.left_s, GATHERING))
        gathered = gatherer.gather(catalog.training, catalog.validation)
        check_pictures(gathered)
        if start is None:
            rehearsal = rehearse(base, request, config, progress, towers=True)
            ends, _, _ = tune_ends(progress, base, gathered, config, rehearsal)
            left_s = self._left(gathered, gatherer.pace)
            start = build_start(base, ends, gathered, rehearsal, catalog, config, left_s)
            start.save(work)
        self._processes.wait()
        products = start.chosen(self._everything.products)
        held_out = held_out_of(start, self._everything, config)
        towers = tune_towers(
            base.folder, base.encoder, start, products, held_out, config, self._processes, work, progress, least_steps
        )
        swept = self._guard(towers, start, base)
        tuning = _describe_tuning(config, towers, swept, base)
        report: dict[str, str | bytes] = {TABLE: sweep_table(swept), PLOT: sweep_plot(swept)}
        # By other names: their own hold this machine's.
        boards = sorted((work / BOARD).glob("events*"))
        report |= {f"events.out.tfevents.{number}": path.read_bytes() for number, path in enumerate(boards)}
        if swept.kept is None:
            info = self._keep_base(catalog, base, gathered, start, swept, tuning, report)
        else:
            info = self._write(catalog, base, gathered, towers, start, tuning, report)
        _log.info("trained on %d products in %.0f s", len(products), time.monotonic() - self._started)
        return info, swept

    def _left(self, gathered: Gathered, pace: Pace) -> float | None:
        """Seconds for the steps: what the budget has left, without what comes after them.

        The same pictures are looked at again afterwards, and what they took tells what they will take.
        """
        budget_s = self._request.budget_s
        if budget_s is None:
            return None
        again = (gathered.sample, gathered.pairs, gathered.validation, gathered.validation_pairs)
        afterwards_s = closing_s(budget_s, sum(len(seen.shots) for seen in again), pace)
        return max(0.0, budget_s - afterwards_s - (time.monotonic() - self._started))

    def _guard(self, towers: TunedTowers, start: TuningStart, base: Base) -> Sweep:
        """Sweep between base and tuned weights: on held-out products of the catalog, and on things of other kinds."""
        config, products = self._config, self._everything.products
        # Where whatever is lost is accepted, it is not measured either.
        retained = None
        if config.tune.tolerance < 1:
            retained = Retained(
                base.encoder,
                config.tune.text_tower,
                pictures=pictures_for(start.budget_s),
                catalog=self._request.catalog,
                sold={title_of(product) for product in products}
                | {product.category for product in products if product.category},
            )
        step = self._progress.step("guard", MEASUREMENTS)

        def load(state: Mapping[str, torch.Tensor], tuned_too: bool) -> None:
            towers.model.load(state)
            # The base has statistics of its own, and is what others are compared with.
            if tuned_too:
                towers.tuner.estimate_statistics()

        def measured_retention() -> Mapping[str, float]:
            return {} if retained is None else retained.measure(towers.model)

        with_ends = {**towers.base, **start.named_ends()}
        load(with_ends, False)
        words = {name: value for name, value in with_ends.items() if name.startswith("text.")}
        frozen = Frozen(
            {**towers.base, **words}, score_of(towers.validation.measure(towers.model)), measured_retention()
        )
        step.advance()
        return sweep(
            load,
            towers.base,
            towers.tuned,
            frozen=frozen,
            in_domain=lambda: towers.validation.measure(towers.model),
            retention=measured_retention,
            lost=lambda before, after: 0.0 if retained is None else retained.lost(before, after),
            tolerance=config.tune.tolerance,
            depths=layer_depths(towers.model),
            on_progress=step.advance,
        )

    def _write(
        self,
        catalog: SplitCatalog,
        base: Base,
        gathered: Gathered,
        towers: TunedTowers,
        start: TuningStart,
        tuning: Mapping[str, Any],
        report: Mapping[str, str | bytes],
    ) -> bundle.BundleInfo:
        """Look at the pictures with the tuned towers, and write what lies behind them anew."""
        request, config = self._request, self._config
        tuned = _open_tuned(towers.model, base, self._work, config)
        left_s = None
        if request.budget_s is not None:
            left_s = max(LEAST_LOOKING_S, request.budget_s - (time.monotonic() - self._started))
        try:
            seen = Gatherer(tuned.encoder, config, self._progress, left_s).gather(
                catalog.training[: config.instance.products], catalog.validation
            )
        finally:
            # No other model meets these.
            shutil.rmtree(config.cache_dir / "features" / tuned.encoder.info.fingerprint[:16], ignore_errors=True)
        model = towers.model
        # Where the projection went into the tower, the trained map is of other levels.
        trained = model.instance_map() if has_projection(load_folder(tuned.folder), "image") else None
        part = make_instance_part(seen, tuned.projections[0], tuned.encoder.info.level_widths, config.instance, trained)
        after = Stage(*tuned.projections, None, part)
        if start.categories:
            weight, bias = (value.detach().cpu().numpy().copy() for value in (model.head.weight, model.head.bias))
            after = replace(after, head=CategoryHead(start.categories, weight, bias, {"image": 1.0, "text": 1.0}))
            head = recalibrated(after, tuned.encoder, seen, config)
            after = replace(after, head=with_picture_weights(head, after.image, part, seen))
        fitted = fit_attributes(tuned.encoder, after, seen, config.attributes, config.seed)
        compared = compare(Looked(base.encoder, base.stage, gathered), Looked(tuned.encoder, after, seen))
        described = describe(request, config, catalog, base.encoder, gathered, part)
        described |= {
            "training_products": len(start.products),
            "tuning": dict(tuning),
            "compared": compared.to_dict(),
            "attributes": fitted.described,
        }
        metrics = dict(compared.after)
        return write_bundle(
            load_folder(tuned.folder, base.encoder.info.base),
            request.out,
            head=after.head,
            instance=None if part is None else part.instance,
            space=None if part is None else part.space,
            base=tuned.folder,
            training=described,
            data_hash=data_hash(start.chosen(self._everything.products)),
            metrics=metrics,
            report={**report, "training.json": json.dumps({**described, "metrics": metrics}, indent=1) + "\n"},
            # What lies behind the towers may have been fitted on others than the steps were taken on.
            seen=SeenProducts.of([*start.products, *gathered.training.product_ids, *seen.training.product_ids]).and_of(
                base.encoder.seen
            ),
            attributes=fitted.attributes,
        )

    def _keep_base(
        self,
        catalog: SplitCatalog,
        base: Base,
        gathered: Gathered,
        start: TuningStart,
        swept: Sweep,
        tuning: Mapping[str, Any],
        report: Mapping[str, str | bytes],
    ) -> bundle.BundleInfo:
        """The base's towers, with trained projections where these may be kept, else with its own and a head."""
        request, config = self._request, self._config
        if not swept.frozen_is_kept:
            ends, metrics, _ = tune_ends(self._progress, base, gathered, config, None, head_only=True)
            return finish(request, config, catalog, base, gathered, ends, metrics, tuning, report, start.products)
        weight, bias = (value.numpy() for value in start.ends.head)
        ends = Stage(start.ends.image, start.ends.text)
        if start.categories:
            ends = replace(ends, head=CategoryHead(start.categories, weight, bias, {"image": 1.0, "text": 1.0}))
            ends = replace(ends, head=recalibrated(ends, base.encoder, gathered, config))
        return finish(request, config, catalog, base, gathered, ends, {}, tuning, report, start.products)


def _why_lost(request: TrainRequest, swept: Sweep) -> str:
    reasons = "; ".join(f"{item.shares.label}: {item.refused}" for item in swept.mixtures[1:])
    kept = "trained projections" if swept.frozen_is_kept else "the base's projections"
    return (
        f"no tuned model may be kept, so the bundle {request.out} has the base's towers, {kept}, and a head and an "
        f"instance part of its own. Shares of the tuned weights and why not: {reasons}; next step: a lower "
        "tune.learning_rate, a higher tune.rehearsal_weight, or --tune projection"
    )


def _take_part(
    request: TrainRequest,
    config: EmbedderSettings,
    everything: Catalog,
    processes: Processes,
    work: Path,
    least_steps: int,
) -> bundle.BundleInfo:
    """What every process but the first does."""
    processes.wait()
    start = TuningStart.load(work)
    assert start is not None
    products = start.chosen(everything.products)
    catalog = split_as_begun(request, config, everything, start)
    base = open_base(request, config, catalog)
    with ProgressReport(_log) as progress:
        tune_towers(
            base.folder,
            base.encoder,
            start,
            products,
            HeldOut((), ()),
            config,
            processes,
            work,
            progress,
            least_steps,
        )
    processes.wait()
    return bundle.load_info(request.out)


def _share(left_s: float | None, share: float) -> float | None:
    return None if left_s is None else left_s * share


def _open_tuned(model: TunableModel, base: Base, work: Path, config: EmbedderSettings) -> Base:
    """Export the tuned towers as a bundle of their own, from which all features are computed."""
    whole = load_folder(base.folder, base.encoder.info.base)
    model.write_to(whole)
    folder = work / "tuned"
    write_bundle(whole, folder)
    encoder = open_encoder(folder, threads=config.threads, device=config.device)
    # Of a tower that has no projection to take out, the trained one went into its last layer: then it is the identity.
    projections = own_projections(folder)
    return Base(folder, encoder, projections, Stage(*projections))


def _describe_tuning(config: EmbedderSettings, towers: TunedTowers, swept: Sweep, base: Base) -> dict[str, Any]:
    """What the bundle says of how it was tuned, JSON-able."""
    checks = [*towers.run.checks, {"step": float(towers.plan.steps), **swept.mixtures[-1].in_domain}]
    shown = set(base.encoder.info.training.get("tuning", {}).get("view_kinds", ()))
    if swept.kept is not None:
        shown |= set(trained_kinds(config.tune))
    return {
        **config.tune.to_dict(),
        "plan": asdict(towers.plan),
        "spent_s": round(towers.run.spent_s, 1),
        "checks": checks,
        "more_time": what_more_time_would_bring(checks),
        "kept_share": None if swept.kept is None else swept.kept.shares.first,
        "frozen_score": swept.frozen_score,
        "frozen_is_kept": swept.frozen_is_kept,
        "sweep": [{**asdict(item), "label": item.shares.label, "kept": item is swept.kept} for item in swept.mixtures],
        "view_kinds": sorted(shown),
    }
