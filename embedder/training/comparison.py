"""Before and after a training, on the same held-out products: what the person who ran it is told.

The queries are the validation products: their pictures as a photo would show them, and their titles; the gallery holds
main pictures of these and of training products. Validation products choose the epoch and the parts' weight, so figures
on them flatter a little; `python -m embedder eval` measures on the test products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from embedder.catalogs.captions import title_of
from embedder.encoder import Encoder
from embedder.evaluation.figures import category_probabilities
from embedder.index_space import IndexSpace
from embedder.recognition.head import CategoryHead
from embedder.towers.projection import Projection
from embedder.training.heads.captions import text_features
from embedder.training.instance.part import InstancePart, embed, to_parts
from embedder.training.pictures.features import Features, join_features
from embedder.training.pictures.gathering import Gathered

MEANINGS: Mapping[str, str] = {
    "category_accuracy": "share of the pictures whose category was recognised",
    "photo_recall_at_1": "share of photo-like views whose own product came first",
    "photo_recall_at_10": "... was among the first ten",
    "title_recall_at_1": "share of titles for which a product of that title came first",
    "title_recall_at_10": "... was among the first ten",
}
"""Each figure in a person's words, in the order in which they are shown."""

_BLOCK = 512

Scores = Callable[[slice], npt.NDArray[np.float32]]
"""Of some queries, (rows, gallery)."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A model before or after.

    Attributes:
        image, text: its projections.
        head: its category head; None: categories are recognised by their names.
        part: its instance part; None where it has none.
    """

    image: Projection
    text: Projection
    head: CategoryHead | None = None
    part: InstancePart | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A stage, and what its towers see of the held-out products and of those that are searched.

    Attributes:
        encoder: computes features of texts.
        stage: what is behind the towers.
        gathered: features of the pictures, by the same towers.
    """

    encoder: Encoder
    stage: Stage
    gathered: Gathered


@dataclass(frozen=True, slots=True)
class Comparison:
    """Figures by the names of `MEANINGS`; one that the catalog does not allow is absent.

    Attributes:
        before, after: the figures.
        products: held-out products with a readable picture.
        views: photo-like views and further pictures of them that searched.
        gallery: pictures that were searched.
    """

    before: Mapping[str, float]
    after: Mapping[str, float]
    products: int
    views: int
    gallery: int

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def compare(before: Looked, after: Looked) -> Comparison:
    """Measure both on the same validation products, among the same products of the catalog.

    Each stage's towers may have looked at others too: within a time budget they see as many as they can.
    """
    before, after = _on_the_same(before, after), _on_the_same(after, before)
    searched = set(before.gathered.sample.product_ids) & set(after.gathered.sample.product_ids)
    galleries = [
        join_features([look.gathered.validation, look.gathered.sample.of_products(searched)])
        for look in (before, after)
    ]
    return Comparison(
        before=_measure(before, galleries[0]),
        after=_measure(after, galleries[1]),
        products=len(after.gathered.validation.shots),
        views=len(after.gathered.validation_pairs.shots),
        gallery=len(galleries[1].shots),
    )


def _on_the_same(look: Looked, other: Looked) -> Looked:
    """With those validation products alone that the other has, too."""
    ids = set(other.gathered.validation.product_ids)
    gathered = look.gathered
    return replace(
        look,
        gathered=replace(
            gathered,
            validation=gathered.validation.of_products(ids),
            validation_pairs=gathered.validation_pairs.of_products(ids),
        ),
    )


def measure_stage(look: Looked) -> dict[str, float]:
    """The figures of one stage, by the names of `MEANINGS`; empty without validation products."""
    if not len(look.gathered.validation.shots):
        return {}
    return _measure(look, join_features([look.gathered.validation, look.gathered.sample]))


def _measure(look: Looked, gallery: Features) -> dict[str, float]:
    encoder, stage, gathered = look.encoder, look.stage, look.gathered
    figures = _category_accuracy(encoder, stage, gathered.validation)
    if len(gallery.shots) < 2:
        return figures
    # Without levels there is nothing to make an instance part of: this training does not want one.
    part = None if gallery.levels is None else stage.part
    space = IndexSpace(len(stage.image.weight)) if part is None else part.space
    instance = None if part is None else part.instance
    searched = to_parts(gallery, stage.image, instance, space)
    if len(gathered.validation_pairs.shots):
        views = to_parts(gathered.validation_pairs, stage.image, instance, space)
        weight = space.instance_weight

        def photo_scores(rows: slice) -> npt.NDArray[np.float32]:
            semantic = views.semantic[rows] @ searched.semantic.T
            return (1.0 - weight) * semantic + weight * (views.instance[rows] @ searched.instance.T)

        figures |= _recall("photo", photo_scores, views.product_ids, searched.product_ids)
    titles = sorted({title for product in gathered.validation.products if (title := title_of(product))})
    if titles:
        with torch.no_grad():
            features = torch.from_numpy(text_features(encoder, titles))
            texts = space.text_vectors(functional.normalize(stage.text(features), dim=1).numpy())[:, : space.kept_dim]
        named = [title_of(product) for product in gallery.products]
        figures |= _recall("title", lambda rows: texts[rows] @ searched.semantic.T, titles, named)
    return figures


def _category_accuracy(encoder: Encoder, stage: Stage, held_out: Features) -> dict[str, float]:
    rows = [row for row, product in enumerate(held_out.products) if product.category]
    if not rows:
        return {}
    truth = [held_out.products[row].category or "" for row in rows]
    embeddings = embed(stage.image, held_out)[rows]
    if stage.head is not None:
        vectors = _index_vectors(stage, held_out)
        # Where no levels were looked at, there is the semantic part alone.
        head = stage.head if vectors is not None else replace(stage.head, picture=None)
        probabilities = head.probabilities(embeddings, "image", None if vectors is None else vectors[rows])
        known = stage.head.categories
    else:
        probabilities, known = category_probabilities(encoder, embeddings, sorted(set(truth)))
    right = [known[place] == wanted for place, wanted in zip(probabilities.argmax(axis=1), truth, strict=True)]
    return {"category_accuracy": float(np.mean(right))}


def _index_vectors(stage: Stage, features: Features) -> npt.NDArray[np.float32] | None:
    """What the index would hold of pictures, float32 (n, dim); None where the stage has the semantic part alone."""
    if stage.part is None or features.levels is None:
        return None
    instance = stage.part.instance.apply(features.levels.astype(np.float32))
    return stage.part.space.picture_vectors(embed(stage.image, features), instance)


def _recall(kind: str, scores: Scores, wanted: Sequence[str], found: Sequence[str]) -> dict[str, float]:
    """Share of the queries for which one of the nearest is called what is wanted."""
    names = np.asarray(found, dtype=object)
    depth = min(10, len(names))
    first, ten = 0, 0
    for start in range(0, len(wanted), _BLOCK):
        block = scores(slice(start, start + _BLOCK))
        own = np.asarray(wanted[start : start + _BLOCK], dtype=object)[:, None]
        nearest = np.argpartition(-block, depth - 1, axis=1)[:, :depth]
        first += int((names[block.argmax(axis=1)][:, None] == own).sum())
        ten += int((names[nearest] == own).any(axis=1).sum())
    return {f"{kind}_recall_at_1": first / len(wanted), f"{kind}_recall_at_10": ten / len(wanted)}
