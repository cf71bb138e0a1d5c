"""Attributes are indexed up to a number, the most filled first; which are not is said."""

from __future__ import annotations

from pathlib import Path

from indexer.filters.parser import parse_filter
from indexer.filters.schema import FieldType, Schema
from indexer.stores.edge.store import EdgeStore
from indexer.stores.payload_indexes import MOST_ATTRIBUTES, choose_payload_indexes
from tests.indexer.conftest import Shelf, load, unit_rows

COLUMNS = 510


def columns(count: int) -> Schema:
    return Schema({f"c{number:03}": FieldType.KEYWORD for number in range(count)})


def test_all_of_few_attributes_and_the_fields_that_every_product_has() -> None:
    schema = Schema({"color": FieldType.KEYWORD, "heel height": FieldType.NUMBER, "waterproof": FieldType.BOOL})
    chosen = choose_payload_indexes(schema)
    assert chosen.keys == {
        "category": FieldType.KEYWORD,
        "category_path": FieldType.KEYWORD,
        "price": FieldType.NUMBER,
        "in_stock": FieldType.BOOL,
        "attributes.color": FieldType.KEYWORD,
        'attributes."heel height"': FieldType.NUMBER,
        "attributes.waterproof": FieldType.BOOL,
    }
    assert chosen.left_out == ()
    assert chosen.describe() == ""


def test_ids_where_the_engine_wants_them() -> None:
    assert "product_id" in choose_payload_indexes(Schema({}), ids=True).keys
    assert "product_id" not in choose_payload_indexes(Schema({})).keys


def test_attributes_that_are_called_like_fields() -> None:
    schema = Schema(dict.fromkeys(("id", "title", "price"), FieldType.KEYWORD))
    keys = choose_payload_indexes(schema).keys
    assert {"attributes.id", "attributes.title", "attributes.price"} <= set(keys)


def test_no_more_than_a_number_and_the_others_are_named() -> None:
    chosen = choose_payload_indexes(columns(MOST_ATTRIBUTES + 30))
    assert len([key for key in chosen.keys if key.startswith("attributes.")]) == MOST_ATTRIBUTES
    assert chosen.left_out == tuple(f"c{number:03}" for number in range(MOST_ATTRIBUTES, MOST_ATTRIBUTES + 30))
    assert chosen.describe().startswith(
        f"30 of {MOST_ATTRIBUTES + 30} attributes are not indexed (c064, c065, c066, c067, c068,"
    )


def test_the_most_filled_come_first() -> None:
    filled = {f"c{number:03}": number for number in range(MOST_ATTRIBUTES + 2)}
    assert choose_payload_indexes(columns(MOST_ATTRIBUTES + 2), filled).left_out == ("c000", "c001")


def test_an_attribute_that_no_filter_reaches_takes_no_place() -> None:
    schema = Schema({'with "quotes"': FieldType.KEYWORD, **columns(MOST_ATTRIBUTES).attributes})
    assert choose_payload_indexes(schema).left_out == ()


def test_a_catalog_of_510_columns_is_indexed_in_part_and_filtered_by_all(tmp_path: Path, caplog) -> None:
    """It took six minutes, 4,622 files and 2.7 GB."""
    payloads = tuple(
        {
            "product_id": f"p-{row}",
            "title": "",
            "pictures": [""],
            "attributes": {f"c{number:03}": f"v{(row + number) % 10}" for number in range(COLUMNS)},
        }
        for row in range(10)
    )
    things = Shelf(payloads, unit_rows(10), columns(COLUMNS))
    store = EdgeStore(tmp_path)
    version = load(store, things).version
    assert f"446 of {COLUMNS} attributes are not indexed" in caplog.text
    files = [path for path in (tmp_path / "versions" / version).rglob("*") if path.is_file()]
    assert len(files) < 800
    assert sum(path.stat().st_blocks * 512 for path in files) < 20e6
    reader = store.open(version)
    for name in ("c000", "c063", "c064", "c509"):
        assert reader.count(parse_filter(f"{name} = v3", things.schema)) == 1
    reader.close()
