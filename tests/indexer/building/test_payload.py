"""Payloads hold what the catalog gave, in the kinds that filters ask for."""

from __future__ import annotations

import json

import pytest

from embedder.catalogs.product import Product, ProductPicture
from indexer.building.payload import SchemaBuilder, to_payload
from indexer.filters.schema import FieldType, Schema
from tests.indexer.conftest import PICTURE


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
