"""A product that breaks its own rules cannot be made."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.inputs.picture import PicturePixels

PICTURE = PicturePixels(np.zeros((2, 2), dtype=np.uint8))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": ""}, "0 characters; permitted: 1 to 512"),
        ({"id": "x" * 513}, "513 characters; permitted: 1 to 512"),
        ({"price": -0.01}, "permitted: a finite number, 0 or more"),
        ({"price": float("nan")}, "permitted: a finite number"),
        ({"price": float("inf")}, "permitted: a finite number"),
        ({"category": ""}, "levels separated by '/'"),
        ({"category": "/boots"}, "none of them empty"),
        ({"category": "shoes//boots"}, "none of them empty"),
        ({"category": "shoes/"}, "none of them empty"),
    ],
)
def test_refused(fields: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Product(**{"id": "p", "title": "", "pictures": (ProductPicture(PICTURE),), **fields})


def test_the_least_that_a_product_needs() -> None:
    product = Product("x" * 512, "", (ProductPicture(PICTURE),), price=0.0, category="a")
    assert (product.in_stock, product.split, dict(product.attributes)) == (None, None, {})
