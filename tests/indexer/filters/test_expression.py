"""What a filter's conditions mean on a product."""

import math

import pytest

from indexer.filters.expression import And, Compare, Equals, Not, Or, Within, conjunction, disjunction, matches
from indexer.filters.schema import Field, FieldType

COLOR = Field("color", FieldType.KEYWORD, is_attribute=True)
SIZES = Field("sizes", FieldType.NUMBER, is_attribute=True)
WASHABLE = Field("washable", FieldType.BOOL, is_attribute=True)
PRICE = Field("price", FieldType.NUMBER, is_attribute=False)
IN_STOCK = Field("in_stock", FieldType.BOOL, is_attribute=False)
CATEGORY = Field("category", FieldType.CATEGORY, is_attribute=False)
ID = Field("id", FieldType.KEYWORD, is_attribute=False)

BOOT = {
    "product_id": "b1",
    "title": "Red boot",
    "category": "shoes/boots",
    "price": 9.5,
    "in_stock": True,
    "attributes": {"color": ["red", "blue"], "sizes": [38, 39.5], "washable": False},
}


@pytest.mark.parametrize(
    "expression",
    [
        Equals(ID, "b1"),
        Equals(COLOR, "red"),
        Equals(COLOR, "blue"),
        Equals(SIZES, 38.0),
        Equals(WASHABLE, False),
        Equals(CATEGORY, "shoes/boots"),
        Within(CATEGORY, "shoes"),
        Within(CATEGORY, "shoes/boots"),
        Compare(PRICE, "<", 10.0),
        Compare(PRICE, "<=", 9.5),
        Compare(PRICE, ">=", 9.5),
        Compare(SIZES, ">", 39.0),
        And((Equals(IN_STOCK, True), Equals(COLOR, "red"))),
        Or((Equals(COLOR, "green"), Equals(COLOR, "red"))),
        Not(Equals(COLOR, "green")),
    ],
)
def test_conditions_that_hold(expression):
    assert matches(expression, BOOT)
    assert not matches(Not(expression), BOOT)


@pytest.mark.parametrize(
    "expression",
    [
        Equals(ID, "B1"),
        Equals(COLOR, "re"),
        Equals(CATEGORY, "shoes"),
        Within(CATEGORY, "shoes/boots/high"),
        Within(CATEGORY, "sho"),
        Compare(PRICE, "<", 9.5),
        Compare(PRICE, ">", 9.5),
        And((Equals(IN_STOCK, True), Equals(COLOR, "green"))),
        Or((Equals(COLOR, "green"), Equals(IN_STOCK, False))),
        Not(Equals(COLOR, "blue")),
    ],
)
def test_conditions_that_do_not_hold(expression):
    assert not matches(expression, BOOT)


@pytest.mark.parametrize(
    "positive",
    [
        Equals(COLOR, "red"),
        Equals(IN_STOCK, False),
        Equals(PRICE, 0.0),
        Compare(PRICE, "<", 1.0),
        Within(CATEGORY, "shoes"),
    ],
)
@pytest.mark.parametrize(
    "product", [{}, {"attributes": {}}, {"attributes": {"color": []}}, {"price": None, "category": None}]
)
def test_a_missing_value_meets_no_condition_and_so_every_negation(positive, product):
    assert not matches(positive, product)
    assert matches(Not(positive), product)


def test_values_of_another_type_match_nothing():
    assert not matches(Equals(SIZES, 1.0), {"attributes": {"sizes": True}})
    assert not matches(Compare(SIZES, ">", 0.0), {"attributes": {"sizes": True}})
    assert not matches(Equals(WASHABLE, True), {"attributes": {"washable": 1}})
    assert not matches(Equals(COLOR, "3.0"), {"attributes": {"color": 3.0}})
    assert not matches(Compare(PRICE, "<", 10.0), {"price": "9.5"})
    assert not matches(Compare(PRICE, "<", 10.0), {"price": math.nan})


@pytest.mark.parametrize(
    "construct",
    [
        lambda: Equals(PRICE, "5"),
        lambda: Equals(PRICE, True),
        lambda: Equals(PRICE, math.inf),
        lambda: Equals(IN_STOCK, 1.0),
        lambda: Equals(COLOR, 3.0),
        lambda: Compare(COLOR, "<", 3.0),
        lambda: Compare(PRICE, "<", math.nan),
        lambda: Compare(PRICE, "=", 3.0),
        lambda: Within(COLOR, "shoes"),
        lambda: Within(CATEGORY, "shoes//boots"),
        lambda: And((Equals(COLOR, "red"),)),
        lambda: Or(()),
        lambda: conjunction([]),
    ],
)
def test_conditions_that_make_no_sense_cannot_be_made(construct):
    with pytest.raises(ValueError):
        construct()


def test_joining_gives_the_simplest_form():
    red, blue, green = Equals(COLOR, "red"), Equals(COLOR, "blue"), Equals(COLOR, "green")
    assert conjunction([red]) == red
    assert conjunction([red, And((blue, green))]) == And((red, blue, green))
    assert conjunction([red, Or((blue, green))]) == And((red, Or((blue, green))))
    assert disjunction([Or((red, blue)), green]) == Or((red, blue, green))
