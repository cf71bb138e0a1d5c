"""A product's views: clean, as another hand draws it, and as a customer's photo shows it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import PIL

from embedder.datasets.studio.drawing import draw_item
from embedder.datasets.studio.hands import CATALOG_HAND, OTHER_HANDS
from embedder.datasets.studio.items import load_item, seeded
from embedder.inputs.picture import DrawnPicture
from embedder.inputs.street_views import street_view

CLEAN = "clean"
OTHER = "other"
STREET = "street"
HANDS = tuple(f"hand{number}" for number in range(1, len(OTHER_HANDS) + 1))

VIEWS = (CLEAN, OTHER, *HANDS, STREET)
"""clean: the catalog's own hand; hand1, hand2, ...: that hand; other: one of them, which one depends on the product;
street: the clean view, less its shadow, as a customer's photo shows it."""

DRAWING = 1
"""Raise when a product's picture changes, a street view included: features are kept under it."""


def picture_of(seed: int, number: int, view: str) -> DrawnPicture:
    """A product's picture, drawn when it is decoded.

    Args:
        seed, number: the product.
        view: one of `VIEWS`.
    """
    return DrawnPicture(
        draw=partial(draw_view, seed, number, view),
        # Pillow's rounding may differ between its releases.
        content=f"studio {DRAWING} {PIL.__version__} {seed} {number} {view}",
    )


def draw_view(seed: int, number: int, view: str) -> npt.NDArray[np.uint8]:
    """Draw a product: uint8 (height, width, 3), RGB, about `SIDE` a side; the same arguments give the same pixels.

    Args:
        seed, number: the product.
        view: one of `VIEWS`.

    Raises:
        ValueError: an unknown view.
    """
    if view not in VIEWS:
        raise ValueError(f"view {view!r}; permitted: {', '.join(VIEWS)}")
    item = load_item(seed, number)
    if view == CLEAN:
        return np.asarray(draw_item(item, CATALOG_HAND, seeded(seed, number, view)))
    if view == STREET:
        cut_out = draw_item(item, replace(CATALOG_HAND, shadow=0.0), seeded(seed, number, CLEAN))
        return np.asarray(street_view(cut_out, "street", seeded(seed, number, STREET).getrandbits(31)))
    if view == OTHER:
        view = seeded(seed, number, "other").choice(HANDS)
    hand = OTHER_HANDS[HANDS.index(view)]
    return np.asarray(draw_item(item, hand, seeded(seed, number, view)))
