"""Batches of products to tune on: batch k follows from the seed and k alone, so that resuming needs no more than k."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.training.heads.attribute_labels import AttributeLabels
from embedder.training.heads.captions import Captions, CaptionTable
from embedder.training.heads.losses import NO_CATEGORY
from embedder.training.pictures.shots import Shot
from embedder.training.settings import TuneSettings
from embedder.training.tuning.augmentation import compress
from embedder.training.tuning.pixel_cache import PixelCache

_FURTHER_SHARE = 0.5
"""How often a further picture of a product is taken, where it has one, in place of a view of its main one."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one step learns from: n pictures of b products, k of which have a caption.

    Attributes:
        pixels: uint8 (n, 3, side, side).
        rows: int64 (n,), each picture's product in the training products.
        slots: int64 (n,), each picture's product in this batch, 0..b-1.
        groups: int64 (n,), the same for pictures of one thing (see `TuneSettings.variants`).
        labels: int64 (n,), category; `NO_CATEGORY` where it has none.
        attributes: float32 (n, values of all attributes), the share of each among the product's own; 0 of all of an
            attribute's where nothing is known.
        captions: int64 (b,), the caption drawn for each product, its place in `Captions`.
        texts: its features, float32 (b, text width).
        worded: bool (b,), which products have a caption.
        describes: bool (b, b), whether the caption drawn for product j (column) is right for product i: one of its own,
            or of its variant group.
    """

    pixels: torch.Tensor
    rows: torch.Tensor
    slots: torch.Tensor
    groups: torch.Tensor
    labels: torch.Tensor
    attributes: torch.Tensor
    captions: torch.Tensor
    texts: torch.Tensor
    worded: torch.Tensor
    describes: torch.Tensor


class Batches:
    """Draws batches. Calls from several threads are allowed."""

    def __init__(
        self,
        products: Sequence[Product],
        categories: Sequence[str],
        captions: Captions,
        pixels: PixelCache,
        settings: TuneSettings,
        wording_cosine: float,
        seed: int,
        attributes: Sequence[AttributeLabels] = (),
    ) -> None:
        """Take n products with readable main pictures, 2 or more."""
        label_of = {category: label for label, category in enumerate(categories)}
        numbers: dict[tuple[str, ...], int] = {}
        self._products = products
        self._labels = torch.tensor([label_of.get(product.category or "", NO_CATEGORY) for product in products])
        targets = [labels.targets(products) for labels in attributes]
        self._attributes = torch.from_numpy(
            np.concatenate(targets, axis=1) if targets else np.zeros((len(products), 0), dtype=np.float32)
        )
        things = [_thing(product, settings) for product in products]
        self._groups = torch.tensor([numbers.setdefault(thing, len(numbers)) for thing in things])
        self._families = _families(products)
        self._captions = CaptionTable(captions, products)
        self._pixels = pixels
        self._settings = settings
        self._wording_cosine = wording_cosine
        self._seed = seed
        self._orders: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._products)

    @property
    def side(self) -> int:
        """Of the pictures in a batch, pixels."""
        return self._pixels.side

    def draw(self, step: int) -> Batch:
        """The batch of a step, counted from 0."""
        wanted = min(self._settings.products, len(self._products))
        taken = np.asarray([self._row(step * wanted + slot) for slot in range(wanted)])
        pixels: list[torch.Tensor] = []
        slots: list[int] = []
        for slot, row in enumerate(taken.tolist()):
            for number in range(self._settings.pictures):
                found = self._picture(row, np.random.default_rng([self._seed, step, slot, number]))
                if found is not None:
                    pixels.append(found)
                    slots.append(slot)
        generator = torch.Generator().manual_seed(step_seed(self._seed, step, "batch"))
        places, rows = torch.tensor(slots, dtype=torch.long), torch.from_numpy(taken)
        drawn = self._captions.draw(rows, self._wording_cosine, generator)
        describes = self._groups[rows][:, None] == self._groups[rows][None, :]
        worded = drawn.worded
        describes[worded.nonzero(), worded.nonzero().t()] |= drawn.describes
        side = self._pixels.side
        stacked = torch.stack(pixels) if pixels else torch.empty((0, 3, side, side), dtype=torch.uint8)
        return Batch(
            pixels=compress(stacked, self._settings, generator),
            rows=rows[places],
            slots=places,
            groups=self._groups[rows][places],
            labels=self._labels[rows][places],
            attributes=self._attributes[rows][places],
            captions=drawn.places,
            texts=drawn.features,
            worded=worded,
            describes=describes,
        )

    def _row(self, position: int) -> int:
        """Which product stands where, in passes that follow each other, each in an order of its own."""
        turn, place = divmod(position, len(self._products))
        order = self._orders.get(turn)
        if order is None:
            order = self._order(turn)
            self._orders[turn] = order
            # Those of two passes are in use at a time.
            self._orders.pop(turn - 3, None)
        return int(order[place])

    def _order(self, turn: int) -> np.ndarray:
        """Of all products in one pass; in every second one families stay together."""
        random = np.random.default_rng([self._seed, turn])
        if not (self._settings.related and turn % 2 and len(self._families) < len(self._products)):
            return random.permutation(len(self._products))
        shuffled = random.permutation(len(self._families))
        return np.concatenate([random.permutation(self._families[place]) for place in shuffled])

    def _picture(self, row: int, random: np.random.Generator) -> torch.Tensor | None:
        product, settings = self._products[row], self._settings
        picture, view = 0, None
        if random.random() < settings.view_share:
            if len(product.pictures) > 1 and random.random() < _FURTHER_SHARE:
                picture = int(random.integers(1, len(product.pictures)))
            else:
                view = _view_seed(product, picture, int(random.integers(settings.views)))
        found = self._pixels.get(Shot(product, picture, view))
        if found is None and picture:
            # A further picture that cannot be read is no reason to leave the product out.
            found = self._pixels.get(Shot(product))
        return None if found is None else torch.from_numpy(found)


def step_seed(seed: int, step: int, purpose: str) -> int:
    """A seed of a step's own for one purpose, 0 to 2^63 - 1."""
    digest = hashlib.sha256(f"{seed} {step} {purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _thing(product: Product, settings: TuneSettings) -> tuple[str, ...]:
    """What is one thing with it to the instance loss; no product's id is taken for a group's name."""
    if not product.variant_group or settings.variants == "apart":
        return ("product", product.id)
    if settings.variants == "alike":
        return ("group", product.variant_group)
    return ("group", product.variant_group, title_of(product))


def _families(products: Sequence[Product]) -> list[np.ndarray]:
    """Places of variants of each other, and of each product that has none."""
    found: dict[tuple[str, str], list[int]] = {}
    for place, product in enumerate(products):
        key = ("group", product.variant_group) if product.variant_group else ("product", product.id)
        found.setdefault(key, []).append(place)
    return [np.asarray(places) for places in found.values()]


def _view_seed(product: Product, picture: int, number: int) -> int:
    key = f"tuning {picture} {number} {product.id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(key).digest()[:6], "big")
