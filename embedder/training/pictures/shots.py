"""Which pictures are looked at: main ones, further ones, and views of them as a photo would show them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from embedder.catalogs.product import Product

FEWEST_VIEWS, MOST_VIEWS = 2, 6


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture of a product, as it is or as a photo would show it.

    Attributes:
        product: whose picture.
        picture: which of its pictures, from 0.
        view: seed of a training view of it (see `embedder.inputs.street_views.training_view`); None: as it is.
    """

    product: Product
    picture: int = 0
    view: int | None = None

    @property
    def is_main(self) -> bool:
        """Whether it is the product's first picture, as it is."""
        return self.picture == 0 and self.view is None


def main_pictures(products: Sequence[Product]) -> list[Shot]:
    """The first picture of each product, as it is."""
    return [Shot(product) for product in products]


def companions(products: Sequence[Product], most_pictures: int, most_views: int) -> list[Shot]:
    """What is paired with the main pictures: further pictures of a product, and views of its main one.

    Args:
        products: in an order of which every prefix is a fair sample; a product's shots follow each other.
        most_pictures: further pictures of one product.
        most_views: views in all; each product has `FEWEST_VIEWS` to `MOST_VIEWS` until there are that many.
    """
    each = min(MOST_VIEWS, max(FEWEST_VIEWS, most_views // max(1, len(products))))
    shots: list[Shot] = []
    views = 0
    for product in products:
        shots += [Shot(product, number) for number in range(1, min(len(product.pictures), most_pictures + 1))]
        if views < most_views:
            shots += [Shot(product, 0, _seed(product, number)) for number in range(each)]
            views += each
    return shots


def _seed(product: Product, number: int) -> int:
    """A view's seed follows from its product, so that it stays the same when the catalog grows."""
    key = f"{number} {product.id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(key).digest()[:6], "big")
