"""From a base model and a start to tuned weights: what the loop needs is put together here, and planned."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.encoder import Encoder
from embedder.inputs.pixels import PixelReader, map_ahead
from embedder.inputs.preprocess import Preprocessing
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings
from embedder.towers.dual_encoder import DualEncoder, load_folder
from embedder.towers.projection import Projection, split
from embedder.training.heads.attribute_labels import choose_attributes
from embedder.training.heads.captions import Captions, text_features
from embedder.training.pictures.rehearsal import rehearsal_shots
from embedder.training.pictures.shots import Shot
from embedder.training.settings import TuneSettings
from embedder.training.tuning.batches import Batches
from embedder.training.tuning.loop import Learning, Tuned, Tuner, Watcher
from embedder.training.tuning.model import TunableModel
from embedder.training.tuning.objective import Objective, Teacher
from embedder.training.tuning.pixel_cache import PixelCache
from embedder.training.tuning.plan import Costs, TuningPlan, make_plan, smaller_side
from embedder.training.tuning.processes import Processes
from embedder.training.tuning.start import TuningStart
from embedder.training.tuning.validation import FEWEST_ASKED, Validation, pictures_for, score_of

_log = logging.getLogger(__name__)

PLAN = "plan.json"
BOARD = "tensorboard"

_LONG_S = 900.0
_CHECKED = ((0.5,), (0.25, 0.5, 0.75))
"""After which shares of the steps a short and a long run is measured on the way."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What a tuning is watched on: see `Validation`."""

    products: Sequence[Product]
    pairs: Sequence[Shot]


@dataclass(frozen=True, slots=True, eq=False)
class TunedTowers:
    """A model after tuning, before anything is chosen.

    Attributes:
        model: holds the tuned weights.
        base, tuned: all values before and after, by name; the base with its own projections.
        plan: what was done.
        run: what the loop says of itself.
        validation: measures any weights.
        tuner: estimates statistics of BatchNorm for any weights.
    """

    model: TunableModel
    base: Mapping[str, torch.Tensor]
    tuned: Mapping[str, torch.Tensor]
    plan: TuningPlan
    run: Tuned
    validation: Validation
    tuner: Tuner


def tune_towers(
    folder: Path,
    encoder: Encoder,
    start: TuningStart,
    products: Sequence[Product],
    held_out: HeldOut,
    config: EmbedderSettings,
    processes: Processes,
    work: Path,
    progress: ProgressReport,
    least_steps: int = 1,
) -> TunedTowers:
    """Tune, from the last checkpoint where there is one.

    Args:
        folder: the base's bundle.
        encoder: the base, which computes features of captions.
        start: what to start from.
        products: the training products, in the start's order.
        held_out: what it is watched on.
        config: `tune` says how.
        processes: who takes part.
        work: where plan and checkpoints are kept.
        progress: shows a step of its own.
        least_steps: fewer are not worth it.

    Raises:
        BudgetTooShort: there is no time for that many.
        TrainingError, TrainingStopped: see `Tuner.run`.
    """
    dual = load_folder(folder, encoder.info.base)
    raw_image, raw_text = _raw_projections(folder)
    attributes = choose_attributes(products, config.attributes.leave_out)[0] if config.tune.attribute_weight else ()
    sizes = [len(labels.values) for labels in attributes]
    model = TunableModel(dual, start.ends, config.tune.batch_norm == "folded", sizes)
    base = {**model.state(), **_named("image", raw_image), **_named("text", raw_text)}
    reader = PixelReader(encoder.preprocessing, config.picture_limits())
    side = encoder.preprocessing.size[0]
    settings = config.tune
    # Computed afresh, in this order: in other batches the last digits differ, and a resumed run with them.
    captions = Captions(encoder, products, remember=False)
    pixels = PixelCache(reader, side, settings.pixel_cache_mb * 2**20)
    learning = Learning(
        batches=Batches(
            products,
            start.categories,
            captions,
            pixels,
            settings,
            config.train.wording_cosine,
            config.seed,
            attributes,
        ),
        objective=Objective(settings, _teacher(start, captions, raw_text, processes.device)),
        rehearsal=_rehearsal_pixels(start, encoder.preprocessing, config),
        tokens=torch.from_numpy(encoder.tokenize(captions.texts).ids) if settings.text_tower else None,
        mean=encoder.preprocessing.mean,
        deviation=encoder.preprocessing.std,
        settings=settings,
        seed=config.seed,
        decode_threads=config.decode_threads,
    )
    tuner = Tuner(model, learning, processes)
    plan = _planned(work, tuner, dual, side, start, config, processes, pixels, products, least_steps)
    validation = open_validation(encoder, start, products, held_out, config, pictures_for(start.budget_s))
    run = tuner.run(plan, work, _watcher(progress, plan, validation, work, processes))
    tuner.finish()
    # It may have become shorter on the way.
    return TunedTowers(model, base, model.state(), _written_plan(work), run, validation, tuner)


def open_validation(
    encoder: Encoder,
    start: TuningStart,
    products: Sequence[Product],
    held_out: HeldOut,
    config: EmbedderSettings,
    most: int,
    fewest: int = FEWEST_ASKED,
) -> Validation:
    """Read what a model that is tuned is scored on; `most` and `fewest` as `Validation` takes them."""
    return Validation(
        held_out.products,
        products,
        held_out.pairs,
        start.categories,
        title_inputs(encoder, held_out.products, config.tune.text_tower),
        PixelCache(PixelReader(encoder.preprocessing, config.picture_limits()), encoder.preprocessing.size[0], 0),
        encoder.preprocessing.mean,
        encoder.preprocessing.std,
        config.decode_threads,
        most,
        fewest,
        config.tune.scored,
    )


def _raw_projections(folder: Path) -> tuple[Projection, Projection]:
    model = load_folder(folder)
    return split(model, "image")[1], split(model, "text")[1]


def _named(end: str, projection: Projection) -> dict[str, torch.Tensor]:
    named = {f"{end}.weight": projection.weight.clone()}
    return named if projection.bias is None else named | {f"{end}.bias": projection.bias.clone()}


def _teacher(start: TuningStart, captions: Captions, raw_text: Projection, device: torch.device) -> Teacher:
    words = functional.normalize(raw_text(captions.generic), dim=1)
    return Teacher(
        start.teacher.to(device),
        words.to(device),
        captions.generic.to(device),
        start.ends.image.weight.to(device),
        start.ends.text.weight.to(device),
        None if start.rehearsal is None else start.rehearsal.to(device),
    )


def _rehearsal_pixels(
    start: TuningStart, preprocessing: Preprocessing, config: EmbedderSettings
) -> torch.Tensor | None:
    if start.rehearsal is None:
        return None
    # As `load_rehearsal` read them: a limit of the catalog's pictures is not for these.
    pixels = PixelCache(PixelReader(preprocessing), preprocessing.size[0], 0)
    shots = rehearsal_shots(len(start.rehearsal), start.rehearses_studio)
    read = [found for found in map_ahead(pixels.get, shots, config.decode_threads, 64) if found is not None]
    return torch.from_numpy(np.stack(read))


def title_inputs(encoder: Encoder, products: Sequence[Product], with_tower: bool) -> tuple[Sequence[str], torch.Tensor]:
    """The products' distinct titles, and the text tower's features of them; their tokens where the tower is tuned."""
    titles = sorted({title for product in products if (title := title_of(product))})
    if not titles:
        return (), torch.empty(0, 1)
    if with_tower:
        return titles, torch.from_numpy(encoder.tokenize(titles).ids)
    return titles, torch.from_numpy(text_features(encoder, titles))


def _planned(
    work: Path,
    tuner: Tuner,
    dual: DualEncoder,
    side: int,
    start: TuningStart,
    config: EmbedderSettings,
    processes: Processes,
    pixels: PixelCache,
    products: Sequence[Product],
    least_steps: int,
) -> TuningPlan:
    """The plan as it is written down; one that was written before holds."""
    path, settings = work / PLAN, config.tune
    written = path.exists()
    # All look before one writes.
    processes.wait()
    if not written:
        smaller = smaller_side(side, dual.takes_any_size)
        share = settings.smaller_first if smaller < side else 0.0
        # Of several processes the first one's plan holds; what the others measure only keeps step with it.
        plan = make_plan(
            (smaller, side),
            (share, 1 - share),
            None if start.budget_s is None else _costs(tuner, settings, pixels, products),
            start.budget_s,
            products=len(products),
            batch_products=min(settings.products, len(products)),
            pictures=settings.pictures,
            most_passes=settings.most_passes(start.budget_s is not None),
            least_steps=least_steps if processes.is_first else 0,
        )
        if processes.is_first:
            _write_plan(work, plan)
    processes.wait()
    return _written_plan(work)


def _written_plan(work: Path) -> TuningPlan:
    return TuningPlan.from_json((work / PLAN).read_text(encoding="utf-8"))


def _write_plan(work: Path, plan: TuningPlan) -> None:
    temporary = (work / PLAN).with_suffix(".new")
    temporary.write_text(plan.to_json(), encoding="utf-8")
    temporary.replace(work / PLAN)


def _costs(tuner: Tuner, settings: TuneSettings, pixels: PixelCache, products: Sequence[Product]) -> Costs:
    views = settings.views if settings.view_share else 0
    further = sum(len(product.pictures) - 1 for product in products) if settings.view_share else 0
    distinct = len(products) * (views + (settings.view_share < 1)) + further
    # What does not fit into the cache is drawn again each time.
    return Costs(tuner.measure, tuner.measure_drawing(), distinct if distinct <= pixels.most else 2**62)


def _watcher(
    progress: ProgressReport, plan: TuningPlan, validation: Validation, work: Path, processes: Processes
) -> Watcher:
    """Bar or lines, and a TensorBoard log."""
    if not processes.is_first:
        return Watcher()
    from torch.utils.tensorboard import SummaryWriter

    _log.info(
        "tuning: %d steps of %d pictures (%s), about %.1f passes; TensorBoard log in %s",
        plan.steps,
        plan.batch,
        ", ".join(f"{stage.steps} at {stage.side} px" for stage in plan.stages),
        plan.passes,
        work / BOARD,
    )
    writer = SummaryWriter(str(work / BOARD))
    step_shown = progress.step("tuning", plan.steps)
    latest: dict[str, float] = {}
    total = plan.steps

    def on_step(step: int, parts: dict[str, float]) -> None:
        for name, value in parts.items():
            writer.add_scalar(f"loss/{name}", value, step)
        shown = f"loss {parts['loss']:.2f}" + (f", score {latest['score']:.3f}" if "score" in latest else "")
        step_shown.update(note=shown)
        step_shown.advance(step - step_shown.done)
        if step == total:
            writer.close()

    def on_check(step: int, model: TunableModel) -> dict[str, float]:
        figures = validation.measure(model)
        for name, value in figures.items():
            writer.add_scalar(f"validation/{name}", value, step)
        writer.flush()
        latest.update(figures)
        return figures

    def on_plan(shorter: TuningPlan) -> None:
        nonlocal total
        total = shorter.steps
        _write_plan(work, shorter)
        step_shown.update(total=total)

    checked = _CHECKED[plan.expected_s > _LONG_S]
    return Watcher(on_step, None if validation.is_too_small else on_check, checked, on_plan)


def what_more_time_would_bring(checks: Sequence[Mapping[str, float]]) -> str:
    """A sentence from the scores on the way: what the last doubling of the time brought bounds the next one."""
    if len(checks) < 2 or "score" not in checks[-1]:
        return "what more time would bring is not known: there are too few held-out products to tell by"
    half = min(checks, key=lambda check: abs(check["step"] - checks[-1]["step"] / 2))
    gained = score_of(checks[-1]) - score_of(half)
    if gained <= 0.002:
        return f"the second half of the steps brought {gained:+.3f} of the score: more time would likely bring nothing"
    return (
        f"the second half of the steps brought {gained:+.3f} of the score: twice the time would likely bring up to "
        f"{gained:.3f} more"
    )
