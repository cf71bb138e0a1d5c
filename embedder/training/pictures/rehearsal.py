"""Pictures of other kinds than a shop's, on which training holds on to what the base says of them.

They are drawn: one half shows nothing in particular (see `procedural`), the other half products of the studio, plain
and as a photo would show them. What the base knows is asked of the base, so no labels are needed. The kinds that the
retention suite asks for are not among them: a model is not examined on what it has rehearsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Self

import torch
from torch.nn import functional

from embedder.catalogs.product import Product, ProductPicture
from embedder.datasets.studio.items import load_item
from embedder.datasets.studio.reader import to_product
from embedder.datasets.studio.views import CLEAN
from embedder.encoder import Encoder
from embedder.inputs.picture import DrawnPicture
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings
from embedder.towers.projection import Projection
from embedder.training.pictures.features import Features, compute_features
from embedder.training.pictures.procedural import draw_procedural
from embedder.training.pictures.shots import Shot
from embedder.training.retention.parts import STUDIO_KINDS

SEED = 31_415
"""Of the drawings; no other catalog of the project has it."""


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsal:
    """What the base sees in r pictures.

    Attributes:
        features: float32 (r, width).
        embeddings: the base's semantic embeddings, float32 (r, dim), unit.
        with_studio: see `rehearsal_shots`.
    """

    features: torch.Tensor
    embeddings: torch.Tensor
    with_studio: bool

    def __len__(self) -> int:
        return len(self.features)

    @classmethod
    def of(cls, features: Features, image: Projection, with_studio: bool) -> Self:
        """From what was computed of the shots, and the base's own image projection."""
        values = torch.from_numpy(features.values)
        return cls(values, functional.normalize(image(values), dim=1), with_studio)


def rehearsal_shots(count: int, with_studio: bool) -> tuple[Shot, ...]:
    """So many pictures.

    Args:
        count: how many; fewer are the first ones of more.
        with_studio: whether every second one shows a product of the studio. Not where the catalog is the studio's own:
            what training learns of its pictures is what these would hold back.
    """
    if not with_studio:
        return _procedural_shots(count)
    drawn, studio = _procedural_shots((count + 1) // 2), _studio_shots(count // 2)
    return tuple((drawn if number % 2 == 0 else studio)[number // 2] for number in range(count))


@cache
def _procedural_shots(count: int) -> tuple[Shot, ...]:
    shots = []
    for number in range(count):
        name = f"procedural-{number}"
        picture = DrawnPicture(partial(draw_procedural, number), f"{name}-1")
        shots.append(Shot(Product(name, "", (ProductPicture(picture, name),))))
    return tuple(shots)


@cache
def _studio_shots(count: int) -> tuple[Shot, ...]:
    """Two of a product: as it is, and as a photo would show it."""
    known = set(STUDIO_KINDS)
    shots: list[Shot] = []
    number = 0
    while len(shots) < count:
        item = load_item(SEED, number)
        # Kinds that are for the studio's own tests stay unseen, also without labels.
        if item.kind not in known and item.family.split == "train":
            product = to_product(item, (CLEAN,))
            shots += [Shot(product), Shot(product, 0, number)]
        number += 1
    return tuple(shots[:count])


def load_rehearsal(
    encoder: Encoder,
    image: Projection,
    count: int,
    with_studio: bool,
    config: EmbedderSettings,
    progress: ProgressReport,
    budget_s: float | None = None,
) -> Rehearsal | None:
    """Look at `count` pictures with the base; None where none are wanted.

    Args:
        encoder, image: the base, and its image projection.
        count, with_studio: see `rehearsal_shots`.
        config: of the cache.
        progress: shows a step of its own.
        budget_s: how long to look, seconds; the first chunk of pictures is looked at in any case. None: at all.
    """
    if count == 0:
        return None
    step = progress.step("rehearsal", count)
    found = compute_features(
        encoder,
        rehearsal_shots(count, with_studio),
        config.cache_dir,
        decode_threads=config.decode_threads,
        budget_s=budget_s,
        on_progress=step.advance,
    )
    if len(found.shots) < count:
        step.update(total=len(found.shots), note="(time budget)")
    return Rehearsal.of(found, image, with_studio)
