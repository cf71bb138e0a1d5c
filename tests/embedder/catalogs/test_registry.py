"""Catalogs are found by kind, by path, or refused with what is known."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from embedder.catalogs.outline import outline_catalog
from embedder.catalogs.product import Product
from embedder.catalogs.registry import BUILT_IN, CATALOG_HELP, ENTRY_POINT_GROUP, open_catalog, parse_columns
from embedder.errors import CatalogError, PictureOutside
from embedder.inputs.picture import decode_picture


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
    with pytest.raises(CatalogError, match=", ".join(sorted(BUILT_IN))):
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


OWN_READER = """
import numpy as np
from embedder.catalogs.product import Product, ProductPicture
from embedder.inputs.picture import PicturePixels

class ErpReader:
    name = "erp"
    def __init__(self, location, *, split, columns):
        self.asked = (location, split, dict(columns))
    def count(self):
        return None
    def read(self):
        picture = ProductPicture(PicturePixels(np.zeros((2, 2), dtype=np.uint8)))
        yield Product("erp-1", "Lamp", (picture,), attributes={"watts": 40.0})

VERSION = "1"
"""


class TestAShopsOwnReader:
    """A distribution as pip installs it: a module, and a folder of metadata beside it, on the path."""

    @pytest.fixture
    def install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.syspath_prepend(str(tmp_path))

        def install(entry: str, *, name: str = "shop-readers", module: str = OWN_READER) -> None:
            (tmp_path / "shop_readers.py").write_text(module)
            info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[{ENTRY_POINT_GROUP}]\n{entry}\n")
            importlib.invalidate_caches()

        yield install
        sys.modules.pop("shop_readers", None)

    def test_it_is_opened_by_its_name_and_asked_as_promised(self, install) -> None:
        install("erp = shop_readers:ErpReader")
        reader = open_catalog("erp:db/live", split="test", columns={"id": "nr"}, allow_outside_pictures=True)
        assert reader.asked == ("db/live", "test", {"id": "nr"})  # type: ignore[attr-defined]
        assert [row.id for row in reader.read() if isinstance(row, Product)] == ["erp-1"]
        assert (outline_catalog(reader).rows, list(outline_catalog(reader).attributes)) == (1, ["watts"])

    def test_it_is_listed_where_a_kind_is_unknown(self, install) -> None:
        install("erp = shop_readers:ErpReader")
        with pytest.raises(CatalogError, match=", ".join(sorted([*BUILT_IN, "erp"]))):
            open_catalog("nonsense")

    @pytest.mark.parametrize(
        ("entry", "module", "said"),
        [
            (
                "erp = shop_readers:ErpReader",
                "import no_such_driver",
                "ModuleNotFoundError: No module named 'no_such_d",
            ),
            ("erp = shop_readers:Erp", OWN_READER, "AttributeError"),
            ("erp = shop_readers:ErpReader", "1 / 0", "ZeroDivisionError"),
            ("erp = shop_readers:ErpReader", "def", "SyntaxError"),
            ("erp = shop_readers:VERSION", OWN_READER, "TypeError: str is neither a class nor a function"),
            ("erp = no_such_module:ErpReader", OWN_READER, "No module named 'no_such_module'"),
        ],
    )
    def test_one_that_cannot_be_loaded_is_named_with_its_package(
        self, install, drawn_catalog: Path, entry: str, module: str, said: str
    ) -> None:
        install(entry, module=module)
        with pytest.raises(CatalogError, match=rf"catalog reader 'erp' \('.*' of shop-readers\) cannot be .*{said}"):
            open_catalog("erp:db")
        assert len(ids(str(drawn_catalog))) == 160, "other catalogs are none the worse"

    @pytest.mark.parametrize("spec", ["csv:{path}", "{path}"])
    def test_one_that_takes_a_name_of_ours_is_refused_not_preferred_or_passed_over(
        self, install, drawn_catalog: Path, spec: str
    ) -> None:
        install("csv = shop_readers:ErpReader")
        with pytest.raises(CatalogError, match=r"'shop_readers:ErpReader' of shop-readers is called 'csv', as one of"):
            open_catalog(spec.format(path=drawn_catalog))
        assert len(ids(f"folder:{drawn_catalog.parent}")) == 160, "other kinds are none the worse"

    def test_of_two_with_one_name_neither_is_taken(self, install) -> None:
        install("erp = shop_readers:ErpReader")
        install("erp = shop_readers:OtherReader", name="other-readers")
        with pytest.raises(CatalogError, match=r"several catalog readers are called 'erp': .*other-readers"):
            open_catalog("erp:db")

    def test_entries_of_an_earlier_release_of_our_own_say_what_the_table_says(
        self, install, drawn_catalog: Path
    ) -> None:
        install(f"csv = {BUILT_IN['csv'].target}", name="merchlens-before")
        assert "csv" in {point.name for point in entry_points(group=ENTRY_POINT_GROUP)}
        assert len(ids(f"csv:{drawn_catalog}")) == 160


@pytest.mark.parametrize("kind", BUILT_IN)
def test_each_reader_in_the_table_is_there_and_told_of_in_the_help(kind: str) -> None:
    module, _, name = BUILT_IN[kind].target.partition(":")
    assert callable(getattr(importlib.import_module(module), name))
    assert BUILT_IN[kind].usage.partition(":")[0] == kind
    assert BUILT_IN[kind].usage in CATALOG_HELP


class TestPicturesOutsideTheCatalog:
    @pytest.fixture
    def shop(self, drawn_catalog: Path, tmp_path: Path) -> Path:
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop/shop.csv").write_text(f"id,image\nA,{drawn_catalog.parent}/0000.png\n")
        (tmp_path / "shop/shop.jsonl").write_text('{"id": "A", "image": "../out.png"}\n')
        (tmp_path / "out.png").symlink_to(drawn_catalog.parent / "0000.png")
        (tmp_path / "shop/linked.png").symlink_to(drawn_catalog.parent / "0000.png")
        return tmp_path / "shop"

    @pytest.mark.parametrize("spec", ["{shop}/shop.csv", "{shop}/shop.jsonl", "folder:{shop}"])
    def test_they_are_read_only_where_that_is_permitted(self, shop: Path, spec: str) -> None:
        (product,) = open_catalog(spec.format(shop=shop)).read()
        assert isinstance(product, Product)
        with pytest.raises(PictureOutside, match="--allow-outside-pictures"):
            decode_picture(product.pictures[0].source)
        (product,) = open_catalog(spec.format(shop=shop), allow_outside_pictures=True).read()
        assert isinstance(product, Product)
        assert decode_picture(product.pictures[0].source).image.size == (96, 96)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_products_without_pictures_are_read_where_none_are_needed(kind: str, tmp_path: Path) -> None:
    columns = {"sku": ["a", "b"], "name": ["Ball", "Box"]}
    path = tmp_path / f"shop.{kind}"
    if kind == "parquet":
        parquet.write_table(arrow.table(columns), path)
    elif kind == "csv":
        path.write_text("sku,name\na,Ball\nb,Box\n")
    else:
        path.write_text('{"sku": "a", "name": "Ball"}\n{"sku": "b", "name": "Box"}\n')
    with pytest.raises(CatalogError, match="has no column for image"):
        open_catalog(str(path))
    first, second = open_catalog(str(path), needs_pictures=False).read()
    assert isinstance(first, Product)
    assert isinstance(second, Product)
    assert [(row.id, row.title, [item.name for item in row.pictures]) for row in (first, second)] == [
        ("a", "Ball", [""]),
        ("b", "Box", [""]),
    ]
