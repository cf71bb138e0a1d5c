"""What a build knows of its catalog before it decodes the first picture."""

from __future__ import annotations

import re
from dataclasses import dataclass

from embedder.catalogs.captions import searched_words
from embedder.catalogs.outline import outline_catalog, read_rows
from embedder.catalogs.product import Product
from embedder.catalogs.registry import CatalogReader
from indexer.building.payload import SchemaBuilder
from indexer.filters.schema import Schema

_TITLES = 10_000
"""Whose length is looked at; a catalog's titles are much alike."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """The shape of the version to build.

    Attributes:
        schema: the attributes' types.
        rows: of the catalog, products and rejected ones.
        most_pictures: of any one product; above 1 the version holds several vectors a product.
        title_words: of a title, with its description, on average, above 0.
    """

    schema: Schema
    rows: int
    most_pictures: int
    title_words: float


def plan_build(reader: CatalogReader, limit: int | None) -> BuildPlan:
    """Read the catalog's rows once, without pictures, or only its outline where the reader has one.

    Raises:
        CatalogError: the catalog cannot be read.
    """
    outline = outline_catalog(reader, limit)
    builder = SchemaBuilder()
    for name, kinds in outline.attributes.items():
        builder.add_kinds(name, kinds)
    return BuildPlan(builder.schema(), outline.rows, outline.most_pictures, _title_words(reader, limit))


def _title_words(reader: CatalogReader, limit: int | None) -> float:
    """Words of a title and description on average, by the catalog's beginning; 1 where there are none."""
    most = _TITLES if limit is None else min(limit, _TITLES)
    lengths = [
        len(_WORD.findall(text))
        for row in read_rows(reader, most)
        if isinstance(row, Product) and (text := searched_words(row.title, row.category, row.description))
    ]
    return max(1.0, sum(lengths) / len(lengths)) if lengths else 1.0
