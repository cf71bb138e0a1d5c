"""Any catalog as a folder that people can look at: a CSV with the pictures beside it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from embedder.catalogs.outline import outline_catalog
from embedder.catalogs.product import AttributeValue, Product, Rejection
from embedder.catalogs.registry import CatalogReader
from embedder.errors import CatalogError, PictureError
from embedder.inputs.picture import decode_picture
from embedder.inputs.pixels import map_ahead

CSV_NAME = "catalog.csv"
PICTURES = "pictures"

_FIELDS = ("id", "title", "category", "price", "in_stock")
_AHEAD = 64


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        csv: the catalog, to be read again as csv:PATH.
        products: how many.
        left_out: rows and products whose pictures could not be read.
    """

    csv: Path
    products: int
    left_out: int


def write_csv_folder(
    reader: CatalogReader, folder: Path, threads: int = 2, on_progress: Callable[[], None] = lambda: None
) -> Written:
    """Write a catalog's products into a folder: `catalog.csv`, and their pictures as PNG in `pictures`.

    The CSV is put there at the end, so that one that is there is whole.

    Args:
        reader: the catalog.
        folder: made where it does not exist.
        threads: how many products are written at once, 1 or more.
        on_progress: called after each row of the catalog.

    Raises:
        CatalogError: there is something in the folder already, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CatalogError(f"folder {str(folder)!r} is not empty; permitted: a new or an empty one")
        (folder / PICTURES).mkdir()
        return _write(reader, folder, threads, on_progress)
    except OSError as error:
        raise CatalogError(
            f"folder {str(folder)!r} cannot be written: {error.strerror or error}; next step: name another one"
        ) from error


def _write(reader: CatalogReader, folder: Path, threads: int, on_progress: Callable[[], None]) -> Written:
    outline = outline_catalog(reader)
    attributes = sorted(outline.attributes)
    images = ["image", *(f"image_{number}" for number in range(2, outline.most_pictures + 1))]
    partial = folder / f".{CSV_NAME}"
    products = left_out = 0
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*_FIELDS, *attributes, "split", *images])
        with closing(map_ahead(lambda row: _save(row, folder), reader.read(), threads, _AHEAD)) as saved:
            for product, names in saved:
                on_progress()
                if product is None:
                    left_out += 1
                    continue
                products += 1
                writer.writerow([*_cells(product, attributes), *names, *[""] * (len(images) - len(names))])
    partial.replace(folder / CSV_NAME)
    return Written(folder / CSV_NAME, products, left_out)


def _save(row: Product | Rejection, folder: Path) -> tuple[Product | None, list[str]]:
    """Write a product's pictures; their names as the CSV has them. None: nothing can be written of this row."""
    if isinstance(row, Rejection):
        return None, []
    names = []
    for number, picture in enumerate(row.pictures, start=1):
        try:
            image = decode_picture(picture.source).image
        except PictureError:
            continue
        name = f"{PICTURES}/{row.line:07d}-{number}.png"
        # Quick rather than small.
        image.save(folder / name, compress_level=1)
        names.append(name)
    return (row if names else None), names


def _cells(product: Product, attributes: Sequence[str]) -> list[str]:
    return [
        product.id,
        product.title,
        product.category or "",
        "" if product.price is None else f"{product.price:.2f}",
        _cell(product.in_stock),
        *(_cell(product.attributes.get(name)) for name in attributes),
        product.split or "",
    ]


def _cell(value: AttributeValue | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "|".join(value) if isinstance(value, tuple) else str(value)
