"""Small pictures of a catalog's products, for a page."""

from __future__ import annotations

from collections.abc import Mapping

from embedder.catalogs.captions import title_of
from embedder.catalogs.product import Product
from embedder.errors import PictureError
from embedder.inputs.picture import PictureLimits, decode_picture
from embedder.report.page import Picture
from embedder.report.thumbnails import SIDE, thumbnail

_LONGEST_LINE = 60


class ProductPictures:
    """Makes pictures of products by their ids, each decoded once."""

    def __init__(self, products: Mapping[str, Product], limits: PictureLimits) -> None:
        """Nothing is decoded yet.

        Args:
            products: by id.
            limits: what a picture may weigh.
        """
        self._products = products
        self._limits = limits
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
                image = decode_picture(product.pictures[0].source, self._limits, 2 * SIDE).image
                self._made[product.id] = thumbnail(image)
            except PictureError:
                # It was read when the model was measured; a page without it is better than none.
                self._made[product.id] = ""
        return self._made[product.id]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"
