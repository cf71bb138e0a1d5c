"""A catalog's products in memory, with what was rejected on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from embedder.catalogs.picture_spool import PictureSpool
from embedder.catalogs.product import Product, ProductPicture, Rejection
from embedder.catalogs.registry import CatalogReader
from embedder.inputs.picture import PictureBytes

PICTURE_BYTES = 512 * 1024 * 1024
"""Most bytes of a catalog's own pictures that are kept in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """What a reader yielded."""

    products: tuple[Product, ...]
    rejections: tuple[Rejection, ...]


def load_catalog(reader: CatalogReader, picture_bytes: int = PICTURE_BYTES) -> Catalog:
    """Read a whole catalog; pictures stay where they are.

    Args:
        reader: of the catalog.
        picture_bytes: most bytes of pictures that the rows themselves hold, in memory; those of further rows go to a
            temporary file.

    Raises:
        CatalogError: the catalog cannot be read, or there is no space for its pictures.
    """
    products: list[Product] = []
    rejections: list[Rejection] = []
    spool: PictureSpool | None = None
    left = picture_bytes
    for row in reader.read():
        if isinstance(row, Product):
            held = sum(len(picture.source.data) for picture in row.pictures if isinstance(picture.source, PictureBytes))
            left -= held
            if held and left < 0:
                spool = spool or PictureSpool()
                products.append(replace(row, pictures=tuple(_spooled(picture, spool) for picture in row.pictures)))
                continue
            products.append(row)
        else:
            rejections.append(row)
    return Catalog(tuple(products), tuple(rejections))


def _spooled(picture: ProductPicture, spool: PictureSpool) -> ProductPicture:
    if not isinstance(picture.source, PictureBytes):
        return picture
    return replace(picture, source=spool.add(picture.source.data))


def data_hash(products: Iterable[Product]) -> str:
    """SHA-256 (hex) over ids, titles and categories, in order: which data a model was trained on."""
    digest = hashlib.sha256()
    for product in products:
        digest.update(repr((product.id, product.title, product.category)).encode())
    return digest.hexdigest()
