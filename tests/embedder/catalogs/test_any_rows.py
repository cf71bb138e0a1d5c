"""Whatever a catalog holds: nothing is raised but `CatalogError`, and no row is lost without a word."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedder.catalogs.outline import outline_catalog
from embedder.catalogs.product import ROW_REASONS, Product, Rejection
from embedder.catalogs.registry import open_catalog
from embedder.errors import CatalogError
from tests.embedder.catalogs.tables.written import FORMATS, png

SEEDED = settings(
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
FIELDS = ("image", "title", "price", "in_stock", "category", "split", "variant_group", "images", "note", "attributes")
REASONS = {*ROW_REASONS, "IMAGE_MISSING", "IMAGE_OUTSIDE_CATALOG", "IMAGE_URL_REFUSED"}

# Few, so that they meet.
IDS = st.sampled_from(["A", "B", " A ", "", "C\x00", "x" * 600])
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)
CELLS = LINES | st.sampled_from(
    ["1.299", "yes", "train", "a.jpg", "a.jpg|b.jpg", "https://x.test/a", "a//b", "s3://a/b"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LINES, inner, max_size=3),
    max_leaves=6,
)


def check(path: Path, ids: Sequence[object], first_line: int = 1) -> None:
    """Read a catalog and account for each of its rows.

    Args:
        path: the catalog, one row a line.
        ids: of its rows.
        first_line: of the first row.
    """
    reader = open_catalog(str(path))
    found = list(reader.read())
    assert list(reader.read()) == found, "each reading gives the same"
    assert outline_catalog(reader).rows == len(found)
    whole = [row for row in found if isinstance(row, Product) or not row.picture]
    said = {row.line - first_line: row for row in whole}
    assert len(said) == len(whole), "of each row once"
    products = [row.id for row in found if isinstance(row, Product)]
    assert len(set(products)) == len(products)
    assert {row.reason for row in found if isinstance(row, Rejection)} <= REASONS
    for place in range(len(ids)):
        if place not in said:
            # A further row of the product above: all between have its id.
            first = max(known for known in said if known < place)
            above = said[first]
            whose = above.id if isinstance(above, Product) else above.product_id
            assert {str(given_id).strip() for given_id in ids[first : place + 1]} == {whose}
    for row in found:
        words = row.detail + row.product_id if isinstance(row, Rejection) else row.title + row.id
        assert words.encode().decode() == words, "what is said can be written down"


@SEEDED
@given(st.lists(st.fixed_dictionaries({"id": IDS} | dict.fromkeys(FIELDS, CELLS)), max_size=8))
def test_rows_of_texts(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    # A row of blank cells is none.
    rows = [row for row in rows if any(cell.strip() for cell in row.values())]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [["id", *FIELDS], *([row[name] for name in ("id", *FIELDS)] for row in rows)]
    )
    path = tmp_path / "shop.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    check(path, [row["id"] for row in rows], first_line=2)


@SEEDED
@given(st.lists(st.fixed_dictionaries({"id": IDS | JSON}, optional=dict.fromkeys(FIELDS, JSON)), max_size=8))
def test_rows_of_json(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = tmp_path / "shop.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [{"id": "first", "image": "a.jpg"}, *rows]))
    check(path, ["first", *(row["id"] for row in rows)])


IMAGES = st.fixed_dictionaries(
    {"bytes": st.none() | st.binary(max_size=4) | st.just(png(1)), "path": st.none() | LINES}
)
COLUMNS: Sequence[tuple[Any, st.SearchStrategy[Any]]] = (
    (pa.string(), CELLS),
    (pa.large_string(), CELLS),
    (pa.dictionary(pa.int8(), pa.string()), CELLS),
    (pa.bool_(), st.booleans()),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.float64(), st.floats()),
    (pa.float32(), st.floats(width=32)),
    (pa.decimal128(38, 4), st.decimals(-(10**9), 10**9, places=4)),
    (pa.decimal128(9, 0), st.integers(-(10**8), 10**8).map(Decimal)),
    (pa.date32(), st.dates(min_value=date(1700, 1, 1))),
    (pa.timestamp("us"), st.datetimes()),
    (pa.timestamp("ns", "UTC"), st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))),
    (pa.duration("s"), st.timedeltas().map(lambda value: int(value.total_seconds()))),
    (pa.binary(), st.binary(max_size=6)),
    (pa.list_(pa.string()), st.lists(st.none() | CELLS, max_size=3)),
    (pa.list_(pa.binary()), st.lists(st.none() | st.binary(max_size=3), max_size=3)),
    (pa.list_(pa.int32()), st.lists(st.integers(0, 9), max_size=3)),
    (pa.struct({"bytes": pa.binary(), "path": pa.string()}), IMAGES),
    (pa.struct({"hue": pa.string(), "cm": pa.float64()}), st.fixed_dictionaries({"hue": LINES, "cm": st.floats()})),
    (pa.map_(pa.string(), pa.string()), st.lists(st.tuples(LINES, LINES), max_size=2)),
    (pa.null(), st.none()),
)


@st.composite
def tables(draw: st.DrawFn) -> Any:
    """A table whose every column has some type or other."""
    rows = draw(st.integers(0, 7))
    columns: dict[str, Any] = {
        "id": pa.array(draw(st.lists(IDS | st.none(), min_size=rows, max_size=rows)), pa.string())
    }
    for name in ("image", *draw(st.lists(st.sampled_from(FIELDS[1:]), unique=True, max_size=5))):
        kind, values = draw(st.sampled_from(COLUMNS))
        columns[name] = pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), kind)
    return pa.table(columns)


@pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
def test_rows_of_tables(tmp_path: Path, write: Callable[[Path, Any], Path]) -> None:
    @SEEDED
    @given(tables())
    def check_each(table: Any) -> None:
        check(write(tmp_path, table), table["id"].to_pylist())

    check_each()


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet", "arrow"])
def test_any_bytes(tmp_path: Path, suffix: str) -> None:
    header = {"csv": b"id,image\n", "tsv": b"id\timage\n", "jsonl": b'{"id": 1, "image": "a"}\n'}.get(suffix, b"")
    magic = {"parquet": b"PAR1", "arrow": b"ARROW1\x00\x00"}.get(suffix, b"")

    @SEEDED
    @given(st.binary(max_size=200) | st.text().map(str.encode), st.booleans())
    def check_each(data: bytes, is_likely: bool) -> None:
        path = tmp_path / f"shop.{suffix}"
        path.write_bytes(header + magic + data + magic if is_likely else data)
        rows: list[Product | Rejection] = []
        with contextlib.suppress(CatalogError):
            rows = list(open_catalog(str(path)).read())
        assert all(isinstance(row, Product | Rejection) for row in rows)

    check_each()
