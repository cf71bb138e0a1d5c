"""What a build knows of its catalog before it decodes the first picture."""

from __future__ import annotations

from dataclasses import dataclass

from embedder.catalogs.outline import outline_catalog
from embedder.catalogs.registry import CatalogReader
from indexer.building.payload import SchemaBuilder
from indexer.filters.schema import Schema


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """The shape of the version to build.

    Attributes:
        schema: the attributes' types.
        rows: of the catalog, products and rejected ones.
        most_pictures: of any one product; above 1 the version holds several vectors a product.
    """

    schema: Schema
    rows: int
    most_pictures: int


def plan_build(reader: CatalogReader, limit: int | None) -> BuildPlan:
    """Read the catalog's rows once, without pictures, or only its outline where the reader has one.

    Raises:
        CatalogError: the catalog cannot be read.
    """
    outline = outline_catalog(reader, limit)
    builder = SchemaBuilder()
    for name, kinds in outline.attributes.items():
        builder.add_kinds(name, kinds)
    return BuildPlan(builder.schema(), outline.rows, outline.most_pictures)
