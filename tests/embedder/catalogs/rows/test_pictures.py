"""A product's pictures: several in a cell, in several columns, in several rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from embedder.catalogs.product import MAX_PICTURES, Product, Rejection, Split
from embedder.catalogs.rows.columns import choose_columns, picture_columns
from embedder.catalogs.rows.pictures import split_names
from embedder.catalogs.rows.row import RowReader

FOLDER = Path("/shop")


def read(*rows: Mapping[str, object], separated: bool = False, split: Split | None = None) -> list[Product | Rejection]:
    names = dict.fromkeys(name for row in rows for name in row)
    reader = RowReader(names, {}, folder=FOLDER, split=split, pictures_separated=separated)
    return list(reader.read(enumerate(rows, start=2)))


def said(*rows: Mapping[str, object], **options) -> list[tuple[int, str | list[str]]]:
    """Line with picture names of a product, or reason of a rejection."""
    return [
        (row.line, row.reason if isinstance(row, Rejection) else [picture.name for picture in row.pictures])
        for row in read(*rows, **options)
    ]


def names_in(row: Mapping[str, object], **options) -> list[str]:
    (product,) = read({"id": "A", **row}, **options)
    assert isinstance(product, Product), product
    return [picture.name for picture in product.pictures]


class TestCell:
    @pytest.mark.parametrize(
        ("cell", "names"),
        [
            ("a.jpg", ["a.jpg"]),
            ("a.jpg|b.jpg", ["a.jpg", "b.jpg"]),
            ("a.jpg; b.PNG ;c.webp", ["a.jpg", "b.PNG", "c.webp"]),
            ("a.jpg,b.jpg,", ["a.jpg", "b.jpg"]),
            ("a,b.jpg|c.jpg", ["a,b.jpg", "c.jpg"]),
            ("red,small.jpg", ["red,small.jpg"]),
            ("photos;2020/a.jpg", ["photos;2020/a.jpg"]),
            ("a.jpg,b.txt", ["a.jpg,b.txt"]),
            ("a.jpg b.jpg", ["a.jpg b.jpg"]),
        ],
    )
    def test_a_cell_of_texts_names_one_or_several(self, cell: str, names: list[str]) -> None:
        assert names_in({"image": cell}, separated=True) == names
        assert names_in({"image": cell}) == [cell], "JSON has lists"

    def test_a_file_of_just_that_name_is_never_split(self, tmp_path: Path) -> None:
        assert split_names("front.jpg,back.jpg", tmp_path) == ["front.jpg", "back.jpg"]
        (tmp_path / "front.jpg,back.jpg").write_bytes(b"x")
        assert split_names("front.jpg,back.jpg", tmp_path) == ["front.jpg,back.jpg"]

    def test_a_name_that_no_file_could_have_is_no_trouble(self, tmp_path: Path) -> None:
        assert len(split_names(",".join(["a.jpg"] * 10_000), tmp_path)) == 10_000
        assert split_names("a\0.jpg,b.jpg", tmp_path) == ["a\0.jpg", "b.jpg"]

    def test_a_list_is_never_split_and_blank_names_are_none(self) -> None:
        assert names_in({"image": ["a.jpg,b.jpg", " ", None, " c.jpg "]}, separated=True) == ["a.jpg,b.jpg", "c.jpg"]

    def test_a_picture_named_twice_is_one(self) -> None:
        assert names_in({"image": ["a.jpg", "b.jpg", "a.jpg "]}) == ["a.jpg", "b.jpg"]

    @pytest.mark.parametrize("count", [MAX_PICTURES, MAX_PICTURES + 1, 1000])
    def test_of_more_than_sixteen_the_others_are_counted(self, count: int) -> None:
        (product,) = read({"id": "A", "image": [f"{number}.jpg" for number in range(count)]})
        assert isinstance(product, Product)
        assert [picture.name for picture in product.pictures] == [f"{number}.jpg" for number in range(16)]
        assert product.pictures_left_out == count - 16


class TestColumns:
    @pytest.mark.parametrize(
        ("names", "columns"),
        [
            (["id", "image", "image_2", "Image 3"], ["image", "image_2", "Image 3"]),
            (["photo10", "photo2", "photo1"], ["photo1", "photo2", "photo10"]),
            (["additional_image_link", "image"], ["image", "additional_image_link"]),
            (["image", "images"], ["image", "images"]),
            (["images"], ["images"]),
            (["image", "image_2", "gallery"], ["image", "image_2", "gallery"]),
            (["image", "image_0", "image_width", "image_2_alt", "imagery2"], ["image"]),
        ],
    )
    def test_which_columns_hold_pictures(self, names: list[str], columns: list[str]) -> None:
        assert picture_columns(names, choose_columns(names, {})) == columns

    def test_a_column_named_for_another_field_holds_no_picture(self) -> None:
        names = ["id", "image", "image_2"]
        assert picture_columns(names, choose_columns(names, {"title": "image_2"})) == ["image"]

    def test_further_pictures_may_be_named(self) -> None:
        names = ["id", "image", "angles"]
        assert picture_columns(names, choose_columns(names, {"more_images": "angles"})) == ["image", "angles"]

    def test_pictures_are_in_the_order_of_columns_and_are_no_attributes(self) -> None:
        row = {"id": "A", "gallery": ["d.jpg"], "image_2": "c.jpg", "image": ["a.jpg", "b.jpg"], "color": "red"}
        (product,) = read(row)
        assert isinstance(product, Product)
        assert [picture.name for picture in product.pictures] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
        assert product.attributes == {"color": "red"}

    def test_without_a_main_one_the_next_takes_its_place(self) -> None:
        assert names_in({"image": "", "image_2": "b.jpg"}) == ["b.jpg"]


class TestRows:
    FIRST = {"id": "A", "title": "Lamp", "price": "5", "image": "a.jpg"}

    def test_rows_that_name_a_further_picture_and_nothing_else_extend_the_product_above(self) -> None:
        rows = [
            self.FIRST,
            {"id": "A", "title": "", "price": None, "image": "b.jpg"},
            {"id": " A", "title": " Lamp ", "price": "5", "image": "c.jpg"},
            {"id": "B", "title": "Chair", "price": "6", "image": "a.jpg"},
        ]
        assert said(*rows) == [(2, ["a.jpg", "b.jpg", "c.jpg"]), (5, ["a.jpg"])]

    @pytest.mark.parametrize(
        ("below", "why"),
        [
            ({"id": "A", "title": "Desk lamp", "image": "b.jpg"}, "contradicts the title"),
            ({"id": "A", "price": "6", "image": "b.jpg"}, "contradicts the price"),
            ({"id": "A", "color": "red", "image": "b.jpg"}, "says something new"),
            ({"id": "A", "image": "a.jpg"}, "names no further picture"),
            ({"id": "A", "image": ""}, "names no picture"),
        ],
    )
    def test_any_other_row_of_the_id_is_a_duplicate(self, below: dict[str, object], why: str) -> None:
        assert said(self.FIRST, below) == [(2, ["a.jpg"]), (3, "ID_DUPLICATE")], why

    @pytest.mark.parametrize("between", [{"id": "B", "image": "b.jpg"}, {"id": "", "image": "b.jpg"}])
    def test_only_directly_below(self, between: dict[str, object]) -> None:
        *_, last = said(self.FIRST, between, {"id": "A", "image": "c.jpg"})
        assert last == (4, "ID_DUPLICATE")

    def test_an_unreadable_row_in_between_separates_too(self) -> None:
        reader = RowReader(["id", "image"], {}, folder=FOLDER)
        rows = [(2, {"id": "A", "image": "a.jpg"}), (3, "broken"), (4, {"id": "A", "image": "b.jpg"})]
        assert [getattr(found, "reason", "product") for found in reader.read(rows)] == [
            "product",
            "ROW_UNREADABLE",
            "ID_DUPLICATE",
        ]

    def test_behind_a_row_that_contradicts_nothing_extends_any_more(self) -> None:
        rows = [self.FIRST, {**self.FIRST, "title": "Other", "image": "b.jpg"}, {"id": "A", "image": "c.jpg"}]
        assert said(*rows) == [(2, ["a.jpg"]), (3, "ID_DUPLICATE"), (4, "ID_DUPLICATE")]

    def test_columns_about_the_picture_do_not_matter(self) -> None:
        rows = [
            {**self.FIRST, "Image Position": "1", "Image Alt Text": "front"},
            {"id": "A", "image": "b.jpg", "Image Position": "2", "Image Alt Text": "back"},
        ]
        assert said(*rows) == [(2, ["a.jpg", "b.jpg"])]

    def test_the_first_row_may_be_without_a_picture(self) -> None:
        assert said({"id": "A", "image": ""}, {"id": "A", "image": "b.jpg"}) == [(2, ["b.jpg"])]

    def test_a_product_that_is_rejected_is_rejected_once_with_all_its_rows(self) -> None:
        rows = [{**self.FIRST, "price": "junk"}, {"id": "A", "image": "b.jpg"}, {"id": "B", "image": "b.jpg"}]
        assert said(*rows) == [(2, "PRICE_INVALID"), (4, ["b.jpg"])]

    @pytest.mark.parametrize(("split", "expected"), [("test", [(2, ["a.jpg", "b.jpg"])]), ("train", [])])
    def test_rows_below_are_of_the_products_split(self, split: Split, expected: list) -> None:
        rows = [{**self.FIRST, "split": "test"}, {"id": "A", "image": "b.jpg", "split": ""}]
        assert said(*rows, split=split) == expected

    def test_thousands_of_rows_of_one_product_hold_sixteen_pictures(self) -> None:
        rows = [self.FIRST, *({"id": "A", "image": f"{number}.jpg"} for number in range(5000))]
        (product,) = read(*rows)
        assert isinstance(product, Product)
        assert (len(product.pictures), product.pictures_left_out) == (16, 4985)


class TestNamesThatArePicturesOfNothing:
    @pytest.mark.parametrize(
        "bad", ["https://shop.test/b.jpg", "data:image/png;base64,aa", "b\0.jpg", {"src": "b.jpg"}, 5]
    )
    def test_the_product_stays_with_its_other_pictures_and_the_bad_one_is_told(self, bad: object) -> None:
        product, rejection = read({"id": "A", "image": ["a.jpg", bad, "c.jpg"]})
        assert isinstance(product, Product)
        assert [picture.name for picture in product.pictures] == ["a.jpg", "c.jpg"]
        assert isinstance(rejection, Rejection)
        assert (rejection.line, rejection.product_id, rejection.reason) == (2, "A", "IMAGE_MISSING")
        assert rejection.picture

    def test_where_none_is_good_the_row_is_rejected_for_the_first(self) -> None:
        (rejection,) = read({"id": "A", "image": ["https://shop.test/b.jpg", 5]})
        assert isinstance(rejection, Rejection)
        assert (rejection.reason, rejection.picture) == ("IMAGE_MISSING", "")
        assert "is a URL" in rejection.detail
