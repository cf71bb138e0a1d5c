"""What one row of a catalog becomes, whichever file it came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import embedder.errors
from embedder.catalogs.product import ROW_REASONS, AttributeKind, Product, ProductPicture, Rejection, Split
from embedder.catalogs.rows import row as row_module
from embedder.catalogs.rows.columns import GUESSES, check_columns, choose_columns
from embedder.catalogs.rows.row import RowReader
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFile

FOLDER = Path("/shop")


def read_row(
    row: Mapping[str, object],
    named: Mapping[str, str] | None = None,
    split: Split | None = None,
    kinds: Mapping[str, AttributeKind] | None = None,
) -> Product | Rejection | None:
    return next(RowReader(row, named or {}, folder=FOLDER, split=split, kinds=kinds).read([(7, row)]), None)


def product_with(**cells: object) -> Product:
    result = read_row({"id": "A1", "image": "a.jpg", **cells})
    assert isinstance(result, Product), result
    return result


def rejection_with(**cells: object) -> Rejection:
    result = read_row({"id": "A1", "image": "a.jpg", **cells})
    assert isinstance(result, Rejection), result
    assert result.line == 7
    return result


class TestColumns:
    @pytest.mark.parametrize(
        ("field", "guess"),
        # "images" alone holds the main picture too.
        [
            (field, guess)
            for field in GUESSES
            for guess in GUESSES[field]
            if (field, guess) != ("more_images", "images")
        ],
    )
    def test_every_usual_name_is_known(self, field: str, guess: str) -> None:
        assert choose_columns([guess], {}) == {field: guess}

    @pytest.mark.parametrize("name", ["Product ID", "PRODUCT-ID", "productId", " product_id "])
    def test_case_and_partings_of_a_name_do_not_matter(self, name: str) -> None:
        assert choose_columns([name], {}) == {"id": name}

    def test_the_best_guess_wins_and_the_others_are_attributes(self) -> None:
        product = product_with(sku="S-9", name="Lamp", title="Desk lamp")
        assert (product.id, product.title) == ("A1", "Desk lamp")
        assert product.attributes == {"sku": "S-9", "name": "Lamp"}

    def test_a_named_column_goes_before_every_guess(self) -> None:
        row = {"id": "1", "ean": "400", "image": "a.jpg", "Titel": "Lampe", "title": "Lamp"}
        product = read_row(row, {"id": "ean", "title": "Titel"})
        assert isinstance(product, Product)
        assert (product.id, product.title) == ("400", "Lampe")
        assert product.attributes == {"id": "1", "title": "Lamp"}

    def test_a_column_named_for_one_field_may_hold_another_too(self) -> None:
        assert choose_columns(["sku", "name"], {"title": "sku"}) == {"id": "sku", "title": "sku"}

    def test_a_named_column_that_is_not_there_is_refused_naming_those_that_are(self) -> None:
        with pytest.raises(CatalogError, match=r"no column 'Preis', named for price; columns found: 'id', 'image'"):
            check_columns("shop.csv", ["id", "image"], {"price": "Preis"})

    def test_a_field_that_is_not_ours_is_refused_naming_ours(self) -> None:
        with pytest.raises(
            CatalogError, match=r"'colour' is not a field.*permitted: id, title, description, category, price"
        ):
            choose_columns(["id"], {"colour": "id"})

    @pytest.mark.parametrize(("names", "field"), [(["image", "hue"], "id"), (["id", "hue"], "image")])
    def test_id_and_picture_need_a_column(self, names: list[str], field: str) -> None:
        with pytest.raises(CatalogError, match=rf"no column for {field}; columns found: .*'hue'.*{field}=COLUMN"):
            check_columns("shop.csv", names, {})

    def test_a_column_met_late_takes_a_free_field_but_never_a_taken_one(self) -> None:
        rows = RowReader(["id", "name", "image"], {}, folder=FOLDER)
        row = {"id": "1", "name": "Lamp", "image": "a.jpg", "title": "Late", "price": 3}
        (product,) = rows.read([(1, row)])
        assert isinstance(product, Product)
        assert (product.title, product.price, product.attributes) == ("Lamp", 3.0, {"title": "Late"})


class TestId:
    @pytest.mark.parametrize(("value", "expected"), [("A1", "A1"), ("  A 1 ", "A 1"), ("007", "007"), (42, "42")])
    def test_texts_and_whole_numbers_are_ids(self, value: object, expected: str) -> None:
        assert product_with(id=value).id == expected

    @pytest.mark.parametrize("value", [None, "", " \t"])
    def test_a_blank_id_is_missing(self, value: object) -> None:
        rejection = rejection_with(id=value)
        assert (rejection.reason, rejection.product_id) == ("ID_MISSING", "")

    @pytest.mark.parametrize("value", ["a\0b", "a\nb", "a\x1bb", "a\ud800", 1.5, True, ["a"]])
    def test_an_id_is_plain_text(self, value: object) -> None:
        assert rejection_with(id=value).reason == "ID_INVALID"

    def test_512_characters_are_permitted_and_no_more(self) -> None:
        assert product_with(id="x" * 512).id == "x" * 512
        rejection = rejection_with(id="x" * 513)
        assert rejection.reason == "ID_TOO_LONG"
        assert "513 characters; permitted: up to 512" in rejection.detail
        assert len(rejection.detail) < 200

    def test_the_second_row_of_an_id_is_refused_naming_the_line_of_the_first(self) -> None:
        rows = RowReader(["id", "image"], {}, folder=FOLDER)
        row = {"id": "A", "image": "a.jpg"}
        first, second = rows.read([(2, row), (5, {**row, "id": " A"})])
        assert isinstance(first, Product)
        assert isinstance(second, Rejection)
        assert (second.line, second.product_id, second.reason) == (5, "A", "ID_DUPLICATE")
        assert second.detail.startswith("id 'A' is already on line 2; permitted: once, or directly below with")

    def test_a_refused_row_keeps_its_id_taken(self) -> None:
        rows = RowReader(["id", "image", "price"], {}, folder=FOLDER)
        junk = {"id": "A", "image": "a.jpg", "price": "junk"}
        results = rows.read([(2, junk), (3, {**junk, "price": "1"})])
        assert [result.reason for result in results if isinstance(result, Rejection)] == [
            "PRICE_INVALID",
            "ID_DUPLICATE",
        ]


class TestPrice:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (12, 12.0),
            (12.5, 12.5),
            (1.299, 1.299),
            (0, 0.0),
            ("0", 0.0),
            ("12", 12.0),
            ("12.90", 12.9),
            (".5", 0.5),
            ("12,90", 12.9),
            ("0.999", 0.999),
            ("0,999", 0.999),
            ("1299.000", 1299.0),
            ("1,299.00", 1299.0),
            ("1.299,00", 1299.0),
            ("1,234,567", 1234567.0),
            ("1.234.567,8", 1234567.8),
            ("1 299", 1299.0),
            ("1 299,50", 1299.5),
            ("1\u00a0299,50", 1299.5),
            ("1\u202f299", 1299.0),
            ("1'299.50", 1299.5),
            ("1\u2019299.50", 1299.5),
            ("12,34,567.00", 1234567.0),
            ("$12.90", 12.9),
            ("12,90 €", 12.9),
            ("€ 1.299,00", 1299.0),
            ("US$ 5", 5.0),
            ("EUR 12.90", 12.9),
            ("12.90 usd", 12.9),
            ("$12.90 USD", 12.9),
            ("129 kr", 129.0),
            ("Rs. 1,29,999.00", 129999.0),
            ("₹99", 99.0),
        ],
    )
    def test_what_can_be_read_in_one_way_only_is_read(self, value: object, expected: float) -> None:
        assert product_with(price=value).price == expected

    @pytest.mark.parametrize("value", ["1,299", "1.299", "€1.299", "$1,299", "999,999"])
    def test_what_can_be_read_in_two_ways_is_refused_with_both(self, value: str) -> None:
        rejection = rejection_with(price=value)
        assert (rejection.reason, rejection.product_id) == ("PRICE_INVALID", "A1")
        digits = value.lstrip("€$").replace(",", ".")
        assert f"{value!r} may mean {digits.replace('.', '')} or {digits}" in rejection.detail

    @pytest.mark.parametrize(
        "value",
        [
            *("-1", "-0.01", "nan", "inf", "1e5", "free", "12 pcs", "from 12", "1,29,9", "1,2.3", "12.", "$", "1.2.3"),
            *("50¢", "12-15", "1 29", "1.299,000.5", "+5", "٣", "9" * 400, "0x1f", "1_000"),
            *(-1, -0.5, float("nan"), float("inf"), 1e999, True, [1], {"amount": 5}, 10**400),
        ],
    )
    def test_anything_else_is_refused(self, value: object) -> None:
        rejection = rejection_with(price=value)
        assert rejection.reason == "PRICE_INVALID"
        assert "permitted" in rejection.detail
        assert len(rejection.detail) < 250

    @pytest.mark.parametrize("value", [None, "", "  "])
    def test_blank_is_no_price(self, value: object) -> None:
        assert product_with(price=value).price is None


class TestStock:
    @pytest.mark.parametrize(
        "value",
        [
            *(True, 1, 7, 2.0, "true", "YES", "1", "12", "3.0", "in stock", "In_Stock", "in-stock", "InStock"),
            *("y", "Y", " y ", "yes", "True", "TRUE"),
        ],
    )
    def test_in_stock(self, value: object) -> None:
        assert product_with(stock=value).in_stock is True

    @pytest.mark.parametrize(
        "value",
        [False, 0, 0.0, "false", "No", "0", "00", "0.0", "out of stock", "OUT_OF_STOCK", "n", "N", "NO", "FALSE"],
    )
    def test_out_of_stock(self, value: object) -> None:
        assert product_with(stock=value).in_stock is False

    @pytest.mark.parametrize("value", [None, "", " "])
    def test_blank_is_unknown(self, value: object) -> None:
        assert product_with(stock=value).in_stock is None

    @pytest.mark.parametrize("value", [-1, "-1", 1.5, "1.5", "maybe", "preorder", float("nan"), ["yes"], "²"])
    def test_anything_else_is_refused(self, value: object) -> None:
        assert rejection_with(stock=value).reason == "STOCK_INVALID"


class TestCategory:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("Shoes", "Shoes"),
            ("Women/Shoes", "Women/Shoes"),
            ("Women > Shoes > Boots", "Women/Shoes/Boots"),
            ("Women >> Shoes", "Women/Shoes"),
            ("Women|Shoes", "Women/Shoes"),
            (" Women /  Winter   shoes ", "Women/Winter shoes"),
            ("/Women/Shoes/", "Women/Shoes"),
            (["Women", " Shoes "], "Women/Shoes"),
            (["Black | White"], "Black | White"),
            ("", None),
            (None, None),
            ([], None),
        ],
    )
    def test_a_path_is_brought_to_levels(self, value: object, expected: str | None) -> None:
        assert product_with(category=value).category == expected

    @pytest.mark.parametrize("value", ["a//b", "a > > b", "/", ["a", ""], ["T-shirt/top"], ["a", 1], 5, {}, "a\0b"])
    def test_what_is_no_path_is_refused(self, value: object) -> None:
        assert rejection_with(category=value).reason == "CATEGORY_INVALID"


class TestPicture:
    def test_a_relative_path_begins_at_the_catalog(self) -> None:
        product = product_with(image=" photos/a.jpg ")
        assert product.pictures[0].source == PictureFile(FOLDER / "photos/a.jpg", FOLDER)
        assert product.pictures[0].name == "photos/a.jpg"

    @pytest.mark.parametrize("value", ["/media/a.jpg", "../media/a.jpg"])
    @pytest.mark.parametrize(("allow", "limit"), [(False, FOLDER), (True, None)])
    def test_whether_it_may_lead_out_of_the_folder_is_said_to_whoever_opens_it(
        self, value: str, allow: bool, limit: Path | None
    ) -> None:
        rows = RowReader(["id", "image"], {}, folder=FOLDER, allow_outside_pictures=allow)
        (product,) = rows.read([(2, {"id": "A", "image": value})])
        assert isinstance(product, Product)
        assert product.pictures[0].source == PictureFile(FOLDER / value, limit)

    def test_of_several_pictures_the_first_is_the_main_one(self) -> None:
        assert product_with(image=["a.jpg", "b.jpg"]).pictures == (
            ProductPicture(PictureFile(FOLDER / "a.jpg", FOLDER), "a.jpg"),
            ProductPicture(PictureFile(FOLDER / "b.jpg", FOLDER), "b.jpg"),
        )

    @pytest.mark.parametrize("value", [None, "", "  ", [], [""]])
    def test_a_product_needs_a_picture(self, value: object) -> None:
        assert rejection_with(image=value).reason == "PICTURE_COLUMN_EMPTY"

    @pytest.mark.parametrize("value", ["http://x.test/a.jpg", "HTTPS://x.test/a.jpg", "data:image/png;base64,aa"])
    def test_a_url_is_refused_with_what_to_do(self, value: str) -> None:
        rejection = rejection_with(image=value)
        assert rejection.reason == "IMAGE_MISSING"
        assert "local file" in rejection.detail

    def test_an_object_is_no_picture(self) -> None:
        assert rejection_with(image={"url": "a.jpg"}).reason == "IMAGE_MISSING"


class TestVariantGroup:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [(" A-7 ", "A-7"), (7, "7"), (7.0, "7"), ("007", "007"), ("", None), (None, None), (" ", None)],
    )
    def test_a_text_or_a_whole_number(self, value: object, expected: str | None) -> None:
        assert product_with(item_group_id=value).variant_group == expected

    @pytest.mark.parametrize("value", [0, "0", 0.0, False, "none", "NULL", "N/A", "-", "nan"])
    def test_what_stands_for_no_group_joins_nobody(self, value: object) -> None:
        assert product_with(parent_id=value).variant_group is None

    @pytest.mark.parametrize("value", [True, 7.5, ["a"], {"a": 1}, "a\0"])
    def test_anything_else_is_refused(self, value: object) -> None:
        rejection = rejection_with(parent_sku=value)
        assert rejection.reason == "VARIANT_GROUP_INVALID"
        assert "permitted: " in rejection.detail

    def test_it_stays_an_attribute_to_filter_by(self) -> None:
        product = product_with(item_group_id="A-7", color="red")
        assert product.attributes == {"item_group_id": "A-7", "color": "red"}

    def test_a_column_of_any_name_can_be_chosen(self) -> None:
        row = {"id": "A1", "image": "a.jpg", "style": "S1", "item_group_id": "A-7"}
        product = read_row(row, {"variant_group": "style"})
        assert isinstance(product, Product)
        assert product.variant_group == "S1"
        assert product.attributes == {"style": "S1", "item_group_id": "A-7"}

    @pytest.mark.parametrize("name", ["style", "parent", "model", "collection", "group"])
    def test_names_that_may_mean_anything_are_not_taken_for_it(self, name: str) -> None:
        assert product_with(**{name: "x"}).variant_group is None


class TestSplit:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [("train", "train"), ("Test ", "test"), ("val", "validation"), ("validation", "validation"), ("", None)],
    )
    def test_known_splits(self, value: str, expected: str | None) -> None:
        assert product_with(split=value).split == expected

    def test_unknown_splits_are_refused(self) -> None:
        rejection = rejection_with(split="holdout")
        assert rejection.reason == "SPLIT_INVALID"
        assert "'holdout'; permitted: train, validation, val, test" in rejection.detail

    def test_only_rows_of_the_split_asked_for_are_read_be_they_good_or_bad(self) -> None:
        rows = [
            {"id": "1", "image": "a.jpg", "split": "train"},
            {"id": "2", "image": "a.jpg", "split": "test"},
            {"id": "3", "image": "a.jpg", "split": ""},
            {"id": "4", "image": "", "split": "train"},
            {"id": "5", "image": "", "split": "test"},
            {"id": "6", "image": "a.jpg", "split": "holdout"},
            {"id": "1", "image": "a.jpg", "split": "test"},
        ]
        reader = RowReader(rows[0], {}, folder=FOLDER, split="test")
        results = reader.read(enumerate(rows, start=2))
        assert [(result.line, getattr(result, "reason", "product")) for result in results] == [
            (3, "product"),
            (6, "PICTURE_COLUMN_EMPTY"),
            (7, "SPLIT_INVALID"),
            (8, "ID_DUPLICATE"),
        ]


class TestAttributes:
    def test_other_columns_are_attributes_and_blank_ones_are_left_out(self) -> None:
        product = product_with(color="red ", material="", size=None, tags=[])
        assert product.attributes == {"color": "red"}

    def test_json_values_stay_what_they_are(self) -> None:
        product = product_with(width=30, height=1.5, wool=True, tags=["warm", " new ", ""], code2="007", number="12")
        assert product.attributes == {
            "width": 30.0,
            "height": 1.5,
            "wool": True,
            "tags": ("warm", "new"),
            "code2": "007",
            "number": "12",
        }
        assert isinstance(product.attributes["width"], float)

    def test_an_object_called_attributes_is_taken_apart(self) -> None:
        product = product_with(color="red", attributes={"fit": "slim", "price": 5, "size": None})
        assert product.attributes == {"color": "red", "fit": "slim", "price": 5.0}

    @pytest.mark.parametrize(
        "value", [{"a": 1}, [1, 2], ["a", None], [["a"]], float("nan"), float("inf"), 2**53 + 1, 10**400]
    )
    def test_what_a_filter_could_not_meet_is_refused(self, value: object) -> None:
        rejection = rejection_with(dimensions=value)
        assert rejection.reason == "ATTRIBUTE_INVALID"
        assert "'dimensions'" in rejection.detail
        assert rejection_with(attributes={"dimensions": value}).reason == "ATTRIBUTE_INVALID"

    def test_an_attribute_given_twice_is_refused(self) -> None:
        assert "'color' is given twice" in rejection_with(color="red", attributes={"color": "blue"}).detail

    def test_an_attribute_needs_a_name(self) -> None:
        assert rejection_with(attributes={" ": "blue"}).reason == "ATTRIBUTE_INVALID"

    @pytest.mark.parametrize(
        ("text", "kind", "expected"),
        [
            ("12", AttributeKind.NUMBER, 12.0),
            ("-1.50", AttributeKind.NUMBER, -1.5),
            ("12", AttributeKind.TEXT, "12"),
            ("007", AttributeKind.NUMBER, "007"),
            ("inf", AttributeKind.NUMBER, "inf"),
            ("nan", AttributeKind.NUMBER, "nan"),
            ("1e5", AttributeKind.NUMBER, "1e5"),
            ("1234567890123456", AttributeKind.NUMBER, "1234567890123456"),
            ("TRUE", AttributeKind.BOOL, True),
            ("false", AttributeKind.BOOL, False),
            ("yes", AttributeKind.BOOL, "yes"),
        ],
    )
    def test_texts_are_converted_where_their_column_says_so_and_they_fit(
        self, text: str, kind: AttributeKind, expected: object
    ) -> None:
        row = {"id": "1", "image": "a.jpg", "depth": text}
        product = read_row(row, kinds={"depth": kind})
        assert isinstance(product, Product)
        assert product.attributes == {"depth": expected}
        assert type(product.attributes["depth"]) is type(expected)


def test_a_whole_row() -> None:
    row = {
        "SKU": "A1",
        "Product Name": " Desk \n lamp ",
        "Category Path": "Home > Lamps",
        "Price": "€ 39,90",
        "Availability": "in stock",
        "Photo": "a.jpg",
        "color": "green",
    }
    assert read_row(row) == Product(
        id="A1",
        title="Desk lamp",
        pictures=(ProductPicture(PictureFile(FOLDER / "a.jpg", FOLDER), "a.jpg"),),
        category="Home/Lamps",
        price=39.9,
        in_stock=True,
        attributes={"color": "green"},
        line=7,
    )


@pytest.mark.parametrize("value", [{"en": "Lamp"}, ["Lamp"], True])
def test_a_title_is_a_text(value: object) -> None:
    assert rejection_with(title=value).reason == "TITLE_INVALID"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Warm &amp; <b>light</b>.<br/>\nFor&nbsp;winter", "Warm & light . For winter"),
        ("a < b and c > d", "a < b and c > d"),
        ("x\0y", "x y"),
        (12, "12"),
        (None, ""),
        ("w " * 4_000, ("w " * 2_500).strip() + " "),
        ("<!-- hidden --> shown", "shown"),
    ],
)
def test_a_description_is_read_without_markup(value: object, expected: str) -> None:
    assert product_with(description=value).description == expected
    assert "description" not in product_with(description=value).attributes


CONTROLS = ["a\0b", "\x1b[31mred", "a\x7f", "a\x9bb", "a\ud800"]


class TestControlCharacters:
    @pytest.mark.parametrize("text", CONTROLS)
    def test_a_row_that_holds_one_anywhere_is_refused(self, text: str) -> None:
        assert rejection_with(id=text).reason == "ID_INVALID"
        assert rejection_with(title=text).reason == "TITLE_INVALID"
        assert rejection_with(category=text).reason == "CATEGORY_INVALID"
        assert rejection_with(category=["a", text]).reason == "CATEGORY_INVALID"
        assert rejection_with(color=text).reason == "ATTRIBUTE_INVALID"
        assert rejection_with(colors=["red", text]).reason == "ATTRIBUTE_INVALID"
        assert rejection_with(**{text: "red"}).reason == "ATTRIBUTE_INVALID"
        assert rejection_with(attributes={text: "red"}).reason == "ATTRIBUTE_INVALID"
        assert rejection_with(price=text).reason == "PRICE_INVALID"
        assert rejection_with(image=text).reason == "IMAGE_MISSING"

    def test_what_separates_words_and_lines_is_no_fault(self) -> None:
        product = product_with(title="Desk\tlamp\r\n", category="Home\n/Lamps", note="one\r\n\ttwo", color="ä👟\u200d")
        assert (product.title, product.category) == ("Desk lamp", "Home/Lamps")
        assert product.attributes == {"note": "one\r\n\ttwo", "color": "ä👟\u200d"}


def test_each_reason_of_a_row_is_listed_and_can_happen() -> None:
    rows: dict[str, dict[str, object]] = {
        "ID_MISSING": {"id": ""},
        "ID_TOO_LONG": {"id": "x" * 513},
        "ID_INVALID": {"id": 1.5},
        "TITLE_INVALID": {"title": "\0"},
        "DESCRIPTION_INVALID": {"description": ["a", "list"]},
        "CATEGORY_INVALID": {"category": "a//b"},
        "PRICE_INVALID": {"price": "junk"},
        "STOCK_INVALID": {"in_stock": "maybe"},
        "ATTRIBUTE_INVALID": {"color": "\0"},
        "SPLIT_INVALID": {"split": "holdout"},
        "VARIANT_GROUP_INVALID": {"item_group_id": ["a", "b"]},
        "PICTURE_COLUMN_EMPTY": {"image": ""},
    }
    good: dict[str, object] = {"id": "A1", "image": "a.jpg"}
    for reason, cells in rows.items():
        assert rejection_with(**cells).reason == reason
    found = RowReader(good, {}, folder=FOLDER).read([(2, good), (3, good), (4, "broken")])
    others = [row.reason for row in found if isinstance(row, Rejection)]
    assert sorted([*rows, *others]) == sorted(ROW_REASONS)


def test_each_reason_in_the_source_is_listed() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(row_module.__file__).parents[1].rglob("*.py")]
    named = {
        reason for source in sources for reason in re.findall(r"(?:CellError|Rejection)\([^)]*?\"([A-Z_]+)\"", source)
    }
    pictures = {
        kind.reason for kind in vars(embedder.errors).values() if hasattr(kind, "reason") and "IMAGE" in kind.reason
    }
    assert len(named) > 8
    assert named <= {*ROW_REASONS, *pictures}
