"""How good a model is on products that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_calibration_error,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from embedder.catalogs.captions import category_words, title_of
from embedder.catalogs.product import Product
from embedder.encoder import Encoder
from embedder.evaluation.embedding import picture_queries
from embedder.recognition.head import softmax

TEMPLATES = ("{}", "a photo of {}", "{}, product picture")
"""Wordings averaged when a model without a head classifies by its category names (Radford et al., 2021, 3.1.4)."""

_ZERO_SHOT_SCALE = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Products with the unit embeddings of their pictures, float32 (n, dim)."""

    products: Sequence[Product]
    embeddings: npt.NDArray[np.float32]


def evaluate(
    encoder: Encoder,
    queries: Embedded,
    gallery: Embedded,
    max_queries: int = 2000,
    others: Embedded | None = None,
) -> dict[str, float]:
    """Measure a model.

    Args:
        encoder: the model; classifies by its head, or by category names where it has none.
        queries: held-out products; all of them are classified, the first `max_queries` search.
        gallery: products that are searched by picture; a query's own product never counts as found.
        max_queries: how many of the queries search.
        others: products that are neither; None: there are none.

    Returns:
        `accuracy` (share right), `precision`, `recall`, `f1` (macro: mean over the categories that occur),
        `calibration_error` (expected, 15 bins), `text_to_image_recall_at_1`/`_10` (share of distinct titles with a
        product of that title among the k nearest of the queries' pictures), `title_to_product_recall_at_1`/`_10` (the
        same titles, searched as in a shop: among the queries, the gallery and the others), `image_to_image_recall_at_1`
        /`_10` (share of queries with a product of their category among the k nearest of the gallery),
        `category_share_at_10` (mean share of the 10 nearest of the gallery with the query's category). A figure that
        the catalog does not allow (no categories, no titles) is absent.
    """
    figures: dict[str, float] = {}
    figures |= _classification(encoder, queries)
    figures |= _titles(encoder, queries, [gallery] if others is None else [gallery, others])
    figures |= _image_to_image(encoder, queries, gallery, max_queries)
    return figures


def category_probabilities(
    encoder: Encoder, semantic: npt.NDArray[np.float32], categories: Sequence[str]
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """Probabilities (n, c) over the head's categories, or where there is no head over `categories` by their names."""
    if encoder.head is not None:
        return encoder.head.probabilities(semantic, "image"), encoder.head.categories
    prompts = [template.format(category_words(category)) for category in categories for template in TEMPLATES]
    texts = (
        encoder.space.semantic_of(encoder.encode_texts(prompts))
        .reshape(len(categories), len(TEMPLATES), -1)
        .mean(axis=1)
    )
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    return softmax(semantic @ texts.T * _ZERO_SHOT_SCALE), tuple(categories)


def _classification(encoder: Encoder, queries: Embedded) -> dict[str, float]:
    rows = [row for row, product in enumerate(queries.products) if product.category]
    if not rows:
        return {}
    truth = [queries.products[row].category or "" for row in rows]
    semantic = encoder.space.semantic_of(queries.embeddings[rows])
    predicted, known = category_probabilities(encoder, semantic, sorted(set(truth)))
    # A category that the head never saw is a class of its own that is always missed.
    classes = [*known, *sorted(set(truth) - set(known))]
    label_of: Mapping[str, int] = {category: label for label, category in enumerate(classes)}
    probabilities = np.zeros((len(rows), len(classes)), dtype=np.float32)
    probabilities[:, : len(known)] = predicted
    scores, labels = torch.from_numpy(probabilities), torch.tensor([label_of[category] for category in truth])
    count = len(classes)
    if count < 2:
        return {"accuracy": float((scores.argmax(dim=1) == labels).float().mean())}
    return {
        "accuracy": float(multiclass_accuracy(scores, labels, count, average="micro")),
        "precision": float(multiclass_precision(scores, labels, count, average="macro")),
        "recall": float(multiclass_recall(scores, labels, count, average="macro")),
        "f1": float(multiclass_f1_score(scores, labels, count, average="macro")),
        "calibration_error": float(multiclass_calibration_error(scores, labels, count, n_bins=15)),
    }


def _titles(encoder: Encoder, queries: Embedded, further: Sequence[Embedded]) -> dict[str, float]:
    """Titles of the queries, searched among the queries alone and among all products."""
    distinct = sorted({title for product in queries.products if (title := title_of(product))})
    if not distinct:
        return {}
    texts = encoder.encode_texts(distinct)
    figures: dict[str, float] = {}
    for name, parts in (("text_to_image", [queries]), ("title_to_product", [queries, *further])):
        titles = np.asarray([title_of(product) for part in parts for product in part.products], dtype=object)
        vectors = np.concatenate([part.embeddings for part in parts])
        hits = [titles[_nearest(text @ vectors.T, 10)] == title for text, title in zip(texts, distinct, strict=True)]
        figures[f"{name}_recall_at_1"] = float(np.mean([bool(found[:1].any()) for found in hits]))
        figures[f"{name}_recall_at_10"] = float(np.mean([bool(found.any()) for found in hits]))
    return figures


def _image_to_image(encoder: Encoder, queries: Embedded, gallery: Embedded, max_queries: int) -> dict[str, float]:
    rows = [row for row, product in enumerate(queries.products) if product.category][:max_queries]
    if not rows or len(gallery.products) < 2:
        return {}
    categories = np.asarray([product.category or "" for product in gallery.products], dtype=object)
    place = {product.id: column for column, product in enumerate(gallery.products)}
    searches = picture_queries(encoder, queries.embeddings[rows])
    found = []
    for row, search in zip(rows, searches, strict=True):
        product = queries.products[row]
        scores = search @ gallery.embeddings.T
        if product.id in place:
            scores[place[product.id]] = -np.inf
        found.append(categories[_nearest(scores, 10)] == product.category)
    return {
        "image_to_image_recall_at_1": float(np.mean([bool(hit[:1].any()) for hit in found])),
        "image_to_image_recall_at_10": float(np.mean([bool(hit.any()) for hit in found])),
        "category_share_at_10": float(np.mean([hit.mean() for hit in found])),
    }


def _nearest(scores: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.intp]:
    """Indices of the k highest scores, highest first."""
    k = min(k, len(scores))
    top = np.argpartition(-scores, k - 1)[:k]
    return top[np.argsort(-scores[top], kind="stable")]
