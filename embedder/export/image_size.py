"""The side of a model's square input, fitted to a catalog's pictures."""

from __future__ import annotations

from collections.abc import Iterable

from embedder.catalogs.product import Product
from embedder.errors import PictureError
from embedder.inputs.picture import DrawnPicture, PictureLimits, PicturePixels, decode_picture
from embedder.towers.starters import STARTERS

LEAST_SIDE = 96
"""Smallest automatic input side: below it a convolutional tower's last map has too few cells to tell shapes apart."""


def base_image_size(
    model: str, image_size: int | None, products: list[Product], limits: PictureLimits | None = None
) -> int | None:
    """The side that was asked for, else one that fits the catalog where the model takes any; None: the model's own."""
    if image_size is None and model in STARTERS:
        return fitting_image_size(products, STARTERS[model].side, limits=limits)
    return image_size


def why_image_size(model: str, asked: int | None, side: int) -> str:
    """Why the input side is what it is, for people."""
    if asked is not None:
        return "as asked"
    if model not in STARTERS:
        return "the model's own"
    largest = STARTERS[model].side
    return f"three times the median shorter side of the catalog's pictures, in steps of 32, {LEAST_SIDE} to {largest}"


def fitting_image_size(
    products: Iterable[Product], largest: int, sample: int = 64, limits: PictureLimits | None = None
) -> int:
    """The input side that a catalog's pictures deserve: three times their median shorter side, in steps of 32.

    Upscaling tiny pictures some keeps the tower's strides from eating them up; upscaling them further helps little, and
    costs up to seven times as much in training and indexing.

    Args:
        products: in a shuffled order.
        largest: the model's own side, never exceeded.
        sample: how many pictures to look at.
        limits: what a picture may weigh; None: the default limits. One over them is not looked at.
    """
    sides = sorted(side for product in list(products)[:sample] if (side := _shorter_side(product, limits)) is not None)
    if not sides:
        return largest
    wanted = 3 * sides[len(sides) // 2]
    return min(largest, max(LEAST_SIDE, -(-wanted // 32) * 32))


def _shorter_side(product: Product, limits: PictureLimits | None) -> int | None:
    picture = product.pictures[0].source
    if isinstance(picture, PicturePixels):
        return int(min(picture.pixels.shape[:2]))
    try:
        # Small drafts are enough: only a picture's being smaller than the model's input matters.
        draft_side = None if isinstance(picture, DrawnPicture) else 256
        return min(decode_picture(picture, limits, draft_side).image.size)
    except PictureError:
        return None
