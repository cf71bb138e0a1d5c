"""How good a model is on products that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics.functional.classification import (
    multiclass_calibration_error,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from embedder.catalogs.captions import category_words
from embedder.encoder import Encoder
from embedder.evaluation.embedding import Embedded
from embedder.evaluation.outcome import Outcome, TitleOutcome
from embedder.evaluation.per_query import classified, mean_figures, searched_by_picture, searched_by_title
from embedder.evaluation.searches import PictureSearch, search_pictures, search_titles
from embedder.recognition.head import softmax

TEMPLATES = ("{}", "a photo of {}", "{}, product picture")
"""Wordings averaged when a model without a head classifies by its category names (Radford et al., 2021, 3.1.4)."""

_ZERO_SHOT_SCALE = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Figures, and the queries that they are means of.

    Attributes:
        figures: by name (see `evaluate`).
        outcomes: of the test products, in order.
        titles: of their distinct titles, in alphabetical order.
    """

    figures: dict[str, float]
    outcomes: tuple[Outcome, ...]
    titles: tuple[TitleOutcome, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What a model says of the test products.

    Attributes:
        categories: c of them.
        probabilities: float32 (n, c).
    """

    categories: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]

    def names(self) -> list[str]:
        """The most probable category of each."""
        return [self.categories[place] for place in self.probabilities.argmax(axis=1)]


def evaluate(
    encoder: Encoder,
    queries: Embedded,
    gallery: Embedded,
    max_queries: int = 2000,
    others: Embedded | None = None,
) -> Evaluated:
    """Measure a model.

    Args:
        encoder: the model; classifies by its head, or by category names where it has none.
        queries: held-out products; all of them are classified, the first `max_queries` search.
        gallery: products that are searched by picture; a query's own product never counts as found.
        max_queries: how many of the queries search; those that have a category, or where none has one, any.
        others: products that are neither; None: there are none.

    Returns:
        What became of each query, and the figures, by the names of `embedder.evaluation.meanings`. One that the catalog
        does not allow (no categories, no titles) is absent. Titles are distinct ones; a product without one is called
        as its category.
    """
    told = _told(encoder, queries, gallery)
    named = told if encoder.head is None else _by_names(encoder, queries, encoder.head.categories)
    outcomes = _outcomes(
        queries, told, named, encoder.head is not None, search_pictures(encoder, queries, gallery, max_queries)
    )
    titles = search_titles(encoder, queries, [gallery] if others is None else [gallery, others])
    own = mean_figures(classified(outcomes))
    figures: dict[str, float] = {}
    if own:
        figures["accuracy"] = own["accuracy"]
        if told is not None:
            figures |= _over_categories(outcomes, told)
        figures["brier_score"] = own["brier_score"]
    figures |= mean_figures(searched_by_title(titles))
    figures |= mean_figures(searched_by_picture(outcomes))
    return Evaluated(figures, outcomes, titles)


def category_probabilities(
    encoder: Encoder,
    semantic: npt.NDArray[np.float32],
    categories: Sequence[str],
    vectors: npt.NDArray[np.float32] | None = None,
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """Probabilities (n, c) of pictures over the head's categories, or where there is no head over `categories` by their
    names; `semantic` are semantic embeddings, (n, semantic dim), `vectors` index vectors, (n, dim).
    """
    if encoder.head is not None:
        return encoder.head.probabilities(semantic, "image", vectors), encoder.head.categories
    return name_probabilities(encoder, semantic, categories), tuple(categories)


def name_probabilities(
    encoder: Encoder, semantic: npt.NDArray[np.float32], categories: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Probabilities (n, c) of categories by nothing but their names."""
    prompts = [template.format(category_words(category)) for category in categories for template in TEMPLATES]
    texts = (
        encoder.space.semantic_of(encoder.encode_texts(prompts))
        .reshape(len(categories), len(TEMPLATES), -1)
        .mean(axis=1)
    )
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    return softmax(semantic @ texts.T * _ZERO_SHOT_SCALE)


def _told(encoder: Encoder, queries: Embedded, gallery: Embedded) -> _Told | None:
    """What the head says, or the names of the categories that occur; None where no category is known."""
    if encoder.head is not None:
        semantic = encoder.space.semantic_of(queries.embeddings)
        return _Told(encoder.head.categories, encoder.head.probabilities(semantic, "image", queries.embeddings))
    known = {product.category for product in queries.products} - {None}
    known = known or {product.category for product in gallery.products} - {None}
    categories = sorted(category for category in known if category is not None)
    return _by_names(encoder, queries, categories) if categories else None


def _by_names(encoder: Encoder, queries: Embedded, categories: Sequence[str]) -> _Told:
    semantic = encoder.space.semantic_of(queries.embeddings)
    return _Told(tuple(categories), name_probabilities(encoder, semantic, categories))


def _outcomes(
    queries: Embedded,
    told: _Told | None,
    named: _Told | None,
    has_head: bool,
    searches: Mapping[int, PictureSearch],
) -> tuple[Outcome, ...]:
    predicted = None if told is None else told.names()
    by_names = None if named is None else named.names()
    outcomes = []
    for row, product in enumerate(queries.products):
        witnesses: dict[str, str] = {}
        if has_head and predicted is not None:
            witnesses["head"] = predicted[row]
        search = searches.get(row)
        if search is not None and search.vote is not None:
            witnesses["neighbors"] = search.vote
        if by_names is not None:
            witnesses["names"] = by_names[row]
        outcomes.append(
            Outcome(
                product_id=product.id,
                group=product.variants_key,
                truth=product.category,
                predicted=None if predicted is None else predicted[row],
                probability=0.0 if told is None else min(1.0, float(told.probabilities[row].max())),
                witnesses=witnesses,
                search=None if search is None else search.found,
            )
        )
    return tuple(outcomes)


def _over_categories(outcomes: Sequence[Outcome], told: _Told) -> dict[str, float]:
    """The figures that are means over categories or bins, not over queries; none where there is one category."""
    rows = [row for row, outcome in enumerate(outcomes) if outcome.truth is not None]
    truth = [outcomes[row].truth or "" for row in rows]
    # A category that the head never saw is a class of its own that is always missed.
    classes = [*told.categories, *sorted(set(truth) - set(told.categories))]
    count = len(classes)
    if count < 2:
        return {}
    label_of = {category: label for label, category in enumerate(classes)}
    probabilities = np.zeros((len(rows), count), dtype=np.float32)
    probabilities[:, : len(told.categories)] = told.probabilities[rows]
    scores, labels = torch.from_numpy(probabilities), torch.tensor([label_of[category] for category in truth])
    return {
        "precision": float(multiclass_precision(scores, labels, count, average="macro")),
        "recall": float(multiclass_recall(scores, labels, count, average="macro")),
        "f1": float(multiclass_f1_score(scores, labels, count, average="macro")),
        "calibration_error": float(multiclass_calibration_error(scores, labels, count, n_bins=15)),
    }
