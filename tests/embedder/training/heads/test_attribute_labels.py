"""Which columns are attributes: those whose values some products share, however they are spelt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.inputs.picture import PicturePixels
from embedder.recognition.attribute_model import MAX_VALUES
from embedder.training.heads.attribute_labels import AttributeLabels, choose_attributes

PICTURE = ProductPicture(PicturePixels(np.zeros((2, 2), dtype=np.uint8)))


def products(values: list[Any], name: str = "color", **given: Any) -> list[Product]:
    """One product for each value; None: it has no such attribute."""
    return [
        Product(f"p-{number}", "", (PICTURE,), attributes={} if value is None else {name: value}, **given)
        for number, value in enumerate(values)
    ]


def chosen(values: list[Any], **given: Any) -> AttributeLabels:
    (found,), refused = choose_attributes(products(values, **given))
    assert not refused
    return found


def why_not(values: list[Any], **given: Any) -> str:
    found, refused = choose_attributes(products(values, **given))
    assert not found
    return refused["color"]


def test_spellings_of_one_value_are_one_under_the_most_frequent() -> None:
    found = chosen(["Navy Blue"] * 10 + ["navy-blue"] * 5 + ["NAVY_BLUE "] * 3 + ["red"] * 10)
    assert found.values == ("Navy Blue", "red")
    assert found.targets(products(["navy blue", "RED"])).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_value_seen_once_is_left_out_and_its_product_says_nothing() -> None:
    found = chosen(["red"] * 12 + ["blue"] * 12 + ["mauve"])
    assert (found.values, found.left_out) == (("blue", "red"), 1)
    assert found.targets(products(["mauve"])).tolist() == [[0.0, 0.0]]


def test_of_several_values_of_a_product_each_has_its_share() -> None:
    found = chosen([("red", "blue")] * 12 + ["green"] * 12)
    assert found.targets(products([("Red", "green", "mauve"), ()])).tolist() == [[0.0, 0.5, 0.5], [0.0, 0.0, 0.0]]


def test_yes_and_no_are_values() -> None:
    assert chosen([True] * 12 + [False] * 12).values == ("no", "yes")


def test_of_many_values_the_most_frequent_are_told_apart() -> None:
    values = [f"v{number:03}" for number in range(500) for _ in range(3 + (number < MAX_VALUES))]
    found = chosen(values)
    assert found.values == tuple(f"v{number:03}" for number in range(MAX_VALUES))
    assert found.left_out == 300


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["red"] * 30, "1 values of 3 products or more"),
        (["red"] * 6 + ["blue"] * 6 + [None] * 50, "12 products have it; permitted: 20 or more"),
        ([f"sku-{number}" for number in range(40)], "it names products"),
        ([float(number % 4) for number in range(40)], "its values are numbers"),
        (["", " "] * 20, "0 products have it"),
    ],
)
def test_what_cannot_be_recognised_says_why(values: list[Any], reason: str) -> None:
    assert reason in why_not(values)


def test_the_column_of_variant_groups_is_no_attribute() -> None:
    items = [
        Product(f"p-{number}", "", (PICTURE,), attributes={"color": f"g{number % 8}"}, variant_group=f"g{number % 8}")
        for number in range(40)
    ]
    assert choose_attributes(items)[1] == {"color": "its values are the groups of variants"}


def test_a_column_that_is_not_wanted_is_left_out() -> None:
    found, refused = choose_attributes(products(["red"] * 12 + ["blue"] * 12), ["color"])
    assert (found, refused) == ((), {"color": "left out, as asked"})
