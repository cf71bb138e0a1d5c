"""Rolls of products, as a build keeps them, from pictures that are drawn here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from embedder.catalogs.product import Product, ProductPicture
from embedder.catalogs.siblings.perceptual_hash import hash_picture
from embedder.inputs.picture import PictureBytes, PictureLimits, decode_picture
from indexer.quality.picture_traits import PictureTraits
from indexer.quality.roll import ProductRoll
from tests.indexer.conftest import DIM, unit_rows


@dataclass(frozen=True)
class Shown:
    """A product with its pictures, each one file's bytes, and their vectors; None: any."""

    id: str
    pictures: Sequence[bytes]
    title: str = ""
    category: str | None = None
    vectors: np.ndarray | None = None


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def traits_of(data: bytes) -> PictureTraits:
    picture = PictureBytes(data)
    return PictureTraits(hash_picture(picture, PictureLimits()), *decode_picture(picture).image.size)


def fill(roll: ProductRoll, shown: Sequence[Shown]) -> None:
    """Add products one by one; where no vectors are given, all are the same."""
    for item in shown:
        product = Product(
            item.id,
            item.title,
            tuple(ProductPicture(PictureBytes(data)) for data in item.pictures),
            category=item.category,
        )
        vectors = np.repeat(unit_rows(1), len(item.pictures), axis=0) if item.vectors is None else item.vectors
        roll.add([product], [len(item.pictures)], vectors, [traits_of(data) for data in item.pictures])


def roll_in(folder: Path) -> ProductRoll:
    return ProductRoll(DIM, folder)
