"""JSON Lines catalogs: types are kept, broken lines cost themselves only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedder.catalogs.json_lines import MAX_LINE_BYTES, SAMPLED_ROWS, JsonLinesReader
from embedder.catalogs.product import Product, ProductPicture, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFile

GOOD = '{"id": "G", "image": "g.jpg"}'


def write(folder: Path, *lines: str | bytes | dict[str, object]) -> str:
    path = folder / "shop.jsonl"
    encoded = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    path.write_bytes(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in encoded))
    return str(path)


def test_a_small_catalog(tmp_path: Path) -> None:
    location = write(
        tmp_path,
        {
            "sku": 17,
            "name": "Lamp",
            "price": 12.9,
            "in_stock": 3,
            "category": ["Home", "Lamps"],
            "images": ["a.jpg", "b.jpg"],
            "wool": False,
            "attributes": {"colors": ["red", "green"], "watts": 40},
        },
        "",
        {"sku": "18", "images": "b.jpg"},
    )
    reader = JsonLinesReader(location)
    assert (reader.name, reader.count()) == ("shop.jsonl", 2), "a blank line is no row"
    first = Product(
        id="17",
        title="Lamp",
        pictures=(
            ProductPicture(PictureFile(tmp_path / "a.jpg", tmp_path), "a.jpg"),
            ProductPicture(PictureFile(tmp_path / "b.jpg", tmp_path), "b.jpg"),
        ),
        category="Home/Lamps",
        price=12.9,
        in_stock=True,
        attributes={"wool": False, "colors": ("red", "green"), "watts": 40.0},
        line=1,
    )
    second = Product(
        id="18", title="", pictures=(ProductPicture(PictureFile(tmp_path / "b.jpg", tmp_path), "b.jpg"),), line=3
    )
    assert list(reader.read()) == [first, second]
    assert list(reader.read()) == [first, second], "a catalog can be read again"


def test_it_is_found_by_its_suffix(tmp_path: Path) -> None:
    assert isinstance(open_catalog(write(tmp_path, GOOD)), JsonLinesReader)


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("{", "not JSON: Expecting property name"),
        ('{"id": 1} x', "not JSON: Extra data at character 11"),
        ("[1]", "a JSON list; permitted: an object"),
        ('"id"', "a JSON string"),
        ("null", "a JSON null"),
        ("true", "a JSON boolean"),
        ("3", "a JSON number"),
        ('{"id": 1, "image": "a.jpg", "price": NaN}', "NaN is not a JSON value"),
        ('{"id": 1, "image": "a.jpg", "price": -Infinity}', "-Infinity is not a JSON value"),
        ('{"id": 1, "id": 2, "image": "a.jpg"}', "key 'id' is given twice"),
        ('{"id": 1, "image": "a.jpg", "title": "\\ud83d"}', "half of a surrogate pair"),
        (b'{"id": 1, "image": "\xe4.jpg"}', "not UTF-8: byte 0xe4 at byte 21 of the line"),
        ("[" * 100_000, "nested too deeply"),
        ('{"id": ' + "9" * 5000 + ', "image": "a.jpg"}', "not JSON"),
        ('{"id": "' + "x" * MAX_LINE_BYTES + '"}', "more than 1,048,576 bytes"),
    ],
)
def test_a_broken_line_costs_itself_only(tmp_path: Path, line: str | bytes, detail: str) -> None:
    first, second, third = JsonLinesReader(write(tmp_path, GOOD, line, '{"id": "H", "image": "h.jpg"}')).read()
    assert isinstance(first, Product)
    assert isinstance(second, Rejection)
    assert (second.line, second.product_id, second.reason) == (2, "", "ROW_UNREADABLE")
    assert detail in second.detail
    assert isinstance(third, Product)
    assert (third.id, third.line) == ("H", 3)


def test_a_line_may_be_just_as_long_as_permitted(tmp_path: Path) -> None:
    line = '{"id": "A", "image": "a.jpg", "note": "'
    location = write(tmp_path, line + "x" * (MAX_LINE_BYTES - len(line) - 2) + '"}')
    (product,) = JsonLinesReader(location).read()
    assert isinstance(product, Product)


def test_characters_beyond_the_basic_plane_are_fine_escaped_or_not(tmp_path: Path) -> None:
    location = write(
        tmp_path, '{"id": 1, "image": "a.jpg", "title": "\\ud83d\\udc5f"}', '{"id": 2, "image": "b.jpg", "title": "👟"}'
    )
    titles = [found.title for found in JsonLinesReader(location).read() if isinstance(found, Product)]
    assert titles == ["👟", "👟"]


def test_a_byte_order_mark_and_a_missing_last_newline_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode() + b'\r\n{"id": "H", "image": "h.jpg"}')
    reader = JsonLinesReader(str(path))
    assert [found.id for found in reader.read() if isinstance(found, Product)] == ["G", "H"]
    assert reader.count() == 2


def test_a_number_too_large_for_a_float_is_no_price(tmp_path: Path) -> None:
    (rejection,) = JsonLinesReader(write(tmp_path, '{"id": 1, "image": "a.jpg", "price": 1e999}')).read()
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "PRICE_INVALID"


def test_nested_objects_are_refused(tmp_path: Path) -> None:
    location = write(tmp_path, {"id": 1, "image": "a.jpg", "size": {"width": 3}})
    (rejection,) = JsonLinesReader(location).read()
    assert isinstance(rejection, Rejection)
    assert (rejection.product_id, rejection.reason) == ("1", "ATTRIBUTE_INVALID")


class TestKeys:
    def test_the_id_does_not_change_its_key_within_a_catalog(self, tmp_path: Path) -> None:
        location = write(
            tmp_path,
            {"sku": "S1", "image": "a.jpg"},
            {"sku": "S2", "id": "2", "image": "b.jpg"},
        )
        first, second = JsonLinesReader(location).read()
        assert isinstance(first, Rejection)
        assert first.reason == "ID_MISSING"
        assert isinstance(second, Product)
        assert (second.id, second.attributes) == ("2", {"sku": "S2"})

    def test_a_field_that_only_late_rows_have_is_found(self, tmp_path: Path) -> None:
        rows: list[dict[str, object]] = [{"id": n, "image": "a.jpg"} for n in range(SAMPLED_ROWS + 10)]
        rows.append({"id": "last", "image": "b.jpg", "price": 5, "hue": "red"})
        *_, last = JsonLinesReader(write(tmp_path, *rows)).read()
        assert isinstance(last, Product)
        assert (last.price, last.attributes) == (5.0, {"hue": "red"})

    def test_a_named_key_may_be_rare(self, tmp_path: Path) -> None:
        rows: list[dict[str, object]] = [{"id": n, "image": "a.jpg"} for n in range(SAMPLED_ROWS + 10)]
        rows.append({"id": "last", "image": "b.jpg", "Preis": 5})
        *_, last = JsonLinesReader(write(tmp_path, *rows), columns={"price": "Preis"}).read()
        assert isinstance(last, Product)
        assert last.price == 5.0

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"price": "Preis"}, r"no column 'Preis', named for price; columns found: 'id', 'image'"),
            ({"colour": "id"}, r"'colour' is not a field"),
        ],
    )
    def test_a_named_key_must_be_in_some_row(self, tmp_path: Path, columns: dict[str, str], message: str) -> None:
        with pytest.raises(CatalogError, match=message):
            JsonLinesReader(write(tmp_path, GOOD), columns=columns)

    @pytest.mark.parametrize("missing", ["id", "image"])
    def test_id_and_picture_must_be_in_some_row(self, tmp_path: Path, missing: str) -> None:
        row: dict[str, object] = {"id": 1, "image": "a.jpg", "hue": "red"}
        del row[missing]
        with pytest.raises(CatalogError, match=rf"no column for {missing}; columns found: .*'hue'"):
            JsonLinesReader(write(tmp_path, row))


def test_only_the_split_asked_for_is_read(tmp_path: Path) -> None:
    location = write(tmp_path, GOOD, {"id": "T", "image": "t.jpg", "split": "test"})
    assert [found.id for found in JsonLinesReader(location, split="test").read() if isinstance(found, Product)] == ["T"]
    assert list(JsonLinesReader(location, split="train").read()) == []


@pytest.mark.parametrize("lines", [("",), ("[1]", "{")])
def test_a_file_without_any_object_is_refused(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(CatalogError, match="holds no JSON object"):
        JsonLinesReader(write(tmp_path, *lines))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="is empty"):
        JsonLinesReader(write(tmp_path))


def test_a_variant_group_is_known_by_its_key_or_by_the_key_named_for_it(tmp_path: Path) -> None:
    location = write(tmp_path, {"id": "1", "image": "a.jpg", "item_group_id": 12, "model": "M1"})
    for columns, group in ({}, "12"), ({"variant_group": "model"}, "M1"):
        (product,) = JsonLinesReader(location, columns=columns).read()
        assert isinstance(product, Product)
        assert product.variant_group == group
        assert product.attributes == {"item_group_id": 12.0, "model": "M1"}
