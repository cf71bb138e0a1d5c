"""What index vectors tell of a picture's category beyond its place among words.

The projection into the space of words keeps what a thing is called and drops how it is drawn: a cartoon's category and
a photograph's differ by style, letters' by their strokes. The instance part keeps that. A linear classifier on the
whole index vector is fitted beside the head, and held-out pictures decide how much each of the two counts.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from embedder.recognition.calibration import fit_temperature
from embedder.recognition.head import CategoryHead, PictureWeights, softmax
from embedder.towers.projection import Projection
from embedder.training.heads.multinomial import fit_multinomial
from embedder.training.instance.part import InstancePart, embed
from embedder.training.pictures.features import Features, join_features
from embedder.training.pictures.gathering import Gathered

RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Weights of the prior that the coefficients are 0, which are tried."""

SHARES = (0.0, 0.25, 0.5, 0.75)
"""Of the head by the semantic embedding, beside the rest by the index vector, which are tried."""

_SCALE = 14.0
"""Unit vectors are multiplied with it, so that the ridges above suit them."""

_LEAST_HELD_OUT = 20
"""Pictures; with fewer there is nothing to decide by."""

_GAIN = 0.01
"""By how much the likelihood of a held-out picture's category, in nats, must grow."""

_MOST_WORK = 2e10
"""Products of pictures, categories and dimensions in one pass of the fit; above it, fewer pictures are taken."""

_log = logging.getLogger(__name__)


def with_picture_weights(
    head: CategoryHead, image: Projection, part: InstancePart | None, gathered: Gathered
) -> CategoryHead:
    """The head with picture weights where these make held-out pictures' categories likelier, else without.

    What they add to views and to other hands' pictures must not be taken from the catalog's own: a tower that was tuned
    on upright pictures alone knows little of views, and weights that make up for that may know less of what it does.

    Args:
        head: with the categories' names and temperatures; picture weights that it has are of another index space, and
            are not used.
        image: the image projection of the same stage.
        part: the instance part of the same stage; None where it has none.
        gathered: features and levels, by the same towers.
    """
    if head.picture is not None:
        head = _by_semantic_alone(head, image, gathered.validation)
    if part is None:
        return head
    learnt, held = (
        _Vectors(join_features(list(features)), head, image, part)
        for features in ((gathered.sample, gathered.pairs), (gathered.validation, gathered.validation_pairs))
    )
    main = held.is_main
    if len(held.labels) < _LEAST_HELD_OUT or not main.any() or len(np.unique(learnt.labels)) < 2:
        return head
    rows = _affordable(learnt, len(head.categories))
    semantic = held.semantic @ head.weight.T + head.bias
    semantic_temperature = fit_temperature(semantic, held.labels)
    least = _likelihood(semantic[main], held.labels[main])
    best = (_likelihood(semantic, held.labels) + _GAIN, head)
    for ridge in RIDGES:
        weight, bias = fit_multinomial(learnt.index[rows], learnt.labels[rows], len(head.categories), ridge, _SCALE)
        by_vector = held.index @ weight.T + bias
        temperature = fit_temperature(by_vector, held.labels)
        for share in SHARES:
            logits = share / semantic_temperature * semantic + (1.0 - share) / temperature * by_vector
            likelihood = _likelihood(logits, held.labels)
            if likelihood > best[0] and _likelihood(logits[main], held.labels[main]) >= least:
                factor = np.float32((1.0 - share) / temperature)
                picture = PictureWeights(weight * factor, bias * factor, share / semantic_temperature)
                best = (likelihood, replace(head, picture=picture))
    found = best[1]
    if found.picture is None:
        _log.info("category head: the index vector adds nothing to the semantic embedding")
        return found
    # As before, what a probability says holds for pictures like the catalog's own.
    logits = held.semantic[main] @ head.weight.T + head.bias
    logits = logits * found.picture.semantic_share + found.picture.logits(held.index[main])
    temperatures = {**found.temperatures, "image": fit_temperature(logits, held.labels[main])}
    _log.info(
        "category head: by the index vector too; likelihood of held-out pictures' categories %.3f, without %.3f",
        best[0],
        _likelihood(semantic, held.labels),
    )
    return replace(found, temperatures=temperatures)


def _by_semantic_alone(head: CategoryHead, image: Projection, validation: Features) -> CategoryHead:
    """The head without picture weights, with a temperature for what is left."""
    place = {category: label for label, category in enumerate(head.categories)}
    labels = np.asarray([place.get(product.category or "", -1) for product in validation.products], dtype=np.int64)
    known = labels >= 0
    logits = embed(image, validation)[known] @ head.weight.T + head.bias
    return replace(
        head, picture=None, temperatures={**head.temperatures, "image": fit_temperature(logits, labels[known])}
    )


class _Vectors:
    """Pictures whose categories the head knows: labels (n,), semantic embeddings and index vectors, (n, dim)."""

    def __init__(self, features: Features, head: CategoryHead, image: Projection, part: InstancePart) -> None:
        place = {category: label for label, category in enumerate(head.categories)}
        labels = np.asarray([place.get(product.category or "", -1) for product in features.products], dtype=np.int64)
        known = labels >= 0
        if features.levels is None:
            known[:] = False
        self.labels = labels[known]
        self.is_main = np.asarray([shot.is_main for shot in features.shots], dtype=bool)[known]
        self.semantic = embed(image, features)[known]
        self.index = np.empty((0, part.space.dim), dtype=np.float32)
        if features.levels is not None and known.any():
            instance = part.instance.apply(features.levels[known].astype(np.float32))
            self.index = part.space.picture_vectors(self.semantic, instance)


def _affordable(learnt: _Vectors, categories: int) -> npt.NDArray[np.intp]:
    """Which pictures the fit takes: all, or an evenly spread part."""
    count, dim = learnt.index.shape
    most = max(1_000, int(_MOST_WORK / (categories * dim)))
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))


def _likelihood(logits: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]) -> float:
    """Mean logarithm of the true category's probability, at the best temperature."""
    found = softmax(logits / fit_temperature(logits, labels))[np.arange(len(labels)), labels]
    return float(np.log(np.maximum(found, 1e-12)).mean())
