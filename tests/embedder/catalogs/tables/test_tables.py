"""Catalogs of tables: Parquet, Arrow files and streams, one test for all formats wherever they agree."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedder.catalogs.outline import outline_catalog
from embedder.catalogs.product import AttributeKind, Product, ProductPicture, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.catalogs.tables.table_file import BATCH_BYTES, BATCH_ROWS
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureBytes, PictureFile, decode_picture
from tests.embedder.catalogs.tables.written import FORMATS, as_parquet, as_stream, png

every_format = pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
Write = Callable[[Path, Any], Path]


def read(path: Path, **options: Any) -> list[Product | Rejection]:
    return list(open_catalog(str(path), **options).read())


def product_of(folder: Path, **columns: Any) -> Product:
    """The one product of a Parquet file of one row."""
    (product,) = read(as_parquet(folder, pa.table({"id": ["A"], "image": ["a.jpg"]} | columns)))
    assert isinstance(product, Product), product
    return product


def rejection_of(folder: Path, **columns: Any) -> Rejection:
    (rejection,) = read(as_parquet(folder, pa.table({"id": ["A"], "image": ["a.jpg"]} | columns)))
    assert isinstance(rejection, Rejection), rejection
    return rejection


@every_format
def test_a_small_catalog(tmp_path: Path, write: Write) -> None:
    table = pa.table(
        {
            "sku": pa.array([17, 18], pa.int32()),
            "name": ["Lamp", None],
            "price": pa.array([12.9, None], pa.float64()),
            "in_stock": [True, None],
            "category": ["Home > Lamps", None],
            "image": ["a.jpg", "b.jpg"],
            "colors": [["red", "green"], None],
            "watts": pa.array([40, None], pa.int16()),
            "wool": [False, None],
            "vector": pa.array([[0.5, 0.5], [0.1, 0.2]], pa.list_(pa.float32())),
        }
    )
    path = write(tmp_path, table)
    first = Product(
        id="17",
        title="Lamp",
        pictures=(ProductPicture(PictureFile(tmp_path / "a.jpg", tmp_path), "a.jpg"),),
        category="Home/Lamps",
        price=12.9,
        in_stock=True,
        attributes={"colors": ("red", "green"), "watts": 40.0, "wool": False},
        line=1,
    )
    second = Product(
        id="18", title="", pictures=(ProductPicture(PictureFile(tmp_path / "b.jpg", tmp_path), "b.jpg"),), line=2
    )
    reader = open_catalog(str(path))
    assert list(reader.read()) == [first, second]
    assert list(reader.read()) == [first, second], "a catalog can be read again"
    assert (reader.name, reader.count()) == (path.name, 2)
    outline = outline_catalog(reader)
    assert outline.attributes == {
        "colors": frozenset({AttributeKind.TEXT}),
        "watts": frozenset({AttributeKind.NUMBER}),
        "wool": frozenset({AttributeKind.BOOL}),
    }


@every_format
def test_a_bad_row_is_rejected_with_its_number_and_the_reason_and_the_others_stay(tmp_path: Path, write: Write) -> None:
    table = pa.table(
        {
            "id": ["A", None, "C", "A", "E"],
            "image": ["a.jpg", "b.jpg", None, "d.jpg", "e.jpg"],
            "price": [1.0, 2.0, 3.0, 4.0, -5.0],
        }
    )
    rows = read(write(tmp_path, table))
    assert [(row.line, row.reason) for row in rows if isinstance(row, Rejection)] == [
        (2, "ID_MISSING"),
        (3, "PICTURE_COLUMN_EMPTY"),
        (4, "ID_DUPLICATE"),
        (5, "PRICE_INVALID"),
    ]
    assert [row.id for row in rows if isinstance(row, Product)] == ["A"]


@every_format
def test_rows_directly_below_with_further_pictures_are_one_product(tmp_path: Path, write: Write) -> None:
    table = pa.table({"id": ["A", "A", "B"], "title": ["x", None, "y"], "image": [png(1), png(2), png(1)]})
    first, second = read(write(tmp_path, table))
    assert isinstance(first, Product)
    assert isinstance(second, Product)
    assert (len(first.pictures), first.line, len(second.pictures), second.line) == (2, 1, 1, 3)


class TestPictures:
    @pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
    def test_bytes_are_a_picture(self, tmp_path: Path, kind: Any) -> None:
        product = product_of(tmp_path, image=pa.array([png(7)], kind))
        assert product.pictures == (ProductPicture(PictureBytes(png(7))),)
        assert decode_picture(product.pictures[0].source).image.size == (4, 4)

    def test_a_list_of_bytes_or_of_paths_is_several_and_nothing_twice(self, tmp_path: Path) -> None:
        product = product_of(tmp_path, image=pa.array([[png(1), None, png(2), png(1)]], pa.list_(pa.binary())))
        assert [picture.source for picture in product.pictures] == [PictureBytes(png(1)), PictureBytes(png(2))]
        product = product_of(tmp_path, image=[["a.jpg", " ", "b.jpg"]])
        assert [picture.name for picture in product.pictures] == ["a.jpg", "b.jpg"]

    def test_an_image_of_datasets_is_its_bytes_or_its_path(self, tmp_path: Path) -> None:
        kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        both = product_of(tmp_path, image=pa.array([{"bytes": png(3), "path": "x/photo.png"}], kind))
        assert both.pictures == (ProductPicture(PictureBytes(png(3)), "x/photo.png"),)
        path = product_of(tmp_path, image=pa.array([{"bytes": None, "path": "photo.png"}], kind))
        assert path.pictures == (ProductPicture(PictureFile(tmp_path / "photo.png", tmp_path), "photo.png"),)
        assert rejection_of(tmp_path, image=pa.array([None], kind)).reason == "PICTURE_COLUMN_EMPTY"
        several = pa.array([[{"bytes": png(1), "path": None}, {"bytes": png(2), "path": "b.png"}]], pa.list_(kind))
        assert [picture.name for picture in product_of(tmp_path, image=several).pictures] == ["", "b.png"]

    def test_further_columns_hold_further_pictures(self, tmp_path: Path) -> None:
        product = product_of(tmp_path, image_2=pa.array([png(2)]), gallery=[["c.jpg"]])
        assert [picture.name for picture in product.pictures] == ["a.jpg", "", "c.jpg"]

    def test_a_name_that_would_break_a_line_is_not_shown(self, tmp_path: Path) -> None:
        image = pa.array([{"bytes": png(3), "path": "a\0.png"}])
        assert [picture.name for picture in product_of(tmp_path, image=image).pictures] == [""]

    def test_a_path_leads_nowhere_but_into_the_catalogs_folder(self, tmp_path: Path) -> None:
        (tmp_path / "secret.png").write_bytes(png(1))
        (tmp_path / "shop").mkdir()
        path = as_parquet(tmp_path / "shop", pa.table({"id": ["A"], "image": ["../secret.png"]}))
        (product,) = read(path)
        assert isinstance(product, Product)
        with pytest.raises(Exception, match="outside the catalog's folder"):
            decode_picture(product.pictures[0].source)
        (product,) = read(path, allow_outside_pictures=True)
        assert isinstance(product, Product)
        decode_picture(product.pictures[0].source)

    def test_a_number_is_no_picture(self, tmp_path: Path) -> None:
        assert rejection_of(tmp_path, image=[5]).reason == "IMAGE_MISSING"


class TestValues:
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            (pa.array(["x"]), "x"),
            (pa.array(["x"], pa.large_string()), "x"),
            (pa.array(["x"]).dictionary_encode(), "x"),
            (pa.array([True]), True),
            (pa.array([255], pa.uint8()), 255.0),
            (pa.array([12.9], pa.float32()), 12.9),
            (pa.array([0.1], pa.float16()), 0.1),
            (pa.array([Decimal("12.90")]), 12.9),
            (pa.array([Decimal(7)]), 7.0),
            (pa.array([date(2026, 11, 27)]), "2026-11-27"),
            (pa.array([datetime(2026, 11, 27, 8, 30)], pa.timestamp("s")), "2026-11-27 08:30:00"),
            (pa.array([datetime(2026, 11, 27, 8, 30, tzinfo=UTC)], pa.timestamp("s", "UTC")), "2026-11-27 08:30:00Z"),
            (pa.array([1], pa.timestamp("ns")), "1970-01-01 00:00:00.000000001"),
            (pa.array([["x", "y"]]), ("x", "y")),
            (pa.array([["x"]], pa.large_list(pa.large_string())), ("x",)),
        ],
    )
    def test_of_attributes(self, tmp_path: Path, column: Any, value: object) -> None:
        assert product_of(tmp_path, note=column).attributes == {"note": value}

    def test_an_object_or_map_called_attributes_is_taken_apart(self, tmp_path: Path) -> None:
        assert product_of(tmp_path, attributes=[{"hue": "red", "watts": 4}]).attributes == {"hue": "red", "watts": 4.0}
        entries = pa.array([[("hue", "red")]], pa.map_(pa.string(), pa.string()))
        assert product_of(tmp_path, attributes=entries).attributes == {"hue": "red"}
        twice = pa.array([[("hue", "red"), ("hue", "blue")]], pa.map_(pa.string(), pa.string()))
        assert "'hue' is given twice" in rejection_of(tmp_path, attributes=twice).detail

    @pytest.mark.parametrize(
        "column",
        [pa.array([[0.5]]), pa.array([b"x"]), pa.array([{"width": 3}]), pa.array([[["x"]]])],
        ids=["numbers", "bytes", "object", "nested"],
    )
    def test_a_column_that_no_attribute_can_have_is_left_out_as_a_whole(self, tmp_path: Path, column: Any) -> None:
        assert product_of(tmp_path, note=column).attributes == {}

    def test_what_pandas_adds_and_columns_without_a_name_are_no_attributes(self, tmp_path: Path) -> None:
        product = product_of(tmp_path, **{"__index_level_0__": [0], "": ["x"]})
        assert product.attributes == {}

    def test_texts_written_as_bytes_are_texts_where_a_text_is_due(self, tmp_path: Path) -> None:
        product = product_of(tmp_path, id=[b"A-1"], title=["Hütte".encode()])
        assert (product.id, product.title) == ("A-1", "Hütte")

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_a_number_that_is_not_finite_is_refused(self, tmp_path: Path, value: float) -> None:
        assert rejection_of(tmp_path, price=[value]).reason == "PRICE_INVALID"
        assert rejection_of(tmp_path, price=pa.array([value], pa.float32())).reason == "PRICE_INVALID"
        assert rejection_of(tmp_path, note=[value]).reason == "ATTRIBUTE_INVALID"

    @every_format
    def test_a_text_that_is_not_utf8_costs_its_row_only(self, tmp_path: Path, write: Write) -> None:
        broken = pa.array([b"x", b"a\xff", b"z"]).view(pa.string())
        table = pa.table({"id": ["A", "B", "C"], "image": ["a.jpg"] * 3, "title": broken})
        first, second, third = read(write(tmp_path, table))
        assert isinstance(first, Product)
        assert isinstance(second, Rejection)
        assert (second.line, second.reason) == (2, "ROW_UNREADABLE")
        assert "column 'title': not UTF-8: byte 0xff at byte 2" in second.detail
        assert isinstance(third, Product)


class TestColumns:
    def test_other_names_are_mapped(self, tmp_path: Path) -> None:
        path = as_parquet(tmp_path, pa.table({"nr": ["A"], "img_path": ["a.jpg"], "label": ["toys"]}))
        (product,) = read(path, columns={"id": "nr", "image": "img_path", "category": "label"})
        assert isinstance(product, Product)
        assert (product.id, product.category) == ("A", "toys")

    def test_a_mapped_column_that_is_not_there_is_an_error_with_those_that_are(self, tmp_path: Path) -> None:
        path = as_parquet(tmp_path, pa.table({"id": ["A"], "img": ["a.jpg"]}))
        with pytest.raises(CatalogError, match="no column 'photo', named for image; columns found: 'id', 'img'"):
            open_catalog(str(path), columns={"image": "photo"})
        with pytest.raises(CatalogError, match=r"no column for image; .*--map image=COLUMN"):
            open_catalog(str(path))

    @every_format
    def test_a_column_given_twice_is_an_error(self, tmp_path: Path, write: Write) -> None:
        table = pa.table([["A"], ["B"], ["a.jpg"]], names=["id", "id", "image"])
        with pytest.raises(CatalogError, match="columns twice: 'id'"):
            open_catalog(str(write(tmp_path, table)))

    def test_a_name_with_control_characters_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match="without control characters"):
            open_catalog(str(as_parquet(tmp_path, pa.table({"id": ["A"], "image": ["a"], "a\0b": [1]}))))

    @every_format
    def test_what_columns_are_taken_for_is_known_without_reading_a_row(self, tmp_path: Path, write: Write) -> None:
        columns = {"sku": ["A"], "image": ["a"], "photo_2": ["b"], "tall": [True], "cm": [3], "hue": ["red"]}
        table = pa.table(columns | {"vector": [[0.5]]})
        said = str(open_catalog(str(write(tmp_path, table))).guessed_columns())  # type: ignore[attr-defined]
        assert "id             'sku'" in said
        assert "pictures       'image', 'photo_2'" in said
        assert "price          none" in said
        assert "attributes     'tall' (bool), 'cm' (number), 'hue' (text)" in said
        assert "left out       'vector' (type list<" in said


class TestFolders:
    def test_all_parquet_files_of_a_folder_are_one_catalog_and_rows_are_counted_on(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        for number, ids in enumerate((["A", "B"], ["C"])):
            table = pa.table({"id": ids, "image": [f"{name}.jpg" for name in ids]})
            pq.write_table(table, tmp_path / "data" / f"part-{number}.parquet")
        (tmp_path / "data" / "_metadata.parquet").write_bytes(b"not finished")
        reader = open_catalog(f"parquet:{tmp_path}")
        rows = list(reader.read())
        assert [(row.line, row.id) for row in rows if isinstance(row, Product)] == [(1, "A"), (2, "B"), (3, "C")]
        assert (reader.name, reader.count()) == (tmp_path.name, 3)
        source = rows[0].pictures[0].source if isinstance(rows[0], Product) else None
        assert source == PictureFile(tmp_path / "A.jpg", tmp_path), "pictures are relative to the folder that was named"

    @pytest.mark.parametrize(
        "names",
        [("train-00000-of-00001.parquet", "test-00000-of-00001.parquet"), ("train/a.parquet", "test/a.parquet")],
    )
    def test_splits_in_the_files_names_are_the_products(self, tmp_path: Path, names: tuple[str, str]) -> None:
        for name, product_id in zip(names, "AB", strict=True):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            pq.write_table(pa.table({"id": [product_id], "image": ["a.jpg"]}), tmp_path / name)
        found = {row.id: row.split for row in open_catalog(f"parquet:{tmp_path}").read() if isinstance(row, Product)}
        assert found == {"A": "train", "B": "test"}
        tested = list(open_catalog(f"parquet:{tmp_path}", split="test").read())
        assert [row.id for row in tested if isinstance(row, Product)] == ["B"]

    def test_files_may_differ_in_their_columns(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"id": ["A"], "image": ["a.jpg"]}), tmp_path / "1.parquet")
        pq.write_table(pa.table({"id": [2], "image": [png(1)], "hue": ["red"]}), tmp_path / "2.parquet")
        pq.write_table(pa.table({"hue": ["blue", "green"]}), tmp_path / "3.parquet")
        rows = list(open_catalog(f"parquet:{tmp_path}").read())
        assert [row.id if isinstance(row, Product) else row.reason for row in rows] == ["A", "2"] + ["ID_MISSING"] * 2
        assert isinstance(rows[1], Product)
        assert rows[1].attributes == {"hue": "red"}

    def test_a_folder_without_any_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match=r"holds no file that ends in \.parquet"):
            open_catalog(f"parquet:{tmp_path}")


class TestStreaming:
    """Whatever a file's size, a bounded number of rows is in memory."""

    def test_a_row_group_of_a_parquet_file_is_never_held_as_a_whole(self, tmp_path: Path) -> None:
        rows, random = 6_000, np.random.default_rng(0)
        table = pa.table({"id": range(rows), "image": [random.bytes(8_000) for _ in range(rows)]})
        path = as_parquet(tmp_path, table, row_group_size=rows)
        size = path.stat().st_size
        assert size > 2.5 * BATCH_BYTES
        del table
        gc.collect()
        before, most = pa.total_allocated_bytes(), 0
        for row in open_catalog(str(path)).read():
            assert isinstance(row, Product)
            most = max(most, pa.total_allocated_bytes() - before)
        assert most < size / 2

    @every_format
    def test_batches_are_bounded_by_rows_and_by_bytes(self, tmp_path: Path, write: Write) -> None:
        from embedder.catalogs.catalog_file import find_catalog_file
        from embedder.catalogs.tables.arrow_file import ArrowFile
        from embedder.catalogs.tables.parquet_file import ParquetFile

        kind = ParquetFile if write is as_parquet else ArrowFile
        small = write(tmp_path, pa.table({"id": range(3 * BATCH_ROWS)}))
        assert [len(batch) for batch in kind(find_catalog_file(str(small))).batches(["id"])] == [BATCH_ROWS] * 3
        images = [bytes([number]) * (BATCH_BYTES // 4) for number in range(9)]
        large = write(tmp_path, pa.table({"image": images}))
        assert max(len(batch) for batch in kind(find_catalog_file(str(large))).batches(["image"])) <= 4


class TestDamage:
    """A file that is not whole is one error that names it and says what to do; never fewer rows."""

    @every_format
    def test_a_file_cut_short_anywhere_is_an_error(self, tmp_path: Path, write: Write) -> None:
        table = pa.table({"id": [f"{n}" for n in range(400)], "image": [png(n % 9) for n in range(400)]})
        path = write(tmp_path, table, rows_a_batch=100)
        whole = path.read_bytes()
        for length in [1, 4, 8, *range(12, len(whole), len(whole) // 40), len(whole) - 8, len(whole) - 1]:
            path.write_bytes(whole[:length])
            with pytest.raises(CatalogError, match=rf"{path.name}.*(damaged or was cut short|next step)"):
                list(open_catalog(str(path)).read())

    def test_a_stream_cut_between_two_batches_is_not_taken_for_a_shorter_one(self, tmp_path: Path) -> None:
        path = as_stream(tmp_path, pa.table({"id": range(200), "image": ["a.jpg"] * 200}), rows_a_batch=100)
        whole = path.read_bytes()
        cuts = [at for at in range(8, len(whole) - 8, 8) if whole[at : at + 4] == b"\xff\xff\xff\xff"]
        assert len(cuts) >= 2
        for cut in cuts:
            path.write_bytes(whole[:cut])
            with pytest.raises(CatalogError, match="does not end as an Arrow stream does"):
                open_catalog(str(path))

    @every_format
    def test_changed_bytes_end_nothing_but_the_reading(self, tmp_path: Path, write: Write) -> None:
        table = pa.table(
            {"id": [f"{n}" for n in range(50)], "image": [f"{n}.jpg" for n in range(50)], "hue": ["x"] * 50}
        )
        path = write(tmp_path, table)
        whole, random = path.read_bytes(), np.random.default_rng(4)
        for _ in range(150):
            changed = bytearray(whole)
            for position in random.integers(0, len(whole), 3):
                changed[position] = random.integers(0, 256)
            path.write_bytes(changed)
            rows: list[Product | Rejection] = []
            with contextlib.suppress(CatalogError):
                rows = read(path)
            assert all(isinstance(row, Product | Rejection) for row in rows)

    @every_format
    def test_another_format_is_an_error(self, tmp_path: Path, write: Write) -> None:
        path = write(tmp_path, pa.table({"id": ["A"], "image": ["a"]}))
        path.write_text("id,image\nA,a.jpg\n" * 9)
        with pytest.raises(CatalogError, match="next step: compare its size"):
            open_catalog(str(path))

    def test_the_first_version_of_feather_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "shop.feather"
        path.write_bytes(b"FEA1" + bytes(60) + b"FEA1")
        with pytest.raises(CatalogError, match="Feather file of version 1; permitted: version 2"):
            open_catalog(str(path))

    def test_an_empty_table_is_a_catalog_without_products(self, tmp_path: Path) -> None:
        for write in FORMATS:
            table = pa.table({"id": pa.array([], pa.string()), "image": pa.array([], pa.string())})
            reader = open_catalog(str(write(tmp_path, table)))
            assert (list(reader.read()), reader.count()) == ([], 0)
