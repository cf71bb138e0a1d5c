"""A catalog's products in memory, with what was rejected on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from embedder.catalogs.product import Product, Rejection
from embedder.catalogs.registry import CatalogReader


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
