"""One pass over a catalog gives its outline; outline and read are two passes together."""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from embedder.catalogs import catalog_file
from embedder.catalogs.json_lines import SAMPLED_ROWS
from embedder.catalogs.outline import CatalogOutline, outline_catalog, read_rows
from embedder.catalogs.product import AttributeKind, Product, ProductPicture, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.inputs.picture import PicturePixels

TEXT, NUMBER, BOOL = (frozenset({kind}) for kind in (AttributeKind.TEXT, AttributeKind.NUMBER, AttributeKind.BOOL))

ROWS = 20_000
BUFFER = 256 * 1024
"""Bytes of a catalog's file that are read at once."""
HEADER = ["id", "image", "width", "wool", "size", "color"]


def cells(number: int) -> list[object]:
    return [f"p{number}", f"{number}.jpg", number, number % 2 == 0, 38 if number else "M", "red"]


def write_csv(folder: Path, rows: int = ROWS) -> Path:
    path = folder / "shop.csv"
    lines = [",".join(HEADER), *(",".join(map(str, cells(number))) for number in range(rows))]
    path.write_text("\n".join([*lines, ",no id,,,,", "p0,again.jpg,x,,,"]), encoding="utf-8")
    return path


def write_jsonl(folder: Path, rows: int = ROWS) -> Path:
    path = folder / "shop.jsonl"
    lines = [json.dumps(dict(zip(HEADER, cells(number), strict=True))) for number in range(rows)]
    path.write_text("\n".join([*lines, '{"image": "no id"}', '{"id": "p0", "width": 1}']), encoding="utf-8")
    return path


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many bytes of which file were given out to a catalog's reader, by whichever way of reading."""
    counted: Counter[str] = Counter()
    opened = catalog_file.open_regular_file

    def count(path: Path, buffer_bytes: int = io.DEFAULT_BUFFER_SIZE) -> BinaryIO:
        return _counting(opened(path), counted, path.name, buffer_bytes)

    monkeypatch.setattr(catalog_file, "open_regular_file", count)
    return counted


def _counting(file: BinaryIO, counted: Counter[str], name: str, buffer_bytes: int) -> BinaryIO:
    """The same file with a buffer above of which each filling is counted, however readers call it."""

    class Raw(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            got = file.raw.readinto(buffer)  # type: ignore[attr-defined]
            counted[name] += got
            return int(got)

        def close(self) -> None:
            file.close()
            super().close()

    return io.BufferedReader(Raw(), buffer_bytes)


def test_a_csv_is_read_in_full_twice_for_a_build(tmp_path: Path, bytes_read: Counter[str]) -> None:
    path = write_csv(tmp_path)
    size = path.stat().st_size
    reader = open_catalog(str(path))
    assert bytes_read["shop.csv"] <= BUFFER < size / 2, "opening it takes no more than a look at the header"
    assert reader.count() == ROWS + 2
    opened = bytes_read["shop.csv"]
    outline = outline_catalog(reader)
    assert bytes_read["shop.csv"] == opened, "the outline is known by then"
    assert outline.rows == sum(1 for _ in reader.read())
    assert 2 * size <= bytes_read["shop.csv"] < 2.5 * size


def test_json_lines_are_read_in_full_twice_for_a_build(tmp_path: Path, bytes_read: Counter[str]) -> None:
    path = write_jsonl(tmp_path)
    size = path.stat().st_size
    reader = open_catalog(str(path))
    sampled = bytes_read["shop.jsonl"]
    assert sampled <= size * SAMPLED_ROWS / ROWS + 2 * BUFFER < size / 2
    assert reader.count() == ROWS + 2
    outline = outline_catalog(reader)
    assert outline.rows == sum(1 for _ in reader.read())
    assert bytes_read["shop.jsonl"] == sampled + 2 * size


class PlainReader:
    """A shop's own reader, with no more than the protocol asks for."""

    name = "plain"

    def __init__(self, rows: list[Product | Rejection]) -> None:
        self._rows = rows
        self.passes = 0

    def count(self) -> None:
        return None

    def read(self) -> Iterator[Product | Rejection]:
        self.passes += 1
        yield from self._rows


def product(product_id: str, **attributes) -> Product:
    picture = ProductPicture(PicturePixels(np.zeros((2, 2), dtype=np.uint8)))
    return Product(product_id, "", (picture,), attributes=attributes)


def test_of_a_reader_without_one_the_outline_is_learnt_by_reading_once() -> None:
    rejected = Rejection(2, "", "ID_MISSING", "")
    reader = PlainReader([product("a", size=1.0, wool=True), rejected, product("b", size="M", tags=("x", "y"))])
    both = frozenset({AttributeKind.NUMBER, AttributeKind.TEXT})
    assert outline_catalog(reader) == CatalogOutline(3, 1, {"size": both, "wool": BOOL, "tags": TEXT})
    assert reader.passes == 1
    assert outline_catalog(reader, limit=1) == CatalogOutline(1, 1, {"size": NUMBER, "wool": BOOL})
    assert list(read_rows(reader, 2)) == list(read_rows(reader, None))


@pytest.mark.parametrize("write", [write_csv, write_jsonl])
@pytest.mark.parametrize("limit", [None, 1, 7, 10**6])
def test_a_readers_own_outline_is_what_reading_would_tell(tmp_path: Path, write, limit: int | None) -> None:
    reader = open_catalog(str(write(tmp_path, rows=50)))
    naive = outline_catalog(PlainReader(list(read_rows(reader, limit))))
    assert outline_catalog(reader, limit) == naive
    assert outline_catalog(open_catalog(str(write(tmp_path, rows=50))), limit) == naive


def test_kinds_of_a_csv_are_of_whole_columns_and_of_products_only(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("id,image,size,width,note\nA,a.jpg,38,1,\nB,b.jpg,M,2,\n,c.jpg,,,only a rejected row has one\n")
    assert outline_catalog(open_catalog(str(path))) == CatalogOutline(3, 1, {"size": TEXT, "width": NUMBER})


def test_a_dataset_knows_its_outline_without_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from embedder.datasets.fashion_mnist import FashionMnistReader

    monkeypatch.setattr(FashionMnistReader, "__init__", lambda self: None)
    monkeypatch.setattr(FashionMnistReader, "count", lambda self: 5)
    monkeypatch.setattr(FashionMnistReader, "read", None)
    assert outline_catalog(FashionMnistReader()) == CatalogOutline(5, 1, {})


def test_two_passes_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    reader = open_catalog(str(write_csv(tmp_path, rows=50)))
    first, second = reader.read(), reader.read()
    assert [next(first), next(first)] == [next(second), next(second)]
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(sum(1 for _ in reader.read()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [52, 52]


def test_titles_have_so_many_words_on_average(tmp_path: Path) -> None:
    path = tmp_path / "catalog.jsonl"
    rows = [
        {"id": "1", "image": "a.jpg", "title": "Red rubber boots"},
        {"id": "2", "image": "a.jpg", "title": "Bag", "description": "of linen, washed"},
        {"id": "3", "image": "a.jpg", "category": "shoes/ankle_boots"},
        {"id": "4", "image": "a.jpg"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert outline_catalog(open_catalog(str(path))).title_words == pytest.approx((3 + 4 + 2) / 3)
    path.write_text(json.dumps(rows[3]), encoding="utf-8")
    assert outline_catalog(open_catalog(str(path))).title_words == 0.0
