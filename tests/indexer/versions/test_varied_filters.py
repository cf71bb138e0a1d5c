"""Filters that a graph is tried with come from the catalog, and pass many products or few."""

from __future__ import annotations

from indexer.filters.expression import matches
from indexer.filters.schema import FieldType, Schema
from indexer.versions.varied_filters import varied_filters

PRODUCTS = [
    {
        "product_id": f"p-{number}",
        "category": "shop/rare" if number % 100 == 0 else "shop",
        "category_path": ["shop", "shop/rare"] if number % 100 == 0 else ["shop"],
        "price": float(number % 10),
        "in_stock": number % 2 == 0,
        "attributes": {"color": ["red", "blue"] if number % 5 == 0 else "black", "size": float(number)},
    }
    for number in range(400)
]
SCHEMA = Schema({"color": FieldType.KEYWORD, "size": FieldType.NUMBER})


def test_they_pass_a_half_a_fifth_a_twentieth_and_a_hundredth_or_nearly() -> None:
    schema = Schema({**SCHEMA.attributes, "season": FieldType.KEYWORD})
    products = [
        {**product, "attributes": {**product["attributes"], "season": f"{number % 20}"}}
        for number, product in enumerate(PRODUCTS)
    ]
    found = varied_filters(schema, products)
    shares = [sum(matches(each, product) for product in products) / len(products) for each in found]
    assert len(shares) == 4
    for share, wanted in zip(shares, (0.5, 0.2, 0.05, 0.01), strict=True):
        assert wanted / 2.5 < share < wanted * 2.5


def test_what_all_products_have_is_no_filter() -> None:
    same = [{"product_id": str(number), "category_path": ["shop"], "in_stock": True} for number in range(50)]
    assert varied_filters(Schema({}), same) == []


def test_a_catalog_without_anything_to_filter_by_has_none() -> None:
    assert varied_filters(SCHEMA, []) == []
    assert varied_filters(SCHEMA, [{"product_id": str(number)} for number in range(50)]) == []


def test_a_category_that_no_filter_can_name_is_left_out() -> None:
    odd = [{"product_id": str(number), "category_path": ["a//b"] if number % 2 else []} for number in range(50)]
    assert varied_filters(Schema({}), odd) == []
