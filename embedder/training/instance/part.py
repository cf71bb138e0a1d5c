"""The instance part of one catalog: its map, what the index keeps of the semantic part, and how much each counts."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from embedder.errors import TrainingError
from embedder.index_space import IndexSpace
from embedder.instance_map import InstanceMap
from embedder.towers.projection import Projection
from embedder.training.instance.weights import DEFAULT_WEIGHT, Parts, WeightFigures, fit_instance_weight
from embedder.training.instance.whitening import LevelSamples, fit_instance, kept_directions, owners_of
from embedder.training.pictures.features import Features, first_features, join_features
from embedder.training.pictures.gathering import Gathered
from embedder.training.settings import InstanceSettings

SEARCHING, SEARCHED = 2_000, 5_000
"""Validation pictures that search for their kind, and main pictures that are searched, their own among them, when the
weight is chosen. All weights are tried, so that twice as many of both take four times as long; and an instance part
finds things of a kind the better the more there are, so that what holds in a small gallery holds in a large one."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class InstancePart:
    """What a catalog's instance part is.

    Attributes:
        instance: from levels to the instance part.
        space: how index vectors are made of both parts.
        weights: what each weight gave on the validation products; empty where there were none.
        pairs: how many pictures and views were paired with main pictures.
    """

    instance: InstanceMap
    space: IndexSpace
    weights: tuple[WeightFigures, ...]
    pairs: int


def make_instance_part(
    gathered: Gathered,
    image: Projection,
    widths: tuple[int, ...],
    settings: InstanceSettings,
    trained: InstanceMap | None = None,
) -> InstancePart | None:
    """Solve for the map on the training products, and choose the weight on the validation products.

    Args:
        gathered: features and levels.
        image: the trained image projection, from features to semantic embeddings.
        widths: length of each level.
        settings: see there.
        trained: a map that was trained with the tower; taken unless the solved one finds more validation products.

    Returns:
        None where the settings or the tower do not want one, or the pictures do not permit one; the log says which.
    """
    if settings.dim == 0 or not widths:
        return None
    samples = join_features([gathered.sample, gathered.pairs])
    if samples.levels is None:
        _log.warning("no instance part is made: there are no training products with readable pictures")
        return None
    owners = owners_of([product.id for product in samples.products])
    drawn = np.asarray([shot.view is not None for shot in samples.shots])
    try:
        instance = fit_instance(
            LevelSamples(samples.levels, owners, widths, drawn), min(settings.dim, sum(widths)), settings.ridge
        )
    except TrainingError as error:
        if trained is None:
            _log.warning("no instance part is made: %s; vectors are the semantic part alone", error)
            return None
        instance = trained
    if trained is not None:
        instance = _better(trained, instance, gathered)
    kept = kept_directions(embed(image, gathered.sample), settings.semantic_dim)
    space = IndexSpace(len(image.weight), kept, instance.dim, DEFAULT_WEIGHT)
    searching = first_features(gathered.validation, SEARCHING)
    gallery = join_features([searching, first_features(gathered.sample, SEARCHED - len(searching.shots))])
    weight, figures = fit_instance_weight(
        views=to_parts(gathered.validation_pairs, image, instance, space),
        pictures=to_parts(searching, image, instance, space),
        gallery=to_parts(gallery, image, instance, space),
    )
    return InstancePart(
        instance, IndexSpace(len(image.weight), kept, instance.dim, weight), figures, len(gathered.pairs.shots)
    )


def _better(trained: InstanceMap, solved: InstanceMap, gathered: Gathered) -> InstanceMap:
    """The one under which more views and further pictures of validation products find their product first."""
    gallery = join_features([gathered.validation, gathered.sample])
    asking = gathered.validation_pairs
    if asking.levels is None or gallery.levels is None or not len(asking.shots):
        return trained
    owners, own = (np.asarray(features.product_ids, dtype=object) for features in (gallery, asking))
    found = []
    for instance in (trained, solved):
        searched = instance.apply(gallery.levels.astype(np.float32))
        nearest = (instance.apply(asking.levels.astype(np.float32)) @ searched.T).argmax(axis=1)
        found.append(float((owners[nearest] == own).mean()))
    _log.info("instance part: trained with the tower %.4f, solved behind it %.4f of validation views", *found)
    return trained if found[0] >= found[1] else solved


def embed(image: Projection, features: Features) -> npt.NDArray[np.float32]:
    """Semantic embeddings, float32 (n, dim), unit length."""
    if not len(features.shots):
        return np.empty((0, len(image.weight)), dtype=np.float32)
    with torch.no_grad():
        return functional.normalize(image(torch.from_numpy(features.values)), dim=1).numpy()


def to_parts(features: Features, image: Projection, instance: InstanceMap | None, space: IndexSpace) -> Parts:
    """Both parts of pictures as an index holds them; without a map or levels the instance part has no values."""
    ids = [product.id for product in features.products]
    categories = [product.category for product in features.products]
    semantic = embed(image, features)
    if instance is None or features.levels is None:
        return Parts(
            ids, categories, semantic, np.zeros((len(ids), 0 if instance is None else instance.dim), np.float32)
        )
    vectors = space.picture_vectors(semantic, instance.apply(features.levels.astype(np.float32)))
    vectors = vectors * np.float32(np.sqrt(2.0))
    return Parts(ids, categories, vectors[:, : space.kept_dim], vectors[:, space.kept_dim :])
