"""What a build knows of its catalog before it decodes the first picture."""

from __future__ import annotations

from dataclasses import dataclass

from embedder.catalogs.outline import OutlineBuilder, outline_catalog, read_rows
from embedder.catalogs.registry import CatalogReader
from indexer.building.payload import SchemaBuilder
from indexer.filters.schema import Schema

_TITLES = 10_000
"""Whose length is looked at; a catalog's titles are much alike."""


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
    words = outline.title_words or _title_words(reader, limit)
    return BuildPlan(builder.schema(), outline.rows, outline.most_pictures, max(1.0, words))


def _title_words(reader: CatalogReader, limit: int | None) -> float:
    """Words of a title, by the catalog's beginning: of a known set, whose outline says nothing of them."""
    most = _TITLES if limit is None else min(limit, _TITLES)
    builder = OutlineBuilder()
    for row in read_rows(reader, most):
        builder.add(row)
    return builder.outline().title_words
