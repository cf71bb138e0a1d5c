"""Catalogs as files whose products have titles of their own: what builds, updates and their memory are measured on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog
from embedder.inputs.picture import PicturePixels

COLORS = ("red", "navy", "olive", "black", "ivory", "teal", "rust", "grey", "mint", "plum", "sand", "white")
MATERIALS = ("cotton", "linen", "suede", "wool", "canvas", "denim", "velvet", "leather", "mesh", "jersey")
DETAILS = (
    "brass zip", "wooden buttons", "a ribbed hem", "side pockets", "a printed lining", "contrast stitching", "a wide cuff",
    "laces", "a hidden clasp", "a quilted panel", "piping", "a drawstring", "studs", "a fringe",
)  # fmt: skip
OCCASIONS = (
    "the office", "the beach", "a wedding", "winter walks", "the garden", "long trips", "cold mornings", "the gym",
    "rainy days", "summer nights", "a picnic", "the theatre", "school", "hiking",
)  # fmt: skip
MOST = len(COLORS) * len(MATERIALS) * len(DETAILS) * len(OCCASIONS)
"""Titles that differ even where the kind of thing is the same."""

TINY_SIDE = 12

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TitledCatalog:
    """A JSONL file with its pictures beside it.

    Attributes:
        path: of the file.
        rows: what is in it, in order.
    """

    path: Path
    rows: list[Row]


def write_titled(folder: Path, products: int) -> TitledCatalog:
    """Fashion-MNIST's first training pictures as PNG files, each with a title that no other product has.

    Args:
        folder: where to write; it does not exist.
        products: 1 to `MOST`, of the 60,000 that there are.
    """
    (folder / "pictures").mkdir(parents=True)
    rows = []
    for number, product in enumerate(islice(open_catalog("fashion-mnist", split="train").read(), products)):
        assert isinstance(product, Product)
        source = product.pictures[0].source
        assert isinstance(source, PicturePixels)
        image = f"pictures/{number:05d}.png"
        Image.fromarray(source.pixels).save(folder / image, compress_level=1)
        rows.append(row(number, product.category or "", image))
    write_rows(folder / "catalog.jsonl", rows)
    return TitledCatalog(folder / "catalog.jsonl", rows)


def write_tiny(folder: Path, products: int, pictures: int, titles: int, seed: int = 0) -> Path:
    """A JSONL file of products with tiny pictures of noise; its path.

    Args:
        folder: where to write; it does not exist.
        products: rows; ids, prices and stock codes all differ.
        pictures, titles: how many different ones there are.
        seed: of the noise.
    """
    (folder / "pictures").mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in range(pictures):
        noise = random.integers(256, size=(TINY_SIDE, TINY_SIDE, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"pictures/{number:06d}.png", compress_level=0)
    write_rows(folder / "catalog.jsonl", (_tiny(number, pictures, titles) for number in range(products)))
    return folder / "catalog.jsonl"


def _tiny(number: int, pictures: int, titles: int) -> Row:
    named = row(number % titles, f"kind {number % 50}", f"pictures/{number % pictures:06d}.png")
    return {**named, "id": f"item-{number:07d}", "price": 1 + number / 100, "stock code": f"{number * 7919:09d}"}


def row(number: int, category: str, image: str) -> Row:
    """A product."""
    return {
        "id": f"item-{number:05d}",
        "title": title(number, category),
        "category": category,
        "price": 5 + number % 400,
        "in_stock": number % 3 > 0,
        "color": COLORS[number % len(COLORS)],
        "image": image,
    }


def title(number: int, category: str) -> str:
    """Of `MOST` numbers, each has another."""
    words = []
    for choices in (COLORS, MATERIALS, DETAILS, OCCASIONS):
        number, place = divmod(number, len(choices))
        words.append(choices[place])
    color, material, detail, occasion = words
    return f"{color} {material} {category.lower()} with {detail} for {occasion}"


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """As JSON, one a line."""
    with path.open("w", encoding="utf-8") as file:
        for each in rows:
            file.write(json.dumps(each) + "\n")


def changed(rows: Sequence[Row], places: Sequence[int], turn: int) -> list[Row]:
    """Some of the rows as the shop would change them: one has another price, the next another title as well.

    Args:
        rows: all of them.
        places: which.
        turn: of several changes, so that each gives other values.
    """
    found = []
    for place in places:
        found.append({**rows[place], "price": rows[place]["price"] + turn + 0.5})
        if place % 2:
            found[-1]["title"] = f"{rows[place]['title']}, edition {turn + 1}"
    return found
