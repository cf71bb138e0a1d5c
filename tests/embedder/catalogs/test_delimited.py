"""CSV files as shops export them: other delimiters, quotes, byte order marks, and rows that are broken."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest

from embedder.catalogs import delimited_records
from embedder.catalogs.delimited import DelimitedReader
from embedder.catalogs.delimited_records import MAX_FIELD_CHARACTERS
from embedder.catalogs.product import Product, ProductPicture, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.errors import CatalogError
from embedder.inputs.picture import PictureFile


def write(folder: Path, text: str | bytes, name: str = "shop.csv") -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def read_all(location: str) -> list[Product | Rejection]:
    return list(DelimitedReader(location).read())


def outline(location: str) -> list[tuple[int, str]]:
    """Line, and id of a product or reason of a rejection."""
    return [(found.line, found.id if isinstance(found, Product) else found.reason) for found in read_all(location)]


def test_a_small_catalog(tmp_path: Path) -> None:
    location = write(tmp_path, "id,title,price,image,color\nA1,Lamp,12.90,photos/a.jpg,red\nA2,Chair,,photos/b.jpg,\n")
    reader = DelimitedReader(location)
    assert (reader.name, reader.count()) == ("shop.csv", 2)
    first = Product(
        id="A1",
        title="Lamp",
        pictures=(ProductPicture(PictureFile(tmp_path / "photos/a.jpg", tmp_path), "photos/a.jpg"),),
        price=12.9,
        attributes={"color": "red"},
        line=2,
    )
    second = Product(
        id="A2",
        title="Chair",
        pictures=(ProductPicture(PictureFile(tmp_path / "photos/b.jpg", tmp_path), "photos/b.jpg"),),
        line=3,
    )
    assert list(reader.read()) == [first, second]
    assert list(reader.read()) == [first, second], "a catalog can be read again"


def test_it_is_found_by_its_suffix_and_by_its_kind(tmp_path: Path) -> None:
    location = write(tmp_path, "id\timage\nA1\ta.jpg\n", "shop.tsv")
    assert isinstance(open_catalog(location), DelimitedReader)
    assert isinstance(open_catalog(f"csv:{location}", columns={"title": "id"}), DelimitedReader)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_from_the_header(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", '"size, cm; or | in"', "image"], ["A1", "30", "a.jpg"]]
    location = write(tmp_path, "\n".join(delimiter.join(row) for row in rows))
    (product,) = read_all(location)
    assert isinstance(product, Product)
    assert product.attributes == {"size, cm; or | in": 30.0}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path, line_end: str) -> None:
    text = line_end.join(["\ufeffid,image", "A1,ä.jpg", "A2,b.jpg", ""])
    assert outline(write(tmp_path, text)) == [(2, "A1"), (3, "A2")]


def test_a_quoted_cell_may_hold_delimiters_quotes_and_newlines_and_lines_are_physical(tmp_path: Path) -> None:
    text = '\nid,title,image\nA1,"a ""big"",\nlong\n\nlamp",a.jpg\n\n,,\nA2,b,b.jpg'
    location = write(tmp_path, text)
    first, second = read_all(location)
    assert isinstance(first, Product)
    assert (first.line, first.title) == (3, 'a "big", long lamp')
    assert isinstance(second, Product)
    assert (second.line, second.id) == (9, "A2")


class TestBrokenRows:
    def test_too_few_and_too_many_cells(self, tmp_path: Path) -> None:
        results = read_all(write(tmp_path, "id,image\nA1\nA2,a.jpg,x\nA3,a.jpg\n"))
        assert results[:2] == [
            Rejection(2, "", "ROW_UNREADABLE", "line 2: 1 cells; permitted: 2, as in the header"),
            Rejection(3, "", "ROW_UNREADABLE", "line 3: 3 cells; permitted: 2, as in the header"),
        ]
        assert isinstance(results[2], Product)

    def test_a_text_behind_a_closing_quote(self, tmp_path: Path) -> None:
        location = write(tmp_path, 'id,title,image\nA1,"5" TV",a.jpg\nA2,5" TV,b.jpg\n')
        assert outline(location) == [(2, "ROW_UNREADABLE"), (3, "A2")]

    @pytest.mark.parametrize("later", ["", 'A4,"ok",d.jpg\n'])
    def test_a_quote_never_closed_costs_its_own_row_only(self, tmp_path: Path, later: str) -> None:
        text = 'id,title,image\nA1,ok,a.jpg\nA2,"open,b.jpg\nA3,ok,c.jpg\n' + later
        expected = [(2, "A1"), (3, "ROW_UNREADABLE"), (4, "A3")] + ([(5, "A4")] if later else [])
        location = write(tmp_path, text)
        assert outline(location) == expected
        detail = next(found.detail for found in read_all(location) if isinstance(found, Rejection))
        assert f"lines 3 to {5 if later else 4} (a quoted cell spans them; is a closing quote missing?)" in detail

    def test_a_cell_may_have_a_million_characters_and_no_more(self, tmp_path: Path) -> None:
        long = "x" * MAX_FIELD_CHARACTERS
        text = f"id,title,image\nA1,{long},a.jpg\nA2,{long}x,b.jpg\nA3,ok,c.jpg\n"
        assert outline(write(tmp_path, text)) == [(2, "A1"), (3, "ROW_UNREADABLE"), (4, "A3")]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
    def test_a_line_without_end_is_not_held_in_memory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
    ) -> None:
        monkeypatch.setattr(delimited_records, "MAX_LINE_CHARACTERS", 1000)
        good = "A1,a.jpg,\r\n"
        text = f"id,image,note{end or chr(10)}{good}A2,b.jpg,{'x,' * 50_000}{end}" + ("A3,c.jpg,\n" if end else "")
        location = write(tmp_path, text)
        assert outline(location) == [(2, "A1"), (3, "ROW_UNREADABLE")] + ([(4, "A3")] if end else [])
        (detail,) = [found.detail for found in read_all(location) if isinstance(found, Rejection)]
        assert detail == "line 3: a line of more than 1,000 characters"

    def test_behind_a_quote_never_closed_it_costs_its_own_row_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delimited_records, "MAX_LINE_CHARACTERS", 1000)
        text = f'id,image\n"A1,a.jpg\nA2,b.jpg\n{"x" * 5000}\nA3,c.jpg\n'
        assert outline(write(tmp_path, text)) == [(2, "ROW_UNREADABLE"), (3, "A2"), (4, "ROW_UNREADABLE"), (5, "A3")]

    @pytest.mark.parametrize(("length", "is_read"), [(1000, True), (1001, True), (1002, False)])
    def test_a_line_may_be_just_as_long_as_permitted_and_its_end_besides(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int, is_read: bool
    ) -> None:
        monkeypatch.setattr(delimited_records, "MAX_LINE_CHARACTERS", 1000)
        row = "A1,a.jpg,"
        location = write(tmp_path, f"id,image,note\n{row}{'x' * (length - 1 - len(row))}\nA2,b.jpg,\n")
        assert outline(location) == [(2, "A1" if is_read else "ROW_UNREADABLE"), (3, "A2")]

    def test_a_header_without_end_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(delimited_records, "MAX_LINE_CHARACTERS", 1000)
        with pytest.raises(CatalogError, match="has no header"):
            DelimitedReader(write(tmp_path, "id,image," + "x" * 5000))

    def test_rows_that_break_a_rule_of_products_are_rejected_one_by_one(self, tmp_path: Path) -> None:
        text = "id,image,price\nA1,a.jpg,1\n,a.jpg,1\nA1,b.jpg,1\nA2,,1\nA3,c.jpg,junk\nA4,d.jpg,2\n"
        assert outline(write(tmp_path, text)) == [
            (2, "A1"),
            (3, "ID_MISSING"),
            (4, "ID_DUPLICATE"),
            (5, "PICTURE_COLUMN_EMPTY"),
            (6, "PRICE_INVALID"),
            (7, "A4"),
        ]


class TestAttributes:
    def test_a_column_is_of_one_type(self, tmp_path: Path) -> None:
        text = (
            "id,image,width,size,code,wool,mixed\n"
            "1,a.jpg,30,38,001,true,true\n"
            "2,a.jpg,1.5,M,12,FALSE,3\n"
            "3,a.jpg,,40,13,,false\n"
        )
        products = [found for found in read_all(write(tmp_path, text)) if isinstance(found, Product)]
        assert [product.attributes for product in products] == [
            {"width": 30.0, "size": "38", "code": "001", "wool": True, "mixed": "true"},
            {"width": 1.5, "size": "M", "code": "12", "wool": False, "mixed": "3"},
            {"size": "40", "code": "13", "mixed": "false"},
        ]

    def test_ids_titles_and_categories_stay_texts(self, tmp_path: Path) -> None:
        (product,) = read_all(write(tmp_path, "id,title,category,image\n7,12,501,a.jpg\n"))
        assert isinstance(product, Product)
        assert (product.id, product.title, product.category) == ("7", "12", "501")

    def test_columns_without_a_name_are_passed_over(self, tmp_path: Path) -> None:
        (product,) = read_all(write(tmp_path, ",id,image,\n0,A1,a.jpg,x\n"))
        assert isinstance(product, Product)
        assert product.attributes == {}


class TestSplit:
    TEXT = "id,image,split\n1,a.jpg,train\n2,a.jpg,test\n3,a.jpg,val\n4,a.jpg,\n"

    def test_only_the_split_asked_for_is_read(self, tmp_path: Path) -> None:
        reader = DelimitedReader(write(tmp_path, self.TEXT), split="test")
        assert [found.id for found in reader.read() if isinstance(found, Product)] == ["2"]

    def test_without_a_split_all_is_read(self, tmp_path: Path) -> None:
        products = [found for found in read_all(write(tmp_path, self.TEXT)) if isinstance(found, Product)]
        assert [product.split for product in products] == ["train", "test", "validation", None]

    def test_a_catalog_without_splits_has_nothing_for_one(self, tmp_path: Path) -> None:
        assert list(DelimitedReader(write(tmp_path, "id,image\n1,a.jpg\n"), split="test").read()) == []


class TestRefusedCatalogs:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "is empty"),
            ("\ufeff", "has no header"),
            ("\n\n", "has no header"),
            ("title,image\nLamp,a.jpg\n", r"no column for id; columns found: 'title', 'image'"),
            ("id,title\nA1,Lamp\n", r"no column for image; columns found: 'id', 'title'"),
            ("id,image,size, size \n", r"names columns twice: 'size'"),
        ],
    )
    def test_it_says_what_is_wrong_before_anything_is_read(self, tmp_path: Path, text: str, message: str) -> None:
        with pytest.raises(CatalogError, match=message):
            DelimitedReader(write(tmp_path, text))

    def test_a_header_that_is_not_utf8_is_refused_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match="byte 0xf6 at offset 11"):
            DelimitedReader(write(tmp_path, "id,image,gröbe\nA1,a.jpg,1\n".encode("latin-1")))

    def test_a_header_with_control_characters(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match=r"column 'co\\x00lor'; permitted: names without control characters"):
            DelimitedReader(write(tmp_path, "id,image,co\0lor\nA1,a.jpg,1\n"))

    def test_a_named_column_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match="no column 'Preis'"):
            DelimitedReader(write(tmp_path, "id,image\n"), columns={"price": "Preis"})

    def test_no_such_file_a_folder_and_no_path(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match="no such file"):
            DelimitedReader(str(tmp_path / "none.csv"))
        with pytest.raises(CatalogError, match="not a file"):
            DelimitedReader(str(tmp_path))
        with pytest.raises(CatalogError, match="path is empty"):
            DelimitedReader("")

    @pytest.mark.parametrize("before", [0, 10, 1024 * 1024 - 1, 1024 * 1024, 3_000_000])
    @pytest.mark.parametrize("wrong", [b"\xe4,", b"\xe2\x82,"])
    def test_bytes_that_are_not_utf8_are_named_by_their_offset(self, tmp_path: Path, before: int, wrong: bytes) -> None:
        start = "id,image,größe\n".encode()
        data = start + b"x" * before + wrong + b"a.jpg,1\n"
        with pytest.raises(CatalogError, match=rf"byte 0x{wrong[0]:02x} at offset {len(start) + before:,};.*iconv"):
            next(DelimitedReader(write(tmp_path, data)).read())

    def test_a_file_cut_within_a_character(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match="byte 0xc3 at offset 9"):
            next(DelimitedReader(write(tmp_path, b"id,image\n\xc3")).read())

    def test_a_file_that_is_changed_to_another_encoding_later(self, tmp_path: Path) -> None:
        location = write(tmp_path, "id,image\nA1,a.jpg\n")
        reader = DelimitedReader(location)
        write(tmp_path, "id,image\nÄ1,a.jpg\n".encode("latin-1"))
        with pytest.raises(CatalogError, match="not UTF-8"):
            list(reader.read())

    def test_a_header_without_rows_is_a_catalog_without_products(self, tmp_path: Path) -> None:
        reader = DelimitedReader(write(tmp_path, "id,image"))
        assert (list(reader.read()), reader.count()) == ([], 0)


def test_a_large_catalog_is_not_held_in_memory(tmp_path: Path) -> None:
    rows = 20_000
    location = write(tmp_path, "id,image,note\n" + "".join(f"{n},{n}.jpg,{'x' * 1000}\n" for n in range(rows)))
    # pathlib interns names: the interpreter's table of all that are must have grown before, it is no part of the reader.
    assert sum(isinstance(found, Product) for found in DelimitedReader(location).read()) == rows
    gc.collect()
    tracemalloc.start()
    try:
        assert sum(isinstance(found, Product) for found in DelimitedReader(location).read()) == rows
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < Path(location).stat().st_size / 2


def test_a_variant_group_of_digits_is_read_as_it_stands_and_is_a_number_to_filter_by(tmp_path: Path) -> None:
    location = write(tmp_path, "id,image,Item Group ID\nA1,a.jpg,120\nA2,b.jpg,7\nA3,c.jpg,\n")
    found = [(one.variant_group, dict(one.attributes)) for one in read_all(location) if isinstance(one, Product)]
    assert found == [("120", {"Item Group ID": 120.0}), ("7", {"Item Group ID": 7.0}), (None, {})]
