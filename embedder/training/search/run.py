"""`python -m embedder train --search`, without its flags: from a catalog and a base model to settings to train with.

Every trial is a short tuning of the towers from the same start on a sample of the training products. It is scored on
held-out products, none of which is a test product. What a trial forgets of the base is not measured: the training that
follows does, and keeps no more of the tuned weights than it may.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from embedder.catalogs.product import Product
from embedder.encoder import Encoder
from embedder.errors import MissingExtra, SettingsError, TrainingError
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings
from embedder.training.base_model import Base, open_base
from embedder.training.ends import rehearse, tune_ends
from embedder.training.pictures.gathering import Gatherer
from embedder.training.pictures.shots import companions
from embedder.training.proposal import with_model
from embedder.training.run import check_pictures
from embedder.training.search.report import Found, write_settings
from embedder.training.search.space import SPACE, Value, space_for, with_values, within
from embedder.training.split_products import TrainRequest, load_everything, split_products
from embedder.training.tower_start import build_start, identify
from embedder.training.tuning.processes import Processes
from embedder.training.tuning.stage import HeldOut, open_validation, tune_towers
from embedder.training.tuning.start import TuningStart
from embedder.training.tuning.validation import Validation, pictures_for
from embedder.training.tuning.work_folder import owned, work_folder

if TYPE_CHECKING:
    from embedder.training.search.study import Study

_log = logging.getLogger(__name__)

MOST_PRODUCTS = 2_000
"""Training products of a trial, at most: the first of the shuffled order, a fair sample."""

PASSES = 4
"""Over them in each trial, at most, where there is no budget."""

_MOST_HELD_OUT = 500
_FEWEST_PICTURES = 600
"""Held-out products that are looked at; and pictures of them that score a trial, at least: of fewer, chance
would choose the settings."""

_GATHERING, _STEPS = 0.25, 0.7
"""Shares: of the budget, for looking at pictures before the first trial; of a trial's share of what is left then, for
its steps. The rest is for what goes before and after them: reading, timing, scoring."""

_HELD_OUT = "held_out.json"


def search(request: TrainRequest, config: EmbedderSettings, trials: int, settings_file: Path) -> Found:
    """Search for settings, and write those of the best trial into a settings file; no bundle is made.

    The same command goes on with a search that was stopped or killed.

    Args:
        request: what to train; the budget is for the whole search.
        config: what the trials share; the first one has its settings as far as they lie within the searched ranges.
        trials: how many, 1 or more.
        settings_file: what is written.

    Raises:
        SettingsError: something else than the towers is tuned, or there is no time at all.
        MissingExtra: Optuna is not installed.
        TrainingError: there is nothing to score on, or no trial has a score; several processes take part.
        TrainingStopped: by a signal; the trial has a checkpoint.
    """
    _check(request, config)
    try:
        from embedder.training.search.study import Study
    except ImportError as error:
        raise MissingExtra(
            f"a search for settings needs {error.name}, which is not installed; next step: pip install "
            "'merchlens[search]'"
        ) from error
    processes = Processes(config.device)
    if processes.count > 1:
        raise TrainingError(
            f"a search for settings by {processes.count} processes; permitted: 1; next step: the same command without "
            "torchrun or accelerate launch. The training with what was found may have several"
        )
    started = time.monotonic()
    what = "full" if config.tune.what == "auto" else config.tune.what
    config = config.model_copy(update={"tune": replace(config.tune, what=what)})
    whole, request = request, replace(request, max_products=min(request.max_products or MOST_PRODUCTS, MOST_PRODUCTS))
    trial_config = config
    if request.budget_s is None:
        passes = min(config.tune.most_passes(False), PASSES)
        trial_config = config.model_copy(update={"tune": replace(config.tune, passes=passes)})
    everything = load_everything(request, config)
    request = with_model(request, config, everything, what)
    whole = replace(whole, model=request.model)
    described = identify(request, trial_config, everything)
    # With a budget, how many there are says how long each one is; without, a search goes on with a larger number.
    described["search"] = {
        "space": {name: asdict(item) for name, item in SPACE.items()},
        "trials": None if request.budget_s is None else trials,
    }
    folder = config.cache_dir / "tuning-search" / work_folder(config.cache_dir, described).name
    with owned(folder):
        start = TuningStart.load(folder)
        catalog = split_products(request, config, everything, "" if start is None else start.not_compared)
        base = open_base(request, config, catalog)
        if start is None:
            with ProgressReport(_log) as progress:
                budget_s = None if catalog.left_s is None else catalog.left_s * _GATHERING
                gatherer = Gatherer(base.encoder, config, progress, budget_s)
                gathered = gatherer.gather(catalog.training, catalog.validation[:_MOST_HELD_OUT])
                check_pictures(gathered)
                rehearsal = rehearse(base, request, config, progress, towers=True)
                ends, _, _ = tune_ends(progress, base, gathered, config, rehearsal)
            (folder / _HELD_OUT).write_text(json.dumps(gathered.validation.product_ids), encoding="utf-8")
            start = build_start(base, ends, gathered, rehearsal, catalog, config, _each(request, started, trials))
            # Last: where it is, the rest is too.
            start.save(folder)
        products = start.chosen(everything.products)
        by_id = {product.id: product for product in everything.products}
        held_out = [by_id[name] for name in json.loads((folder / _HELD_OUT).read_text(encoding="utf-8"))]
        validation = _validation(base.encoder, start, products, held_out, config)
        space = space_for(len(products))
        given = within(config.tune, space)
        study = Study(folder, space, config.seed, given)
        _announce(study, folder, trials, len(products), start)

        def measure(number: int, values: Mapping[str, Value], work: Path) -> Mapping[str, float]:
            tune = with_values(trial_config.tune, values)
            return _measured(
                base, start, products, validation, config.model_copy(update={"tune": tune}), processes, work
            )

        study.run(trials, measure)
        found = Found(whole, config, given, tuple(study.trials()), study.importances())
    if found.best is None:
        raise TrainingError(
            f"{len(found.trials)} of {len(found.trials)} trials failed, the last one by: {found.trials[-1].reason}; "
            f"nothing is written; next step: look at that, then delete {folder} and search anew"
        )
    write_settings(found, settings_file)
    _log.info("searched for %.0f s; the study is in %s", time.monotonic() - started, folder)
    return found


def _check(request: TrainRequest, config: EmbedderSettings) -> None:
    if config.tune.what not in ("auto", "lora", "full"):
        raise SettingsError(
            f"tune.what {config.tune.what!r} with --search; permitted: full, lora (auto is full here): the settings "
            "that are searched are those of the towers' tuning"
        )
    if request.budget_s is not None and request.budget_s <= 0:
        raise SettingsError("budget 0 with --search; permitted: more than 0, or none")


def _each(request: TrainRequest, started: float, trials: int) -> float | None:
    """Seconds for the steps of one trial."""
    if request.budget_s is None:
        return None
    return max(0.0, request.budget_s - (time.monotonic() - started)) / trials * _STEPS


def _announce(study: Study, folder: Path, trials: int, products: int, start: TuningStart) -> None:
    each = f"{PASSES} passes or fewer" if start.budget_s is None else f"{start.budget_s:.0f} s of steps"
    done = len(study.trials())
    _log.info(
        "search: %d trials%s, each %s over %d products; the study is in %s",
        trials,
        f" ({done} were made before)" if done else "",
        each,
        products,
        folder,
    )


def _validation(
    encoder: Encoder,
    start: TuningStart,
    products: Sequence[Product],
    held_out: Sequence[Product],
    config: EmbedderSettings,
) -> Validation:
    """What all trials are scored on, read once."""
    watched = HeldOut(held_out, companions(held_out, config.instance.pictures, 2 * len(held_out)))
    most = max(_FEWEST_PICTURES, pictures_for(start.budget_s))
    validation = open_validation(encoder, start, products, watched, config, most, fewest=1)
    if validation.is_too_small:
        raise TrainingError(
            f"{len(held_out)} held-out products with readable pictures; permitted: 1 or more, or nothing tells which "
            "settings are better; next step: a larger catalog"
        )
    return validation


def _measured(
    base: Base,
    start: TuningStart,
    products: Sequence[Product],
    validation: Validation,
    config: EmbedderSettings,
    processes: Processes,
    work: Path,
) -> dict[str, float]:
    """Figures of a model that was tuned with a trial's settings."""
    try:
        with ProgressReport(_log) as progress:
            towers = tune_towers(
                base.folder, base.encoder, start, products, HeldOut((), ()), config, processes, work, progress
            )
        towers.tuner.estimate_statistics()
        figures = validation.measure(towers.model)
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"the device has too little memory for {config.tune.products} products in a batch: {error}"
        ) from error
    if "score" not in figures:
        raise TrainingError("held-out products have neither views nor titles nor categories to score by")
    return figures
