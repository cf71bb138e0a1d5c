"""Filters lowered to Qdrant's model mean what the naive evaluator says they mean, in the real engine."""

import random

import numpy as np
import pytest
import qdrant_edge

from indexer.filters.expression import (
    And,
    Compare,
    Equals,
    Expression,
    Not,
    Or,
    Within,
    conjunction,
    disjunction,
    matches,
)
from indexer.filters.parser import parse_filter
from indexer.filters.schema import Field, FieldType, Schema
from indexer.stores.condition import Clause, MatchNode, Node, RangeNode, payload_key, to_condition

ODD_NAMES = ["sleeve length", "heel.height", "größe", "x[0]", "it's", "-", "a*b"]
SCHEMA = Schema(
    {
        "color": FieldType.KEYWORD,
        "weight": FieldType.NUMBER,
        "washable": FieldType.BOOL,
        **dict.fromkeys(ODD_NAMES, FieldType.KEYWORD),
    }
)


def lowered(text: str) -> Clause:
    expression = parse_filter(text, SCHEMA)
    assert expression is not None
    return to_condition(expression)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("id = a", MatchNode("product_id", "a")),
        ("title = a", MatchNode("title", "a")),
        ("category:shoes/boots", MatchNode("category_path", "shoes/boots")),
        ("category = shoes/boots", MatchNode("category", "shoes/boots")),
        ("in_stock", MatchNode("in_stock", True)),
        ("color = red", MatchNode("attributes.color", "red")),
        ("washable = false", MatchNode("attributes.washable", False)),
        ('"sleeve length" = long', MatchNode('attributes."sleeve length"', "long")),
        ("größe = L", MatchNode('attributes."größe"', "L")),
        ("price = 5", RangeNode("price", gte=5.0, lte=5.0)),
        ("price < 5", RangeNode("price", lt=5.0)),
        ("price <= 5", RangeNode("price", lte=5.0)),
        ("price > 5", RangeNode("price", gt=5.0)),
        ("weight >= 5", RangeNode("attributes.weight", gte=5.0)),
    ],
)
def test_a_single_condition_becomes_one_node(text, node):
    assert lowered(text) == Clause(must=(node,))


def test_operators_become_clauses():
    red, stock, cheap = MatchNode("attributes.color", "red"), MatchNode("in_stock", True), RangeNode("price", lt=5.0)
    assert lowered("in_stock AND color:red") == Clause(must=(stock, red))
    assert lowered("in_stock OR color:red") == Clause(should=(stock, red))
    assert lowered("NOT in_stock") == Clause(must_not=(stock,))
    assert lowered("price < 5 AND NOT in_stock AND color:red") == Clause(must=(cheap, red), must_not=(stock,))
    assert lowered("price < 5 AND in_stock OR color:red") == Clause(must=(cheap, Clause(should=(stock, red))))
    assert lowered("NOT (in_stock color:red)") == Clause(must_not=(Clause(must=(stock, red)),))
    assert lowered("NOT (NOT in_stock)") == Clause(must_not=(Clause(must_not=(stock,)),))


@pytest.mark.parametrize("name", ['14"', "a\\b", ""])
def test_names_that_a_path_cannot_hold_have_no_key(name):
    with pytest.raises(ValueError, match="no payload key"):
        payload_key(Field(name, FieldType.KEYWORD, is_attribute=True))


def engine_condition(node: Node) -> qdrant_edge.Filter | qdrant_edge.FieldCondition:
    match node:
        case MatchNode(key, value):
            # Edge 0.9 reads a Python bool as the integer 0 or 1 and then finds no bool; numpy's bool it takes as one.
            operand = np.bool_(value) if isinstance(value, bool) else value
            return qdrant_edge.FieldCondition(key, match=qdrant_edge.MatchValue(operand))
        case RangeNode(key, gt, gte, lt, lte):
            return qdrant_edge.FieldCondition(key, range=qdrant_edge.RangeFloat(gt=gt, gte=gte, lt=lt, lte=lte))
        case Clause(must, should, must_not):
            parts = ([engine_condition(part) for part in nodes] or None for nodes in (must, should, must_not))
            must_list, should_list, must_not_list = parts
            return qdrant_edge.Filter(must=must_list, should=should_list, must_not=must_not_list)


def random_payload(rng: random.Random, number: int) -> dict[str, object]:
    """Draw a product of which any part may be missing, of several values, or of a type that the schema does not say."""
    category = rng.choice(["shoes", "shoes/boots", "shoes/boots/high", "shoesies", "bags"])
    attributes = {
        "color": rng.choice(["red", "blue", ["red", "blue"], [], 3.0]),
        "weight": rng.choice([1, 1.0, 2.5, [1.0, 9.0], True, "1"]),
        "washable": rng.choice([True, False, [True, False], 1, "true"]),
        **{name: rng.choice(["red", "blue"]) for name in ODD_NAMES},
    }
    payload = {
        "product_id": f"p{number}",
        "title": rng.choice(["red", "Boot"]),
        "category": category,
        "category_path": ["/".join(category.split("/")[:end]) for end in range(1, category.count("/") + 2)],
        "price": rng.choice([-1.0, 0.0, 1, 2.5]),
        "in_stock": rng.random() < 0.5,
        "attributes": {name: value for name, value in attributes.items() if rng.random() < 0.8},
    }
    if rng.random() < 0.2:
        for key in ("category", "category_path", "price", "in_stock"):
            del payload[key]
    return payload


def random_expression(rng: random.Random, depth: int) -> Expression:
    if depth > 0 and rng.random() < 0.7:
        parts = [random_expression(rng, depth - 1) for _ in range(rng.randint(2, 3))]
        return rng.choice([conjunction(parts), disjunction(parts), Not(parts[0])])
    field = rng.choice(SCHEMA.fields())
    match field.type:
        case FieldType.KEYWORD:
            return Equals(field, rng.choice(["red", "blue", "p7"]))
        case FieldType.BOOL:
            return Equals(field, rng.random() < 0.5)
        case FieldType.CATEGORY:
            return rng.choice([Equals, Within])(field, rng.choice(["shoes", "shoes/boots", "bags"]))
        case FieldType.NUMBER:
            value = rng.choice([-1.0, 0.0, 1.0, 2.5])
            return rng.choice([Equals(field, value), Compare(field, rng.choice(["<", "<=", ">", ">="]), value)])


def test_the_engine_finds_what_the_naive_evaluator_finds(tmp_path):
    rng = random.Random(160)
    payloads = {number: random_payload(rng, number) for number in range(1, 201)}
    vectors = qdrant_edge.EdgeVectorParams(size=2, distance=qdrant_edge.Distance.Cosine)
    shard = qdrant_edge.EdgeShard.create(str(tmp_path), qdrant_edge.EdgeConfig(vectors=vectors))
    points = [qdrant_edge.Point(number, [1.0, 0.0], payload) for number, payload in payloads.items()]
    shard.update(qdrant_edge.UpdateOperation.upsert_points(points))
    found_some = 0
    for _ in range(300):
        expression = random_expression(rng, depth=3)
        condition = engine_condition(to_condition(expression))
        records, _ = shard.scroll(qdrant_edge.ScrollRequest(limit=1000, filter=condition))
        expected = {number for number, payload in payloads.items() if matches(expression, payload)}
        assert {record.id for record in records} == expected, expression
        found_some += 0 < len(expected) < len(payloads)
    shard.close()
    assert found_some > 150


def test_lowering_reads_any_expression_of_the_tree():
    field = SCHEMA.resolve("color")
    nested = Not(Or((And((Equals(field, "a"), Not(Equals(field, "b")))), Equals(field, "c"))))
    assert to_condition(nested) == Clause(
        must_not=(
            Clause(
                should=(
                    Clause(
                        must=(MatchNode("attributes.color", "a"),),
                        must_not=(MatchNode("attributes.color", "b"),),
                    ),
                    MatchNode("attributes.color", "c"),
                )
            ),
        )
    )
