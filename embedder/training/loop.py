"""Short fine-tuning: frozen towers, trained projections and category head.

The loop reads top to bottom: features in, two linear maps and a head out. Pictures are pulled to their words
(contrastive loss over the batch, several positives where products share a title), and to their category
(cross-entropy on both modalities); what pulls back is the distance to the projections that the model came with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from embedder.catalogs.captions import captions_of
from embedder.catalogs.product import Product
from embedder.encoder import Encoder
from embedder.errors import TrainingError
from embedder.recognition.calibration import fit_temperature
from embedder.recognition.head import CategoryHead
from embedder.towers.projection import Projection
from embedder.training.losses import NO_CATEGORY, category_loss, contrastive_loss
from embedder.training.wordings import GENERIC_WORDS, Wordings

_NO_CAPTION = -1


@dataclass(frozen=True, slots=True)
class FineTuneSettings:
    """How to train.

    Attributes:
        epochs: passes over the training products, 1 or more.
        batch_size: products a step, 2 or more.
        learning_rate: peak of the one-cycle schedule (Smith and Topin, 2018).
        weight_decay: of the head; decoupled (Loshchilov and Hutter, 2019).
        dropout: share of image features dropped in a step, 0..1.
        image_anchor, text_anchor: weight of the relative squared distance to the initial projections. The text side is
            held tighter: a catalog has few texts, and words that it lacks must keep their meaning.
        wording_cosine: how near another wording for the same thing is supposed to be, as a cosine of text features,
            0..1; captions are moved that far, at random, in training and in calibrating the text side (see `Wordings`).
        label_smoothing: of the cross-entropy, 0..1.
        seed: of shuffling, dropout and initial head.
    """

    epochs: int = 15
    batch_size: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    dropout: float = 0.1
    image_anchor: float = 0.02
    text_anchor: float = 3.0
    wording_cosine: float = 0.6
    label_smoothing: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2 or not self.learning_rate > 0:
            raise ValueError(
                f"epochs {self.epochs}, batch size {self.batch_size}, learning rate {self.learning_rate}; "
                "permitted: epochs 1 or more, batch size 2 or more, learning rate above 0"
            )

    def to_dict(self) -> dict[str, float]:
        """JSON-able."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Products with the image features of their pictures, float32 (n, width)."""

    products: Sequence[Product]
    features: npt.NDArray[np.float32]


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
    on_epoch: Callable[[int, dict[str, float]], None] = lambda epoch, figures: None,
) -> FineTuned:
    """Train the two projections and the head.

    Args:
        encoder: computes the text features.
        projections: the model's own (image, text): start and anchor.
        training: what is learnt from.
        validation: picks the epoch and the temperatures; may be empty, then the last epoch is taken.
        settings: see there.
        on_epoch: called after each epoch with its number from 1 and its figures.

    Raises:
        TrainingError: fewer than 2 products with words, or pictures without features.
    """
    categories = sorted({product.category for product in training.products if product.category})
    captions = _Captions(encoder, [*training.products, *validation.products])
    data = _Tensors(training, captions, categories)
    held_out = _Tensors(validation, captions, categories) if len(validation.products) else None
    if len(data.features) < 2 or int((data.caption_counts > 0).sum()) < 2:
        raise TrainingError(
            f"{len(data.features)} training products with readable pictures, {int((data.caption_counts > 0).sum())} of "
            "them with a title or category; permitted: 2 or more of each; next step: look at the catalog's columns"
        )
    torch.manual_seed(settings.seed)
    model = _Model(projections, data.features, len(categories))
    optimizer = torch.optim.AdamW(
        [
            {"params": [model.image.weight, model.image.bias, model.text.weight, model.log_scale], "weight_decay": 0.0},
            {"params": model.head.parameters(), "weight_decay": settings.weight_decay},
        ],
        lr=settings.learning_rate,
    )
    steps = max(1, -(-len(data.features) // settings.batch_size)) * settings.epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, total_steps=steps)
    generator = torch.Generator().manual_seed(settings.seed)
    best_loss, best_state = float("inf"), {name: value.clone() for name, value in model.state_dict().items()}
    for epoch in range(1, settings.epochs + 1):
        total = 0.0
        for rows in torch.randperm(len(data.features), generator=generator).split(settings.batch_size):
            loss = model.loss(data, rows, settings, generator)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        figures = {"train_loss": total / len(data.features)}
        figures |= model.figures(held_out) if held_out is not None else {}
        on_epoch(epoch, figures)
        watched = figures.get("validation_loss", -float(epoch))
        if watched < best_loss:
            best_loss, best_state = watched, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(best_state)
    return _finish(model, categories, held_out, projections, settings)


class _Captions:
    """Text features of all distinct captions, and which belong to a product."""

    def __init__(self, encoder: Encoder, products: Sequence[Product]) -> None:
        index: dict[str, int] = {}
        self.of_product = {
            product.id: [index.setdefault(text, len(index)) for text in captions_of(product)] for product in products
        }
        features = encoder.text_features(list(index)) if index else np.zeros((1, 1), dtype=np.float32)
        self.features = torch.from_numpy(features)
        self.wordings = Wordings(torch.from_numpy(encoder.text_features(GENERIC_WORDS)) if index else self.features)


class _Tensors:
    """Examples as tensors: features (n, w), labels (n,), captions (n, most) padded with -1, their counts (n,)."""

    def __init__(self, examples: Examples, captions: _Captions, categories: Sequence[str]) -> None:
        label_of = {category: label for label, category in enumerate(categories)}
        rows = [captions.of_product[product.id] for product in examples.products]
        most = max((len(row) for row in rows), default=0) or 1
        self.features = torch.from_numpy(examples.features)
        self.labels = torch.tensor([label_of.get(p.category or "", NO_CATEGORY) for p in examples.products])
        padded = [row + [_NO_CAPTION] * (most - len(row)) for row in rows]
        self.captions = torch.tensor(padded, dtype=torch.long).view(-1, most)
        self.caption_counts = torch.tensor([len(row) for row in rows])
        self.caption_features = captions.features
        self.wordings = captions.wordings


class _Model(nn.Module):
    mean: torch.Tensor
    deviation: torch.Tensor
    image_start: torch.Tensor
    text_start: torch.Tensor

    def __init__(self, projections: tuple[Projection, Projection], features: torch.Tensor, categories: int) -> None:
        super().__init__()
        image, text = projections
        # Steps are taken in standardized features, which evens out their very different scales; a tower whose
        # projection has no bias cannot take up a shift of the mean.
        self.register_buffer("mean", features.mean(dim=0) if image.bias is not None else torch.zeros_like(features[0]))
        self.register_buffer("deviation", features.std(dim=0).clamp_min(1e-4))
        self.image = nn.Linear(image.weight.shape[1], image.weight.shape[0])
        self.text = nn.Linear(text.weight.shape[1], text.weight.shape[0], bias=False)
        self.image.bias.requires_grad_(image.bias is not None)
        with torch.no_grad():
            self.image.weight.copy_(image.weight * self.deviation)
            shift = nn.functional.linear(self.mean, image.weight)
            self.image.bias.copy_(shift + (image.bias if image.bias is not None else 0.0))
            self.text.weight.copy_(text.weight)
        self.text_bias = text.bias
        self.head = nn.Linear(image.weight.shape[0], max(categories, 1))
        self.log_scale = nn.Parameter(torch.tensor(2.5))
        self.register_buffer("image_start", self.image.weight.detach().clone())
        self.register_buffer("text_start", self.text.weight.detach().clone())

    def embed_images(self, features: torch.Tensor, dropout: float = 0.0) -> torch.Tensor:
        standardized = functional.dropout((features - self.mean) / self.deviation, dropout, training=dropout > 0)
        return functional.normalize(self.image(standardized), dim=1)

    def embed_texts(self, features: torch.Tensor) -> torch.Tensor:
        return functional.normalize(functional.linear(features, self.text.weight, self.text_bias), dim=1)

    def logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.head(embeddings)) * self.log_scale.exp()

    def loss(
        self, data: _Tensors, rows: torch.Tensor, settings: FineTuneSettings, generator: torch.Generator
    ) -> torch.Tensor:
        """What one step makes smaller, on the examples at `rows`, int64 (b,)."""
        counts = data.caption_counts[rows]
        draw = (torch.rand(len(rows), generator=generator) * counts).long().clamp_max((counts - 1).clamp_min(0))
        # A product without words takes any text here; it is left out of every loss on texts.
        captions = data.captions[rows, draw].clamp_min(0)
        images = self.embed_images(data.features[rows], settings.dropout)
        spoken = data.caption_features[captions]
        # Half of the captions as they are, half in other words.
        moved = data.wordings.move(spoken, settings.wording_cosine, generator)
        texts = self.embed_texts(torch.where(torch.rand(len(rows), 1, generator=generator) < 0.5, spoken, moved))
        labels = data.labels[rows]
        worded = counts > 0
        loss = category_loss(self.logits(images), labels, settings.label_smoothing)
        loss = loss + category_loss(self.logits(texts)[worded], labels[worded], settings.label_smoothing)
        said = data.captions[rows][worded]
        describes = (said[:, :, None] == captions[worded][None, None, :]).any(dim=1)
        loss = loss + contrastive_loss(images[worded], texts[worded], describes, self.log_scale.exp())
        image_drift = (self.image.weight - self.image_start).square().sum() / self.image_start.square().sum()
        text_drift = (self.text.weight - self.text_start).square().sum() / self.text_start.square().sum()
        return loss + settings.image_anchor * image_drift + settings.text_anchor * text_drift

    @torch.no_grad()
    def figures(self, data: _Tensors) -> dict[str, float]:
        """Loss, and accuracy where there are categories, with nothing dropped, moved or drawn."""
        images = self.embed_images(data.features)
        known = data.labels != NO_CATEGORY
        figures: dict[str, float] = {}
        loss = 0.0
        if bool(known.any()):
            logits, labels = self.logits(images)[known], data.labels[known]
            loss += float(functional.cross_entropy(logits, labels))
            figures["validation_accuracy"] = float((logits.argmax(dim=1) == labels).float().mean())
        worded = data.caption_counts > 0
        if bool(worded.any()):
            titles = data.captions[worded, 0]
            # In blocks: the loss compares everything in a block with everything else in it.
            blocks = [
                contrastive_loss(
                    images[worded][rows],
                    self.embed_texts(data.caption_features[titles[rows]]),
                    titles[rows][:, None] == titles[rows][None, :],
                    self.log_scale.exp(),
                )
                for rows in torch.arange(len(titles)).split(1024)
            ]
            loss += float(torch.stack(blocks).mean())
        return {"validation_loss": loss, **figures}


@torch.no_grad()
def _finish(
    model: _Model,
    categories: Sequence[str],
    held_out: _Tensors | None,
    projections: tuple[Projection, Projection],
    settings: FineTuneSettings,
) -> FineTuned:
    weight = model.image.weight / model.deviation
    bias = model.image.bias - functional.linear(model.mean, weight)
    image = Projection(weight.clone(), bias.clone() if projections[0].bias is not None else None)
    text = Projection(model.text.weight.clone(), projections[1].bias)
    metrics = model.figures(held_out) if held_out is not None else {}
    if not categories:
        return FineTuned(image, text, None, metrics)
    temperatures = {"image": 1.0, "text": 1.0}
    if held_out is not None:
        known = (held_out.labels != NO_CATEGORY) & (held_out.caption_counts > 0)
        labels = held_out.labels[known].numpy()
        generator = torch.Generator().manual_seed(settings.seed)
        spoken = held_out.caption_features[held_out.captions[known, 0]]
        texts = model.embed_texts(held_out.wordings.move(spoken, settings.wording_cosine, generator))
        temperatures["image"] = fit_temperature(
            model.logits(model.embed_images(held_out.features[known])).numpy(), labels
        )
        temperatures["text"] = fit_temperature(model.logits(texts).numpy(), labels)
    scale = model.log_scale.exp()
    head = CategoryHead(
        categories=tuple(categories),
        weight=(model.head.weight * scale).numpy().copy(),
        bias=(model.head.bias * scale).numpy().copy(),
        temperatures={"image": temperatures["image"], "text": temperatures["text"]},
    )
    return FineTuned(image, text, head, metrics)
