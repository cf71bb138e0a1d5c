"""What categories are called, as a prior of the head: most have a handful of pictures, and all have a name.

A name's embedding is added to a category's weights, so the head stays a linear map; how much of it, held-out products
decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.recognition.calibration import fit_temperature
from embedder.recognition.head import CategoryHead, softmax
from embedder.towers.projection import Projection
from embedder.training.heads.captions import text_embeddings

SCALES = (0.0, 2.0, 4.0, 8.0, 12.0, 16.0)
"""Factors of the names' embeddings that are tried."""

_GAIN = 0.02
"""By how much the likelihood of a product's category, in nats, must grow for a larger share of the names."""


def name_embeddings(encoder: Encoder, text: Projection, categories: Sequence[str]) -> npt.NDArray[np.float32]:
    """Of all levels of each category's path, float32 (c, dim), unit."""
    words = [category.replace("/", " ").replace("_", " ").replace("-", " ") for category in categories]
    return text_embeddings(encoder, text, words)


def with_names(
    head: CategoryHead,
    names: npt.NDArray[np.float32],
    embeddings: npt.NDArray[np.float32],
    labels: npt.NDArray[np.integer],
) -> CategoryHead:
    """The head with as much of the names as makes held-out products' categories likeliest.

    Args:
        head: as trained; its temperatures are left as they are.
        names: embeddings of the categories' names, float32 (c, dim), unit.
        embeddings: semantic embeddings of held-out pictures, float32 (n, dim), unit; n may be 0.
        labels: their categories, (n,), 0..c-1.
    """
    if len(labels) == 0:
        return head
    # A trained head's logits are about as large as it is sure; names are added on the scale of calibrated ones.
    logits = embeddings @ head.weight.T + head.bias
    temperature = fit_temperature(logits, labels)
    cosines = embeddings @ names.T
    best, chosen = -np.inf, 0.0
    for scale in SCALES:
        likelihood = _likelihood(logits / temperature + scale * cosines, labels)
        if likelihood > best + _GAIN:
            best, chosen = likelihood, scale
    if chosen == 0.0:
        return head
    weight = (head.weight / temperature + chosen * names).astype(np.float32)
    return CategoryHead(head.categories, weight, (head.bias / temperature).astype(np.float32), head.temperatures)


def _likelihood(logits: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]) -> float:
    """Mean logarithm of the true category's probability, at the best temperature."""
    found = softmax(logits / fit_temperature(logits, labels))[np.arange(len(labels)), labels]
    return float(np.log(np.maximum(found, 1e-12)).mean())
