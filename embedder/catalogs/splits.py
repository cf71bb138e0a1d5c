"""Which products train, validate and test.

The split of a product follows from its id alone, so training and evaluation agree without keeping lists, and a product
stays in its split when the catalog grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from embedder.catalogs.product import Product, Split

VALIDATION_PERCENT = 10
TEST_PERCENT = 10


def split_of(product: Product) -> Split:
    """The split that a product belongs to.

    A published benchmark's own test split stays untouched; of its training split 10 % are set aside for validation.
    Elsewhere 80 % train, 10 % validate, 10 % test.
    """
    bucket = int.from_bytes(hashlib.sha256(product.id.encode("utf-8", "surrogatepass")).digest()[:8], "big") % 100
    if product.split in ("validation", "test"):
        return product.split
    if bucket < VALIDATION_PERCENT:
        return "validation"
    if product.split is None and bucket < VALIDATION_PERCENT + TEST_PERCENT:
        return "test"
    return "train"


def in_split(products: Iterable[Product], split: Split) -> list[Product]:
    """Those of one split, in order."""
    return [product for product in products if split_of(product) == split]


def shuffled(products: Iterable[Product], seed: int) -> list[Product]:
    """In an order that depends on the seed and on each product's id only: a prefix of it is a uniform sample."""
    salt = str(seed).encode()
    return sorted(
        products, key=lambda product: hashlib.sha256(salt + product.id.encode("utf-8", "surrogatepass")).digest()
    )
