"""Payloads hold what the catalog gave, in the kinds that filters ask for."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from indexer.building.payload import SchemaBuilder, to_payload
from indexer.filters.schema import FieldType, Schema
from indexer.stores.edge.store import EdgeStore
from tests.indexer.conftest import PICTURE, Shelf, load, unit_rows


def learnt(*attributes: dict) -> Schema:
    builder = SchemaBuilder()
    for fields in attributes:
        builder.add(fields)
    return builder.schema()


def test_everything_given() -> None:
    product = Product(
        "p",
        "Boot",
        (ProductPicture(PICTURE, "boot.jpg"),),
        "shoes/boots/rubber",
        9.5,
        False,
        {"color": ("red", "blue"), "new": True},
    )
    payload = to_payload(product, learnt(product.attributes))
    assert payload == {
        "product_id": "p",
        "title": "Boot",
        "pictures": ["boot.jpg"],
        "category": "shoes/boots/rubber",
        "category_path": ["shoes", "shoes/boots", "shoes/boots/rubber"],
        "price": 9.5,
        "in_stock": False,
        "attributes": {"color": ["red", "blue"], "new": True},
    }
    assert json.loads(json.dumps(payload)) == payload


def test_what_was_not_given_is_absent() -> None:
    assert to_payload(Product("p", "", (ProductPicture(PICTURE),)), Schema({})) == {
        "product_id": "p",
        "title": "",
        "pictures": [""],
    }


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["red", "blue"], FieldType.KEYWORD),
        ([("red", "blue")], FieldType.KEYWORD),
        ([1.0, 2.5], FieldType.NUMBER),
        ([True, False], FieldType.BOOL),
        ([True, 1.0], FieldType.KEYWORD),
        (["42", 42.0], FieldType.KEYWORD),
    ],
)
def test_an_attributes_kind_is_that_of_all_its_values(values: list, kind: FieldType) -> None:
    assert learnt(*({"size": value} for value in values)).attributes == {"size": kind}


@pytest.mark.parametrize(
    ("value", "word"), [(42.0, "42"), (2.5, "2.5"), (True, "true"), (False, "false"), ("42", "42"), (-3.0, "-3")]
)
def test_values_of_a_mixed_attribute_become_words(value: object, word: str) -> None:
    product = Product("p", "", (ProductPicture(PICTURE),), attributes={"size": value})  # type: ignore[dict-item]
    assert to_payload(product, Schema({"size": FieldType.KEYWORD}))["attributes"] == {"size": word}


def test_several_words_stay_several() -> None:
    product = Product("p", "", (ProductPicture(PICTURE),), attributes={"size": ("S", "M")})
    assert to_payload(product, Schema({"size": FieldType.KEYWORD}))["attributes"] == {"size": ["S", "M"]}


def test_a_number_of_any_length_is_in_the_store_what_it_is_in_the_payload(tmp_path: Path) -> None:
    """Else products differ from what was counted: an export could not be loaded, and an update would write them again."""
    random = np.random.default_rng(0)
    numbers = [1.3599999999999999, 0.1 + 0.2, 1e22, 5e-324, 1.7976931348623157e308, *(random.random(2_000) * 1000)]
    products = [
        Product(
            f"p-{row}",
            "",
            (ProductPicture(PICTURE),),
            price=number if number < 1e9 else None,
            attributes={"size": number},
        )
        for row, number in enumerate(map(float, numbers))
    ]
    schema = learnt(*(product.attributes for product in products))
    payloads = tuple(to_payload(product, schema) for product in products)
    store = EdgeStore(tmp_path)
    things = Shelf(payloads, unit_rows(len(payloads)), schema)
    with closing(store.open(load(store, things).version)) as reader:
        stored = {item.product_id: item.payload for item in reader.fetch_many(things.ids)}
    assert [payload for payload in payloads if stored[payload["product_id"]] != payload] == []
