"""Short fine-tuning: frozen towers, trained projections and category head.

The loop reads top to bottom: features in, two linear maps and a head out. Pictures are pulled to their words
(contrastive loss over the batch, several positives where products share a title), and to their category
(cross-entropy on both modalities); what pulls back is the distance to the projections that the model came with.

A further loss is a function (in `losses`, or a module of its own), an entry in `terms`, and a weight in
`FineTuneSettings`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from embedder.encoder import Encoder
from embedder.errors import TrainingError
from embedder.recognition.calibration import fit_temperature
from embedder.recognition.head import CategoryHead, Modality
from embedder.towers.projection import Projection
from embedder.training.heads.captions import Captions
from embedder.training.heads.examples import Batch, Dataset, Examples
from embedder.training.heads.losses import (
    NO_CATEGORY,
    anchor_loss,
    category_loss,
    contrastive_loss,
    rehearsal_loss,
    spread_of,
)
from embedder.training.heads.trainable import TrainableModel
from embedder.training.pictures.rehearsal import Rehearsal
from embedder.training.settings import FineTuneSettings

_REHEARSED = 64
"""Pictures of other kinds in a step."""


@dataclass(frozen=True, slots=True, eq=False)
class FineTuned:
    """What training leaves: projections to write back, the head, figures on the validation products."""

    image: Projection
    text: Projection
    head: CategoryHead | None
    metrics: dict[str, float]


def fine_tune(
    encoder: Encoder,
    projections: tuple[Projection, Projection],
    training: Examples,
    validation: Examples,
    settings: FineTuneSettings,
    seed: int = 0,
    on_epoch: Callable[[int, dict[str, float]], None] = lambda epoch, figures: None,
    *,
    rehearsal: Rehearsal | None = None,
    head_only: bool = False,
) -> FineTuned:
    """Train the two projections and the head.

    Args:
        encoder: computes the text features.
        projections: the model's own (image, text): start and anchor.
        training: what is learnt from.
        validation: picks the epoch and the temperatures; may be empty, then the last epoch is taken.
        settings: see there.
        seed: of shuffling, drawing captions, dropout and the initial head.
        on_epoch: called after each epoch with its number from 1 and its figures.
        rehearsal: what the base sees in pictures of other kinds, which training holds on to; None: nothing.
        head_only: whether the projections stay as they are.

    Raises:
        TrainingError: fewer than 2 products with words, or pictures without features; or a loss that is no finite
            number.
    """
    categories = sorted({product.category for product in training.products if product.category})
    captions = Captions(encoder, [*training.products, *validation.products])
    data = Dataset(training, captions, categories)
    held_out = Dataset(validation, captions, categories) if len(validation.products) else None
    if len(data) < 2 or int((data.caption_counts > 0).sum()) < 2:
        raise TrainingError(
            f"{len(data)} training products with readable pictures, {int((data.caption_counts > 0).sum())} of "
            "them with a title or category; permitted: 2 or more of each; next step: look at the catalog's columns"
        )
    torch.manual_seed(seed)
    model = TrainableModel(projections, data.features, len(categories))
    if head_only:
        model.keep_projections()
    optimizer, schedule = _optimizer(model, settings, -(-len(data) // settings.batch_size) * settings.epochs)
    held = None if rehearsal is None else _Held(rehearsal, captions.generic, projections[1])
    generator = torch.Generator().manual_seed(seed)
    best_loss, best_state = float("inf"), _copy(model)
    for epoch in range(1, settings.epochs + 1):
        total = 0.0
        for rows in torch.randperm(len(data), generator=generator).split(settings.batch_size):
            batch = data.draw(rows, settings.wording_cosine, generator)
            parts = terms(model, batch, settings)
            if held is not None and settings.rehearsal_weight:
                parts["rehearsal"] = held.loss(model, torch.randperm(len(held), generator=generator)[:_REHEARSED])
            loss = weighted(parts, settings)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        figures = {"train_loss": total / len(data)}
        figures |= validation_figures(model, held_out) if held_out is not None else {}
        _check_finite(figures, epoch, settings)
        on_epoch(epoch, figures)
        watched = figures.get("validation_loss", -float(epoch))
        if watched < best_loss:
            best_loss, best_state = watched, _copy(model)
    model.load_state_dict(best_state)
    return _finish(model, categories, held_out, projections, settings, seed, head_only)


class _Held:
    """What training holds on to: what the base sees in pictures of other kinds."""

    def __init__(self, rehearsal: Rehearsal, generic: torch.Tensor, text: Projection) -> None:
        self._rehearsal = rehearsal
        self._generic = generic
        self._words = functional.normalize(text(generic), dim=1)
        self._spread = spread_of(rehearsal.embeddings)

    def __len__(self) -> int:
        return len(self._rehearsal)

    def loss(self, model: TrainableModel, rows: torch.Tensor) -> torch.Tensor:
        """How far from the base the model is on these rows."""
        images, words = model.embed_images(self._rehearsal.features[rows]), model.embed_texts(self._generic)
        return rehearsal_loss(images, self._rehearsal.embeddings[rows], words, self._words, self._spread)


def terms(model: TrainableModel, batch: Batch, settings: FineTuneSettings) -> dict[str, torch.Tensor]:
    """The parts of the loss on a batch, each a scalar without its weight; `settings.weight(name)` is the weight.

    A part of weight 0 is absent and never computed, so that it draws no random numbers either.
    """
    images = model.embed_images(batch.images, settings.dropout)
    texts = model.embed_texts(batch.texts)
    labels, worded, smoothing = batch.labels, batch.worded, settings.label_smoothing
    parts: dict[str, Callable[[], torch.Tensor]] = {
        "image_category": lambda: category_loss(model.logits(images), labels, smoothing),
        "text_category": lambda: category_loss(model.logits(texts)[worded], labels[worded], smoothing),
        "contrastive": lambda: contrastive_loss(images[worded], texts[worded], batch.describes, model.log_scale.exp()),
        "image_anchor": lambda: anchor_loss(model.image.weight, model.image_start),
        "text_anchor": lambda: anchor_loss(model.text.weight, model.text_start),
    }
    return {name: part() for name, part in parts.items() if settings.weight(name)}


def weighted(parts: Mapping[str, torch.Tensor], settings: FineTuneSettings) -> torch.Tensor:
    """The loss: the sum of its parts, each times its weight."""
    return torch.as_tensor(sum(settings.weight(name) * part for name, part in parts.items()))


@torch.no_grad()
def validation_figures(model: TrainableModel, data: Dataset) -> dict[str, float]:
    """Loss, and accuracy where there are categories, with nothing dropped, moved or drawn.

    The loss, which picks the epoch, is that of the pictures' categories plus the contrastive one, whatever the weights:
    so trainings with different weights can be compared.
    """
    images = model.embed_images(data.features)
    known = data.labels != NO_CATEGORY
    figures: dict[str, float] = {}
    loss = 0.0
    if bool(known.any()):
        logits, labels = model.logits(images)[known], data.labels[known]
        loss += float(functional.cross_entropy(logits, labels))
        figures["validation_accuracy"] = float((logits.argmax(dim=1) == labels).float().mean())
    worded = data.caption_counts > 0
    if bool(worded.any()):
        titles = data.captions[worded, 0]
        # In blocks: the loss compares everything in a block with everything else in it.
        blocks = [
            contrastive_loss(
                images[worded][rows],
                model.embed_texts(data.caption_features[titles[rows]]),
                titles[rows][:, None] == titles[rows][None, :],
                model.log_scale.exp(),
            )
            for rows in torch.arange(len(titles)).split(1024)
        ]
        loss += float(torch.stack(blocks).mean())
    return {"validation_loss": loss, **figures}


def _optimizer(
    model: TrainableModel, settings: FineTuneSettings, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    optimizer = torch.optim.AdamW(
        [
            {"params": [model.image.weight, model.image.bias, model.text.weight, model.log_scale], "weight_decay": 0.0},
            {"params": model.head.parameters(), "weight_decay": settings.weight_decay},
        ],
        lr=settings.learning_rate,
    )
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, total_steps=steps)


def _copy(model: TrainableModel) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _check_finite(figures: Mapping[str, float], epoch: int, settings: FineTuneSettings) -> None:
    for name, value in figures.items():
        if not math.isfinite(value):
            raise TrainingError(
                f"{name.replace('_', ' ')} {value} in epoch {epoch} at a learning rate of {settings.learning_rate}; "
                "permitted: a finite number; next step: a lower --learning-rate, such as "
                f"{settings.learning_rate / 10:g}; where that does not help, another base model"
            )


@torch.no_grad()
def _finish(
    model: TrainableModel,
    categories: Sequence[str],
    held_out: Dataset | None,
    projections: tuple[Projection, Projection],
    settings: FineTuneSettings,
    seed: int,
    head_only: bool,
) -> FineTuned:
    image, text = projections if head_only else model.projections(with_image_bias=projections[0].bias is not None)
    metrics = validation_figures(model, held_out) if held_out is not None else {}
    if not categories:
        return FineTuned(image, text, None, metrics)
    scale = model.log_scale.exp()
    weight, bias = (model.head.weight * scale).numpy().copy(), (model.head.bias * scale).numpy().copy()
    head = calibrated_head(categories, weight, bias, (image, text), held_out, settings.wording_cosine, seed)
    return FineTuned(image, text, head, metrics)


@torch.no_grad()
def calibrated_head(
    categories: Sequence[str],
    weight: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
    projections: tuple[Projection, Projection],
    held_out: Dataset | None,
    wording_cosine: float,
    seed: int,
) -> CategoryHead:
    """A category head with temperatures fitted on held-out products; without any they are 1.

    Args:
        categories: c of them, 1 or more.
        weight, bias: float32 (c, dim) and (c,), of logits from unit embeddings.
        projections: (image, text), from features to embeddings.
        held_out: features of products and captions.
        wording_cosine: how far captions are moved before the text side is calibrated on them.
        seed: of moving them.
    """
    raw = CategoryHead(tuple(categories), weight, bias, {"image": 1.0, "text": 1.0})
    if held_out is None:
        return raw
    known = (held_out.labels != NO_CATEGORY) & (held_out.caption_counts > 0)
    if not bool(known.any()):
        return raw
    labels = held_out.labels[known].numpy()
    generator = torch.Generator().manual_seed(seed)
    captions = held_out.caption_features[held_out.captions[known, 0]]
    moved = held_out.wordings.move(captions, wording_cosine, generator)
    temperatures: dict[Modality, float] = {}
    modalities: tuple[tuple[Modality, Projection, torch.Tensor], ...] = (
        ("image", projections[0], held_out.features[known]),
        ("text", projections[1], moved),
    )
    for modality, projection, features in modalities:
        embeddings = functional.normalize(projection(features), dim=1).numpy()
        temperatures[modality] = fit_temperature(embeddings @ weight.T + bias, labels)
    return CategoryHead(tuple(categories), weight, bias, temperatures)
