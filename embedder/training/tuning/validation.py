"""How well a model that is being tuned does on held-out products of the catalog: quick, and in torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.inputs.pixels import map_ahead
from embedder.training.pictures.shots import Shot, main_pictures
from embedder.training.settings import ALL_SCORED, Scored
from embedder.training.tuning.model import TunableModel
from embedder.training.tuning.pixel_cache import PixelCache

MOST_PICTURES = 1_500
"""Pictures that are looked at, at most: three parts of ten of the held-out products, as many of training products that
are searched besides, and four of views and further pictures that ask."""

FEWEST_ASKED = 20
"""Held-out products; of fewer nothing is measured, and nothing is chosen by them."""

_FEWEST_PICTURES = 300

INSTANCE_WEIGHT = 0.7
"""Of the instance part in a picture query here; the bundle's own is chosen at the end."""

_SCORED: dict[Scored, tuple[str, ...]] = {
    "photo": ("photo_recall_at_1",),
    "title": ("title_recall_at_1", "title_recall_at_10"),
    "category": ("category_accuracy",),
}
_BATCH = 64


class Validation:
    """Held-out pictures, kept as pixels, and titles, kept as features.

    A model's score is the mean of its recall@1 of photo-like views, its recall of titles (half of it @1, half @10) and
    its category accuracy: of those that the catalog permits and `scored` names.
    """

    def __init__(
        self,
        held_out: Sequence[Product],
        training: Sequence[Product],
        pairs: Sequence[Shot],
        categories: Sequence[str],
        titles: tuple[Sequence[str], torch.Tensor],
        pixels: PixelCache,
        mean: Sequence[float],
        deviation: Sequence[float],
        decode_threads: int,
        most: int = MOST_PICTURES,
        fewest: int = FEWEST_ASKED,
        scored: Sequence[Scored] = ALL_SCORED,
    ) -> None:
        """Read the pictures.

        Args:
            held_out: products that are asked for, and searched.
            training: products that are searched besides.
            pairs: views and further pictures that ask for their product.
            categories: of the head, in order.
            titles: the held-out products' distinct titles, and the text tower's features of them or their tokens.
            pixels: reads the pictures; what it keeps of them here stays.
            mean, deviation: of the normalization of pixels, (3,).
            decode_threads: how many pictures are decoded at once.
            most: how many pictures are looked at, about.
            fewest: held-out products without which nothing is measured.
            scored: what the score counts.
        """
        asked = list(held_out[: 3 * most // 10])
        ids = {product.id for product in asked}
        self._categories = list(categories)
        # A title is asked for where a product of it can be found.
        own = {title_of(product) for product in asked}
        places = [place for place, title in enumerate(titles[0]) if title in own]
        self._titles, self._title_inputs = [titles[0][place] for place in places], titles[1][places]
        self._mean, self._deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, deviation))
        mains = main_pictures([*asked, *training[: 3 * most // 10]])
        self._mains, self._gallery = _read(mains, pixels, decode_threads)
        wanted = _spread([shot for shot in pairs if shot.product.id in ids], 4 * most // 10)
        self._asking, self._queries = _read(wanted, pixels, decode_threads)
        self._asked, self._fewest, self._scored = ids, fewest, scored

    @property
    def is_too_small(self) -> bool:
        """Whether there are so few products to ask for that chance would decide."""
        return len(self._asked) < self._fewest or len(self._mains) < 2

    @torch.no_grad()
    def measure(self, model: TunableModel) -> dict[str, float]:
        """Figures by name: "photo_recall_at_1", "title_recall_at_1", "title_recall_at_10", "category_accuracy", of
        those that the catalog permits, and "score"; none where there are too few products.
        """
        if self.is_too_small:
            return {}
        searched_semantic, searched_instance = self._embed(model, self._gallery)
        figures: dict[str, float] = {}
        ids = np.asarray([shot.product.id for shot in self._mains], dtype=object)
        if len(self._asking):
            semantic, instance = self._embed(model, self._queries)
            scores = (1 - INSTANCE_WEIGHT) * semantic @ searched_semantic.t()
            scores = (
                semantic @ searched_semantic.t()
                if instance is None
                else scores + INSTANCE_WEIGHT * (instance @ _some(searched_instance).t())
            )
            own = np.asarray([shot.product.id for shot in self._asking], dtype=object)
            figures["photo_recall_at_1"] = float((ids[scores.argmax(dim=1).numpy()] == own).mean())
        if self._titles:
            texts = self._embed_titles(model)
            depth = min(10, len(ids))
            named = np.asarray([title_of(shot.product) for shot in self._mains], dtype=object)
            nearest = (texts @ searched_semantic.t()).topk(depth, dim=1).indices.numpy()
            right = named[nearest] == np.asarray(self._titles, dtype=object)[:, None]
            figures["title_recall_at_1"] = float(right[:, 0].mean())
            figures["title_recall_at_10"] = float(right.any(axis=1).mean())
        figures |= self._accuracy(model, searched_semantic)
        return with_score(figures, self._scored)

    def _accuracy(self, model: TunableModel, semantic: torch.Tensor) -> dict[str, float]:
        rows = [
            row
            for row, shot in enumerate(self._mains)
            if shot.product.id in self._asked and shot.product.category in self._categories
        ]
        if not rows or not self._categories:
            return {}
        truth = torch.tensor([self._categories.index(self._mains[row].product.category or "") for row in rows])
        device = next(model.head.parameters()).device
        found = model.head(semantic[rows].to(device)).argmax(dim=1).cpu()
        return {"category_accuracy": float((found == truth).float().mean())}

    def _embed(self, model: TunableModel, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        device = next(model.head.parameters()).device
        semantic, instance = [], []
        for chunk in pixels.split(_BATCH):
            values = ((chunk.float() / 255.0 - self._mean) / self._deviation).to(device)
            found = model.encode(values.contiguous(memory_format=torch.channels_last))
            semantic.append(model.semantic(found.features).cpu())
            if model.instance is not None:
                instance.append(model.instance(found.levels).cpu())
        return torch.cat(semantic), torch.cat(instance) if instance else None

    def _embed_titles(self, model: TunableModel) -> torch.Tensor:
        inputs = self._title_inputs.to(next(model.head.parameters()).device)
        if inputs.is_floating_point():
            return model.embed_texts(inputs).cpu()
        return torch.cat([model.embed_texts(model.encode_tokens(chunk)) for chunk in inputs.split(_BATCH)]).cpu()


def with_score(figures: Mapping[str, float], scored: Sequence[Scored] = ALL_SCORED) -> dict[str, float]:
    """Figures with their "score": the mean of views' recall@1, titles' recall@1 and @10, and category accuracy.

    Of those that `scored` names, that is, or of all where none of these was measured.
    """
    means = {
        name: float(np.mean([figures[each] for each in names]))
        for name, names in _SCORED.items()
        if names[0] in figures
    }
    counted = [mean for name, mean in means.items() if name in scored] or list(means.values())
    return {**figures, **({"score": float(np.mean(counted))} if counted else {})}


def score_of(figures: Mapping[str, float]) -> float:
    """The one figure that models are compared by; 0 where nothing was measured."""
    return figures.get("score", 0.0)


def pictures_for(budget_s: float | None) -> int:
    """How many pictures to look at, so that all measurements together take a small share of the time."""
    return MOST_PICTURES if budget_s is None else max(_FEWEST_PICTURES, min(MOST_PICTURES, round(budget_s)))


def _spread(shots: Sequence[Shot], most: int) -> list[Shot]:
    """At most so many, evenly spread: those of one product follow each other."""
    if len(shots) <= most:
        return list(shots)
    return [shots[place * len(shots) // most] for place in range(most)]


def _some(tensor: torch.Tensor | None) -> torch.Tensor:
    assert tensor is not None
    return tensor


def _read(shots: Sequence[Shot], pixels: PixelCache, threads: int) -> tuple[list[Shot], torch.Tensor]:
    """The shots that can be read, and their pixels, uint8 (n, 3, side, side)."""
    found, values = [], []
    for shot, read in zip(shots, map_ahead(pixels.get, shots, threads, 64), strict=True):
        if read is not None:
            found.append(shot)
            values.append(torch.from_numpy(read))
    side = pixels.side
    return found, torch.stack(values) if values else torch.empty((0, 3, side, side), dtype=torch.uint8)
