"""The model that a training starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embedder.encoder import Encoder, open_encoder
from embedder.export.base_bundles import resolve_bundle
from embedder.export.image_size import base_image_size
from embedder.instance_map import load_instance
from embedder.settings import EmbedderSettings
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import Projection, TowerName, is_trainable, split, untrainable
from embedder.training.comparison import Stage
from embedder.training.instance.part import InstancePart
from embedder.training.split_products import SplitCatalog, TrainRequest


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The model that a training starts from.

    Attributes:
        folder: its bundle.
        encoder: it, opened.
        projections: its own (image, text).
        stage: it as it is; one that was trained has a head and an instance part already.
    """

    folder: Path
    encoder: Encoder
    projections: tuple[Projection, Projection]
    stage: Stage


def open_base(request: TrainRequest, config: EmbedderSettings, catalog: SplitCatalog) -> Base:
    """Find the base model, at a picture size that fits the catalog, and open it.

    Raises:
        ModelError: there is no such model, or none that can be trained.
    """
    folder = resolve_bundle(
        request.model,
        config.cache_dir,
        base_image_size(request.model, request.image_size, catalog.training, config.picture_limits()),
        with_levels=config.instance.dim > 0,
    )
    projections = own_projections(folder)
    encoder = open_encoder(folder, threads=config.threads, device=config.device)
    instance = load_instance(folder)
    part = None if instance is None else InstancePart(instance, encoder.space, (), 0)
    return Base(folder, encoder, projections, Stage(*projections, encoder.head, part))


def own_projections(folder: Path) -> tuple[Projection, Projection]:
    """The base model's own (image, text), once both towers are known to take what training makes of them."""
    model = load_folder(folder)
    towers: tuple[TowerName, TowerName] = ("image", "text")
    for tower in towers:
        if not is_trainable(model, tower):
            raise untrainable(model, tower)
    return split(model, "image")[1], split(model, "text")[1]
