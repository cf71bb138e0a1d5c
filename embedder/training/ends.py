"""Training what lies behind frozen towers: projections and category head, on features that were gathered."""

from __future__ import annotations

from dataclasses import replace

from embedder.encoder import Encoder
from embedder.progress import ProgressReport
from embedder.recognition.head import CategoryHead
from embedder.settings import EmbedderSettings
from embedder.training.base_model import Base
from embedder.training.comparison import Stage
from embedder.training.guard.ends import choose_ends
from embedder.training.heads.captions import Captions
from embedder.training.heads.examples import Dataset, Examples
from embedder.training.heads.loop import calibrated_head, fine_tune
from embedder.training.heads.losses import NO_CATEGORY
from embedder.training.heads.names import name_embeddings, with_names
from embedder.training.instance.part import embed
from embedder.training.pictures.gathering import Gathered
from embedder.training.pictures.rehearsal import Rehearsal, load_rehearsal
from embedder.training.retention.parts import is_studios_own
from embedder.training.split_products import TrainRequest

_REHEARSING = 0.1
"""Share of a budget for looking at what is rehearsed."""


def rehearse(
    base: Base, request: TrainRequest, config: EmbedderSettings, progress: ProgressReport, *, towers: bool = False
) -> Rehearsal | None:
    """What the base sees in pictures of other kinds, where training is to hold on to that.

    Args:
        base: asked.
        request: of the catalog: nothing of the studio is rehearsed where that is the studio's own; and of the budget.
        config: how many, and whether they are wanted.
        progress: shows a step of its own.
        towers: whether these are tuned too.
    """
    tuned = towers and bool(config.tune.rehearsal_weight and config.tune.rehearsed)
    count = config.train.rehearsal if tuned or config.train.rehearsal_weight else 0
    budget_s = None if request.budget_s is None else _REHEARSING * request.budget_s
    with_studio = not is_studios_own(request.catalog)
    return load_rehearsal(base.encoder, base.projections[0], count, with_studio, config, progress, budget_s)


def tune_ends(
    progress: ProgressReport,
    base: Base,
    gathered: Gathered,
    config: EmbedderSettings,
    rehearsal: Rehearsal | None,
    head_only: bool = False,
) -> tuple[Stage, dict[str, float], float]:
    """Train projections and head on features that were gathered.

    Args:
        rehearsal: what the base sees in pictures of other kinds.
        head_only: the projections stay as they are.

    Returns:
        What is kept, figures on the validation products, and the share of the trained projections that is kept.
    """
    step = progress.step("training", config.train.epochs)

    def on_epoch(epoch: int, figures: dict[str, float]) -> None:
        accuracy = figures.get("validation_accuracy")
        step.update(note=f"loss {figures['train_loss']:.2f}" if accuracy is None else f"accuracy {accuracy:.4f}")
        step.advance()

    tuned = fine_tune(
        base.encoder,
        base.projections,
        Examples(gathered.training.products, gathered.training.values),
        Examples(gathered.validation.products, gathered.validation.values),
        config.train,
        config.seed,
        on_epoch,
        rehearsal=rehearsal,
        head_only=head_only,
    )
    stage = Stage(tuned.image, tuned.text, tuned.head)
    if head_only:
        if stage.head is not None:
            stage = replace(stage, head=recalibrated(stage, base.encoder, gathered, config))
        return stage, tuned.metrics, 0.0
    mixed, share = choose_ends(base.encoder, base.projections, stage, gathered, config.tune.scored)
    if mixed.head is not None:
        mixed = replace(mixed, head=recalibrated(mixed, base.encoder, gathered, config))
    return mixed, tuned.metrics, share


def recalibrated(stage: Stage, encoder: Encoder, gathered: Gathered, config: EmbedderSettings) -> CategoryHead:
    """A stage's category head with the categories' names in it, and with temperatures for its projections; how much of
    the names, and which temperatures, is fitted on the validation products.
    """
    assert stage.head is not None
    products = gathered.validation.products
    if not len(products):
        return stage.head
    held_out = Dataset(
        Examples(products, gathered.validation.values), Captions(encoder, products), stage.head.categories
    )
    known = held_out.labels != NO_CATEGORY
    head = with_names(
        stage.head,
        name_embeddings(encoder, stage.text, stage.head.categories),
        embed(stage.image, gathered.validation)[known.numpy()],
        held_out.labels[known].numpy(),
    )
    return calibrated_head(
        head.categories,
        head.weight,
        head.bias,
        (stage.image, stage.text),
        held_out,
        config.train.wording_cosine,
        config.seed,
    )
