"""Which column of a catalog holds which of our fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from embedder.catalogs.rows.cell import shown
from embedder.errors import CatalogError

GUESSES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "product_id", "sku", "item_id", "article_id", "code"),
    "title": ("title", "name", "product_name", "product_display_name"),
    "description": ("description", "product_description"),
    "category": ("category", "categories", "category_path", "product_category", "product_type"),
    "price": ("price",),
    "in_stock": ("in_stock", "stock", "available", "availability"),
    "image": (
        "image",
        "image_path",
        "picture",
        "picture_path",
        "photo",
        "filename",
        "file",
        "image_file",
        "image_link",
        "images",
        "image_1",
        "picture_1",
        "photo_1",
    ),
    "more_images": (
        "more_images",
        "additional_images",
        "additional_image",
        "additional_image_link",
        "additional_image_links",
        "additional_pictures",
        "gallery",
        "image_gallery",
        "images",
    ),
    "split": ("split",),
    "variant_group": (
        "variant_group",
        "variant_group_id",
        "variant_group_code",
        "item_group_id",
        "group_id",
        "parent_id",
        "parent_product_id",
        "parent_sku",
        "parent_asin",
        "style_code",
        "style_number",
    ),
}
"""Our fields, and the column names taken for each, best first; case, white space, "_" and "-" do not matter.

`image` holds the main picture or all of them, `more_images` further ones; see also `picture_columns`. Names that as
often mean something else ("style", "parent", "model", "collection") are not taken for `variant_group`.
"""

ALSO_ATTRIBUTES = ("variant_group",)
"""Our fields whose columns are attributes of the product too, so that a search can filter by them."""

REQUIRED = ("id", "image")

_MAX_LISTED_COLUMNS = 50
_NUMBERED_PICTURE = re.compile(r"(?:image|picture|photo)(?:path|file)?([1-9][0-9]?)")
_ABOUT_A_PICTURE = ("imageposition", "imagealttext")


def choose_columns(names: Iterable[str], named: Mapping[str, str]) -> dict[str, str]:
    """Decide which column holds which of our fields.

    Args:
        names: the catalog's column names, in its order.
        named: our field to the catalog's column, written as in the catalog; takes precedence over any guess.

    Returns:
        Field to column, for the fields that have one.

    Raises:
        CatalogError: a key of `named` that is not one of our fields.
    """
    check_fields(named)
    names = list(names)
    chosen = {field: column for field, column in named.items() if column in names}
    by_simple_name: dict[str, str] = {}
    for name in names:
        by_simple_name.setdefault(_simple(name), name)
    for field, guesses in GUESSES.items():
        found = [by_simple_name[_simple(guess)] for guess in guesses if _simple(guess) in by_simple_name]
        if field == "more_images":
            found = [name for name in found if name != chosen.get("image")]
        if field not in named and found:
            chosen[field] = found[0]
    return chosen


def picture_columns(names: Iterable[str], chosen: Mapping[str, str]) -> list[str]:
    """The columns that hold pictures, the main one's first.

    They are the columns chosen for `image` and `more_images`, and between them, by number, those called image_2,
    picture_3, photo_4 and so on, up to 99.
    """
    taken = {column for field, column in chosen.items() if field not in ("image", "more_images")}
    numbered: list[tuple[int, str]] = []
    for name in names:
        number = _NUMBERED_PICTURE.fullmatch(_simple(name))
        if number and name not in taken:
            numbered.append((int(number[1]), name))
    columns = [chosen.get("image"), *(name for _, name in sorted(numbered)), chosen.get("more_images")]
    return list(dict.fromkeys(column for column in columns if column is not None))


def attribute_columns(names: Iterable[str], chosen: Mapping[str, str]) -> list[str]:
    """The columns that become attributes: those that hold no field of ours, or one of `ALSO_ATTRIBUTES`."""
    fields = {column for field, column in chosen.items() if field not in ALSO_ATTRIBUTES}
    taken = {*fields, *picture_columns(names, chosen)}
    return [name for name in names if name not in taken]


def is_about_a_picture(name: str) -> bool:
    """Whether a column describes its row's picture, not the product: "Image Position" and the like."""
    return _simple(name) in _ABOUT_A_PICTURE


def check_fields(named: Mapping[str, str]) -> None:
    """Check that a mapping from our fields to columns names fields of ours.

    Raises:
        CatalogError: it does not.
    """
    for field in named:
        if field not in GUESSES:
            raise CatalogError(f"columns: {field!r} is not a field of a product; permitted: {', '.join(GUESSES)}")


def missing_fields(chosen: Mapping[str, str], named: Mapping[str, str], needs_pictures: bool = True) -> list[str]:
    """The fields that no row can do without, or that were asked for by name, and that have no column."""
    required = REQUIRED if needs_pictures else ("id",)
    return [field for field in GUESSES if (field in required or field in named) and field not in chosen]


def check_columns(
    catalog: str, names: Iterable[str], named: Mapping[str, str], needs_pictures: bool = True
) -> dict[str, str]:
    """Choose the columns of a catalog and check that those needed are there.

    Args:
        catalog: its path, for messages.
        names: all its column names.
        named: as in `choose_columns`.
        needs_pictures: whether there must be a column of pictures.

    Raises:
        CatalogError: a named column, the id's or the picture's is not there; the message names those that are.
    """
    names = list(names)
    chosen = choose_columns(names, named)
    listed = ", ".join(map(shown, names[:_MAX_LISTED_COLUMNS])) + (", ..." if len(names) > _MAX_LISTED_COLUMNS else "")
    for field in missing_fields(chosen, named, needs_pictures):
        if field in named:
            raise CatalogError(
                f"catalog {catalog!r} has no column {named[field]!r}, named for {field}; columns found: {listed}"
            )
        raise CatalogError(
            f"catalog {catalog!r} has no column for {field}; columns found: {listed}; next step: name the right one "
            f"with --map {field}=COLUMN, or call it one of {', '.join(GUESSES[field])}"
        )
    return chosen


def _simple(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()
