"""What tuning makes small: the terms of the loss on a batch that went through the towers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from pytorch_metric_learning import losses, miners
from torch.nn import functional

from embedder.training.heads.losses import (
    NO_CATEGORY,
    anchor_loss,
    category_loss,
    contrastive_loss,
    rehearsal_loss,
    spread_of,
    wording_loss,
)
from embedder.training.settings import TuneSettings
from embedder.training.tuning.augmentation import Mix
from embedder.training.tuning.batches import Batch
from embedder.training.tuning.model import Seen, TunableModel

_MAX_LOG_SCALE = 4.6
"""Cosines count at most a hundredfold (Radford et al., 2021, section 2.5)."""


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """What the base says of the training products' clean pictures.

    Attributes:
        embeddings: the base's semantic embeddings of their main pictures, float32 (n, dim), unit.
        words: the base's embeddings of generic words, float32 (g, dim), unit.
        word_features: the text tower's features of the same words, float32 (g, text width).
        image_start, text_start: the weights of the projections before the first step.
        rehearsal: the base's semantic embeddings of pictures of other kinds, float32 (r, dim), unit; None: none are
            rehearsed.
    """

    embeddings: torch.Tensor
    words: torch.Tensor
    word_features: torch.Tensor
    image_start: torch.Tensor
    text_start: torch.Tensor
    rehearsal: torch.Tensor | None = None


class Objective:
    """The loss on a batch.

    The metric losses and the search for hard pairs are pytorch-metric-learning's.
    """

    def __init__(self, settings: TuneSettings, teacher: Teacher) -> None:
        self._settings = settings
        self._teacher = teacher
        self._instance = losses.SupConLoss(temperature=settings.temperature)
        self._metric = {
            "multi_similarity": lambda: losses.MultiSimilarityLoss(alpha=2, beta=50, base=0.5),
            "circle": lambda: losses.CircleLoss(m=0.25, gamma=64),
            "triplet": lambda: losses.TripletMarginLoss(margin=0.1),
        }[settings.metric]()
        self._spread = torch.ones(())
        if teacher.rehearsal is not None:
            self._spread = spread_of(teacher.rehearsal)
        self._miner = miners.MultiSimilarityMiner(epsilon=0.1) if settings.mine else None

    def terms(
        self,
        model: TunableModel,
        seen: Seen,
        texts: torch.Tensor,
        batch: Batch,
        mix: Mix | None,
        rehearsed: tuple[Seen, torch.Tensor] | None = None,
    ) -> dict[str, torch.Tensor]:
        """The parts of the loss, each a scalar without its weight.

        A part of weight 0 is absent and never computed. Of mixed pictures only the categories are learnt.

        Args:
            model: its ends are applied here.
            seen: of the batch's n pictures.
            texts: features of the b captions, float32 (b, text width).
            batch: on the same device.
            mix: how pictures were mixed.
            rehearsed: of r pictures of other kinds, and their places among all of them, int64 (r,).
        """
        settings = self._settings
        images = model.semantic(seen.features, settings.dropout)
        words = model.embed_texts(texts)
        parts: dict[str, Callable[[], torch.Tensor]] = {"category": lambda: self._category(model, images, batch, mix)}
        if mix is None:
            instance = None if model.instance is None else model.instance(seen.levels)
            right = batch.describes[batch.slots][:, batch.worded]
            kept = batch.worded[batch.slots]
            scale = model.log_scale.clamp_max(_MAX_LOG_SCALE).exp()
            parts |= {
                "contrastive": lambda: contrastive_loss(images[kept], words[batch.worded], right[kept], scale),
                "sigmoid": lambda: _sigmoid(images[kept], words[batch.worded], right[kept], model),
                "text_category": lambda: _text_category(model, words, batch, settings.label_smoothing),
                "distillation": lambda: self._distillation(model, images, batch),
            }
            if model.attributes is not None:
                layer = model.attributes
                parts["attribute"] = lambda: _attributes(layer(seen.levels), batch.attributes, layer.sizes)
            if instance is not None:
                parts |= {
                    "instance": lambda: self._alike(instance, batch.groups),
                    "metric": lambda: self._mined(instance, batch.groups),
                }
        if rehearsed is not None:
            parts["rehearsal"] = lambda: self._rehearsal(model, *rehearsed)
        parts["image_anchor"] = lambda: anchor_loss(model.image.weight, self._teacher.image_start)
        parts["text_anchor"] = lambda: anchor_loss(model.text.weight, self._teacher.text_start)
        found = {name: part() for name, part in parts.items() if settings.weight(name)}
        if settings.head_l1:
            found["head_l1"] = model.head.weight.abs().sum()
        return found

    def weighted(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The loss: the sum of its parts, each times its weight."""
        weights = {name: self._settings.head_l1 if name == "head_l1" else self._settings.weight(name) for name in parts}
        return torch.as_tensor(sum(weights[name] * part for name, part in parts.items()))

    def _category(self, model: TunableModel, images: torch.Tensor, batch: Batch, mix: Mix | None) -> torch.Tensor:
        logits, smoothing = model.head(images), self._settings.label_smoothing
        if mix is None:
            return category_loss(logits, batch.labels, smoothing)
        own, other = batch.labels, batch.labels[mix.partner.to(batch.labels.device)]
        known = (own != NO_CATEGORY) & (other != NO_CATEGORY)
        if not bool(known.any()):
            return torch.as_tensor(logits.sum() * 0.0)
        share = mix.share.to(logits.device)[known]
        each = [
            functional.cross_entropy(logits[known], labels[known], label_smoothing=smoothing, reduction="none")
            for labels in (own, other)
        ]
        return torch.as_tensor((share * each[0] + (1 - share) * each[1]).mean())

    def _alike(self, instance: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        """Pictures of one product or variant group together, all others apart (Khosla et al., 2020)."""
        return torch.as_tensor(self._instance(instance, groups))

    def _mined(self, instance: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        pairs = None if self._miner is None else self._miner(instance, groups)
        return torch.as_tensor(self._metric(instance, groups, pairs))

    def _distillation(self, model: TunableModel, images: torch.Tensor, batch: Batch) -> torch.Tensor:
        """How far from the base one is in what generic words a picture, or a view of it, looks like.

        The base looks at the clean picture: it is asked once, and a view is supposed to look like what it shows.
        """
        teacher = self._teacher
        wanted = teacher.embeddings[batch.rows] @ teacher.words.t()
        return wording_loss(images @ model.embed_texts(teacher.word_features).t(), wanted)

    def _rehearsal(self, model: TunableModel, seen: Seen, places: torch.Tensor) -> torch.Tensor:
        """How far from the base one is on pictures of other kinds: in generic words, and in the space of words itself.

        The tower's own features and levels are free to change: held too, they cost accuracy and kept no more.
        """
        teacher, base = self._teacher, self._teacher.rehearsal
        assert base is not None
        images, words = model.semantic(seen.features), model.embed_texts(teacher.word_features)
        return rehearsal_loss(images, base[places], words, teacher.words, self._spread)


def _sigmoid(images: torch.Tensor, words: torch.Tensor, right: torch.Tensor, model: TunableModel) -> torch.Tensor:
    """Sigmoid loss (Zhai et al., 2023, section 3.2) in which a picture may have several right texts."""
    if len(images) == 0:
        return images.sum()
    logits = images @ words.t() * model.log_sigmoid_scale.clamp_max(_MAX_LOG_SCALE).exp() + model.sigmoid_bias
    signs = right.float() * 2 - 1
    return -functional.logsigmoid(signs * logits).sum() / len(images)


def _attributes(logits: torch.Tensor, targets: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Cross-entropy of each attribute over the pictures whose values are known, mean over the attributes."""
    found = []
    for each, wanted in zip(logits.split(list(sizes), dim=1), targets.split(list(sizes), dim=1), strict=True):
        known = wanted.sum(dim=1) > 0
        if bool(known.any()):
            # As a share of what a model that knows nothing has: attributes of many values count no more than others.
            found.append(functional.cross_entropy(each[known], wanted[known]) / math.log(wanted.shape[1]))
    return torch.stack(found).mean() if found else logits.sum() * 0.0


def _text_category(model: TunableModel, words: torch.Tensor, batch: Batch, smoothing: float) -> torch.Tensor:
    labels = torch.full((len(words),), NO_CATEGORY, dtype=torch.long, device=words.device)
    labels[batch.slots] = batch.labels
    return category_loss(model.head(words)[batch.worded], labels[batch.worded], smoothing)
