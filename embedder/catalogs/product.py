"""What a shop sells, as the rest of the code sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from embedder.inputs.picture import Picture

AttributeValue = str | float | bool | tuple[str, ...]
"""One attribute: a word, a number, yes or no, or several words."""


class AttributeKind(Enum):
    """What the values of an attribute are; several words are texts."""

    TEXT = "text"
    NUMBER = "number"
    BOOL = "bool"


def kind_of_value(value: AttributeValue) -> AttributeKind:
    """The kind of one value."""
    if isinstance(value, bool):
        return AttributeKind.BOOL
    return AttributeKind.NUMBER if isinstance(value, int | float) else AttributeKind.TEXT


Split = Literal["train", "validation", "test"]

MAX_PICTURES = 16
"""Pictures of one product that are indexed; readers leave out further ones and count them."""


@dataclass(frozen=True, slots=True)
class ProductPicture:
    """One of a product's pictures.

    Attributes:
        source: the picture, not yet decoded.
        name: where it came from (a path relative to the catalog), for people and in replies; may be empty.
    """

    source: Picture
    name: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """One product of a catalog.

    Attributes:
        id: the shop's own id, 1..512 characters, unique in the catalog.
        title: what the shop calls it; may be empty.
        pictures: 1 to `MAX_PICTURES`, the main one first.
        description: what else the shop says of it, without markup; may be empty.
        category: path with levels separated by "/", without empty levels; None where the catalog gives none.
        price: 0 or more, in the catalog's currency; None where not given.
        in_stock: None where not given.
        attributes: further fields by name.
        split: which split of a published benchmark it belongs to; None: of none.
        variant_group: what it has in common with its variants (another colour, another size) and with no other
            product; None where the catalog does not say. They are kept on one side when the catalog is split.
        line: where in the catalog it is, from 1; its first row, where it has several.
        pictures_left_out: how many more pictures than `MAX_PICTURES` the catalog names for it.
    """

    id: str
    title: str
    pictures: tuple[ProductPicture, ...]
    category: str | None = None
    price: float | None = None
    in_stock: bool | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    split: Split | None = None
    line: int = 1
    pictures_left_out: int = 0
    variant_group: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.id) <= 512:
            raise ValueError(f"product id of {len(self.id)} characters; permitted: 1 to 512")
        if not 1 <= len(self.pictures) <= MAX_PICTURES:
            raise ValueError(
                f"product {self.id[:80]!r} with {len(self.pictures)} pictures; permitted: 1 to {MAX_PICTURES}"
            )
        if self.price is not None and not (math.isfinite(self.price) and self.price >= 0):
            raise ValueError(f"price {self.price!r}; permitted: a finite number, 0 or more")
        if self.category is not None and (not self.category or "" in self.category.split("/")):
            raise ValueError(f"category {self.category!r}; permitted: levels separated by '/', none of them empty")

    @property
    def variants_key(self) -> str:
        """The same for a product and its variants, and for no other product."""
        return f"product {self.id}" if self.variant_group is None else f"variants {self.variant_group}"


ROW_REASONS = (
    "ID_MISSING",
    "ID_DUPLICATE",
    "ID_TOO_LONG",
    "ID_INVALID",
    "ROW_UNREADABLE",
    "TITLE_INVALID",
    "DESCRIPTION_INVALID",
    "CATEGORY_INVALID",
    "PRICE_INVALID",
    "STOCK_INVALID",
    "ATTRIBUTE_INVALID",
    "SPLIT_INVALID",
    "VARIANT_GROUP_INVALID",
    "PICTURE_COLUMN_EMPTY",
)
"""Why a row is rejected, besides the reasons of `PictureError`s (IMAGE_...)."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A catalog row that cannot be indexed, or one picture of a product that is indexed without it.

    Attributes:
        line: where in the catalog, from 1 (a CSV's header is line 1; in a folder, the position in sorted order).
        product_id: the row's id where it has one, else "".
        reason: one of `ROW_REASONS`, or a picture's reason (IMAGE_...).
        detail: the value and what would be permitted, for people.
        picture: the name of the one picture that is left out, where the product itself stays (it is yielded too);
            "": the whole row is rejected.
    """

    line: int
    product_id: str
    reason: str
    detail: str
    picture: str = ""
