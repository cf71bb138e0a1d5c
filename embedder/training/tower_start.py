"""Where a training of the towers begins: what makes it the same one as another, and what is written down first."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from embedder import bundle
from embedder.catalogs.loading import Catalog, data_hash
from embedder.inputs.picture import Picture, PictureFile, RemotePicture
from embedder.settings import EmbedderSettings
from embedder.training.base_model import Base
from embedder.training.comparison import Stage
from embedder.training.instance.part import embed, make_instance_part
from embedder.training.pictures.gathering import VALIDATION_VIEWED, Gathered
from embedder.training.pictures.rehearsal import Rehearsal
from embedder.training.pictures.shots import companions
from embedder.training.split_products import SplitCatalog, TrainRequest, split_products
from embedder.training.tuning.model import Ends
from embedder.training.tuning.stage import HeldOut
from embedder.training.tuning.start import TuningStart

_BEGUN = 2
"""Grows where a training that an older release began could not go on, as its start means something else by now."""


def split_as_begun(
    request: TrainRequest, config: EmbedderSettings, everything: Catalog, start: TuningStart | None
) -> SplitCatalog:
    """As when the tuning began: whether pictures are compared must not depend on how long that takes today."""
    if start is None:
        return split_products(request, config, everything)
    whole = replace(request, budget_s=None)
    split = split_products(whole, config, everything, start.not_compared)
    return replace(split, left_s=request.budget_s)


def held_out_of(start: TuningStart, everything: Catalog, config: EmbedderSettings) -> HeldOut:
    """Products that the tuning is watched on, with views and further pictures of the first ones."""
    products = start.chosen_held_out(everything.products)
    viewed = products[:VALIDATION_VIEWED]
    return HeldOut(products, companions(viewed, config.instance.pictures, 2 * len(viewed)))


def identify(request: TrainRequest, config: EmbedderSettings, everything: Catalog) -> dict[str, Any]:
    """What makes a training the same one as another."""
    path = Path(request.model)
    free = {"checkpoint_s": 0.0, "pixel_cache_mb": 0}
    return {
        "begun": _BEGUN,
        "catalog": data_hash(everything.products),
        "model": bundle.load_info(path).fingerprint if bundle.is_bundle(path) else request.model,
        "image_size": request.image_size,
        "budget_s": request.budget_s,
        "max_products": request.max_products,
        "columns": request.columns,
        "outside": request.allow_outside_pictures,
        "max_image_pixels": config.max_image_pixels,
        "pictures": _pictures_hash(everything),
        "train": config.train.to_dict(),
        "tune": config.tune.to_dict() | free,
        "instance": config.instance.to_dict(),
        "attributes": config.attributes.to_dict(),
        "seed": config.seed,
    }


def _pictures_hash(everything: Catalog) -> str:
    """SHA-256 (hex) over what `data_hash` leaves out: splits, variant groups, and where pictures are."""
    digest = hashlib.sha256()
    for product in everything.products:
        names = [(picture.name, _place(picture.source)) for picture in product.pictures]
        digest.update(repr((product.split, product.variant_group, names)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _place(picture: Picture) -> str:
    if isinstance(picture, RemotePicture):
        return picture.url
    return str(picture.path) if isinstance(picture, PictureFile) else ""


def build_start(
    base: Base,
    ends: Stage,
    gathered: Gathered,
    rehearsal: Rehearsal | None,
    catalog: SplitCatalog,
    config: EmbedderSettings,
    left_s: float | None,
) -> TuningStart:
    """What a tuning starts from: trained ends behind the base's towers, and the instance part in closed form.

    Args:
        left_s: for the steps, seconds; None: there is no budget.
    """
    part = make_instance_part(gathered, ends.image, base.encoder.info.level_widths, config.instance)
    head = ends.head
    dim = len(ends.image.weight)
    weight, bias = (
        (np.zeros((1, dim), np.float32), np.zeros(1, np.float32)) if head is None else (head.weight, head.bias)
    )
    return TuningStart(
        products=gathered.training.product_ids,
        held_out=gathered.validation.product_ids,
        categories=() if head is None else head.categories,
        ends=Ends(
            ends.image,
            ends.text,
            (torch.from_numpy(weight), torch.from_numpy(bias)),
            None if part is None else part.instance,
        ),
        teacher=torch.from_numpy(embed(base.projections[0], gathered.training)),
        rehearsal=None if rehearsal is None else rehearsal.embeddings,
        rehearses_studio=rehearsal is not None and rehearsal.with_studio,
        budget_s=left_s,
        not_compared=catalog.report.not_compared,
    )
