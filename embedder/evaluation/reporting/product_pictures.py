"""Small pictures of a catalog's products, for a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PIL import Image

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.errors import PictureError
from embedder.inputs.picture import Picture as Source
from embedder.inputs.picture import PictureLimits, decode_picture
from embedder.report.page import Picture
from embedder.report.thumbnails import SIDE, thumbnail

_LONGEST_LINE = 60

Decode = Callable[[Source, PictureLimits], Image.Image]
"""Gives a picture, RGB; raises `PictureError` where it cannot be read."""


class ProductPictures:
    """Makes pictures of products by their ids, each decoded once."""

    def __init__(self, products: Mapping[str, Product], limits: PictureLimits, decode: Decode | None = None) -> None:
        """Nothing is decoded yet.

        Args:
            products: by id.
            limits: what a picture may weigh.
            decode: gives a picture, or as much of it as a page needs; None: pictures are decoded.
        """
        self._products = products
        self._limits = limits
        self._decode = decode or _decode
        self._made: dict[str, str] = {}

    def of(self, product_id: str, framed: bool = False) -> Picture:
        """A product's main picture, with title, category and id below it; words where it cannot be read."""
        product = self._products.get(product_id)
        if product is None:
            return Picture("", f"product {product_id}", (product_id,), framed)
        title = title_of(product)
        lines = [title, product.category or "", product.id]
        return Picture(
            self._image(product),
            _short(f"{title or 'product'} ({product.id})"),
            tuple(_short(line) for line in lines if line),
            framed,
        )

    def _image(self, product: Product) -> str:
        if product.id not in self._made:
            try:
                self._made[product.id] = thumbnail(self._decode(product.pictures[0].source, self._limits))
            except PictureError:
                # It was read when the model was measured; a page without it is better than none.
                self._made[product.id] = ""
        return self._made[product.id]


def _decode(source: Source, limits: PictureLimits) -> Image.Image:
    return decode_picture(source, limits, 2 * SIDE).image


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"
