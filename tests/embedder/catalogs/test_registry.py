"""Catalogs are found by kind, by path, or refused with what is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedder.catalogs.product import Product
from embedder.catalogs.registry import open_catalog, parse_columns
from embedder.errors import CatalogError


def ids(spec: str, **options) -> list[str]:
    return [row.id for row in open_catalog(spec, **options).read() if isinstance(row, Product)]


def test_a_bare_path_and_its_kind_mean_the_same(drawn_catalog: Path) -> None:
    found = ids(str(drawn_catalog))
    assert len(found) == 160
    assert found == ids(f"csv:{drawn_catalog}")


def test_a_folder_is_a_catalog(drawn_catalog: Path) -> None:
    assert len(ids(str(drawn_catalog.parent))) == 160
    assert ids(str(drawn_catalog.parent)) == ids(f"folder:{drawn_catalog.parent}")


def test_a_catalog_is_read_any_number_of_times(drawn_catalog: Path) -> None:
    reader = open_catalog(str(drawn_catalog))
    assert [row.line for row in reader.read()] == [row.line for row in reader.read()]


@pytest.mark.parametrize("spec", ["nonsense", "shop.xlsx", "ftp:somewhere"])
def test_an_unknown_kind_names_the_known_ones(spec: str) -> None:
    with pytest.raises(CatalogError, match="csv, fashion-mnist, folder, jsonl"):
        open_catalog(spec)


@pytest.mark.parametrize("spec", ["csv:/nowhere/a.csv", "jsonl:/nowhere/a.jsonl", "folder:/nowhere", "/nowhere/a.csv"])
def test_a_catalog_that_is_not_there(spec: str) -> None:
    with pytest.raises(CatalogError, match="nowhere"):
        list(open_catalog(spec).read())


def test_columns_as_the_commands_take_them() -> None:
    assert parse_columns(["id=sku", "title=Name=x"]) == {"id": "sku", "title": "Name=x"}
    assert parse_columns(None) == {}


@pytest.mark.parametrize("pair", ["", "id", "=sku", "id="])
def test_a_column_that_maps_nothing(pair: str) -> None:
    with pytest.raises(CatalogError, match="FIELD=COLUMN"):
        parse_columns([pair])
