"""Pictures of other kinds than a shop's, on which training holds on to what the base says of them.

They are drawn: products of the studio, plain and as a photo would show them. What the base knows is asked of the base,
so no labels are needed. The kinds that the retention suite asks for are not among them: a model is not examined on what
it has rehearsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import torch
from torch.nn import functional

from embedder.datasets.studio.items import load_item
from embedder.datasets.studio.reader import to_product
from embedder.datasets.studio.views import CLEAN
from embedder.encoder import Encoder
from embedder.progress import ProgressReport
from embedder.settings import EmbedderSettings
from embedder.towers.projection import Projection
from embedder.training.pictures.features import Features, compute_features
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
    """

    features: torch.Tensor
    embeddings: torch.Tensor

    def __len__(self) -> int:
        return len(self.features)

    @classmethod
    def of(cls, features: Features, image: Projection) -> Self:
        """From what was computed of the shots, and the base's own image projection."""
        values = torch.from_numpy(features.values)
        return cls(values, functional.normalize(image(values), dim=1))


@cache
def rehearsal_shots(count: int) -> tuple[Shot, ...]:
    """So many pictures, two of a product: as it is, and as a photo would show it."""
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
    encoder: Encoder, image: Projection, count: int, config: EmbedderSettings, progress: ProgressReport
) -> Rehearsal | None:
    """Look at `count` pictures with the base; None where none are wanted."""
    if count == 0:
        return None
    step = progress.step("rehearsal", count)
    found = compute_features(
        encoder,
        rehearsal_shots(count),
        config.cache_dir,
        decode_threads=config.decode_threads,
        on_progress=step.advance,
    )
    return Rehearsal.of(found, image)
