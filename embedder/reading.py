"""A catalog's products in memory, with what was rejected on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from embedder.catalog import CatalogReader
from embedder.errors import PictureError
from embedder.picture import PictureFile, PicturePixels, decode_picture
from embedder.product import Product, Rejection

LEAST_SIDE = 96
"""Smallest automatic input side: below it a convolutional tower's last map has too few cells to tell shapes apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """What a reader yielded."""

    products: tuple[Product, ...]
    rejections: tuple[Rejection, ...]


def load_catalog(reader: CatalogReader) -> Catalog:
    """Read a whole catalog; pictures stay where they are unless the catalog holds them itself."""
    products: list[Product] = []
    rejections: list[Rejection] = []
    for row in reader.read():
        if isinstance(row, Product):
            products.append(row)
        else:
            rejections.append(row)
    return Catalog(tuple(products), tuple(rejections))


def data_hash(products: Iterable[Product]) -> str:
    """SHA-256 (hex) over ids, titles and categories, in order: which data a model was trained on."""
    digest = hashlib.sha256()
    for product in products:
        digest.update(repr((product.id, product.title, product.category)).encode())
    return digest.hexdigest()


def fitting_image_size(products: Iterable[Product], largest: int, sample: int = 64) -> int:
    """The input side that a catalog's pictures deserve: three times their median shorter side, in steps of 32.

    Upscaling tiny pictures some keeps the tower's strides from eating them up; upscaling them further helps little, and
    costs up to seven times as much in training and indexing.

    Args:
        products: in a shuffled order.
        largest: the model's own side, never exceeded.
        sample: how many pictures to look at.
    """
    sides = sorted(side for product in list(products)[:sample] if (side := _shorter_side(product)) is not None)
    if not sides:
        return largest
    wanted = 3 * sides[len(sides) // 2]
    return min(largest, max(LEAST_SIDE, -(-wanted // 32) * 32))


def _shorter_side(product: Product) -> int | None:
    picture = product.picture
    if isinstance(picture, PicturePixels):
        return int(min(picture.pixels.shape[:2]))
    try:
        # Small drafts are enough: only a picture's being smaller than the model's input matters.
        return min(decode_picture(picture, draft_side=256 if isinstance(picture, PictureFile) else None).image.size)
    except PictureError:
        return None
