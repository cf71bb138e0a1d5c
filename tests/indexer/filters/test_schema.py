"""The schema: which names a filter may use, and what an unknown one is answered with."""

import json
import pickle

import pytest

from indexer.filters.errors import FilterError, UnknownField
from indexer.filters.schema import BUILT_IN_FIELDS, Field, FieldType, Schema

SCHEMA = Schema(
    {
        "color": FieldType.KEYWORD,
        "price": FieldType.KEYWORD,
        "sleeve length": FieldType.NUMBER,
        "heel.height": FieldType.NUMBER,
        "AND": FieldType.BOOL,
    }
)


@pytest.mark.parametrize(
    ("path", "name", "field_type", "is_attribute"),
    [
        ("id", "id", FieldType.KEYWORD, False),
        ("category", "category", FieldType.CATEGORY, False),
        ("in_stock", "in_stock", FieldType.BOOL, False),
        ("color", "color", FieldType.KEYWORD, True),
        ("attributes.color", "color", FieldType.KEYWORD, True),
        ('"sleeve length"', "sleeve length", FieldType.NUMBER, True),
        ('attributes."sleeve length"', "sleeve length", FieldType.NUMBER, True),
        (("attributes", "sleeve length"), "sleeve length", FieldType.NUMBER, True),
        (("heel", "height"), "heel.height", FieldType.NUMBER, True),
        ('"heel.height"', "heel.height", FieldType.NUMBER, True),
    ],
)
def test_a_path_leads_to_a_field(path, name, field_type, is_attribute):
    assert SCHEMA.resolve(path) == Field(name, field_type, is_attribute)


def test_an_attribute_named_like_a_built_in_field_needs_the_prefix():
    assert SCHEMA.resolve("price") == Field("price", FieldType.NUMBER, is_attribute=False)
    assert SCHEMA.resolve("attributes.price") == Field("price", FieldType.KEYWORD, is_attribute=True)


def test_every_field_is_found_again_by_the_path_it_is_written_with():
    for field in SCHEMA.fields():
        assert SCHEMA.resolve(field.path) == field
    assert [field.path for field in SCHEMA.fields()] == [
        *BUILT_IN_FIELDS,
        "color",
        "attributes.price",
        '"sleeve length"',
        '"heel.height"',
        '"AND"',
    ]


@pytest.mark.parametrize(
    ("path", "nearest"), [("colour", "color"), ("PRICE", "price"), ("sleve length", '"sleeve length"')]
)
def test_an_unknown_field_is_answered_with_the_nearest_and_the_known_names(path, nearest):
    with pytest.raises(UnknownField) as caught:
        SCHEMA.resolve(path, position=7)
    assert caught.value.reason == "FILTER_UNKNOWN_FIELD"
    assert caught.value.position == 7
    assert f"did you mean {nearest}?" in caught.value.message
    assert "Known: id, title, category, price, in_stock, color" in caught.value.message


def test_a_name_like_no_other_gets_no_guess():
    with pytest.raises(UnknownField) as caught:
        SCHEMA.resolve("zzz")
    assert "did you mean" not in caught.value.message


def test_at_most_twenty_names_are_listed():
    schema = Schema({f"attribute{number}": FieldType.KEYWORD for number in range(40)})
    with pytest.raises(UnknownField, match=r"attribute14 and 25 more$"):
        schema.resolve("zzz")


def test_a_very_long_name_is_refused_quickly_and_shortened():
    with pytest.raises(UnknownField) as caught:
        SCHEMA.resolve("x" * 100_000)
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("name", ['14" heel', "back\\slash", "nul\x00", "half\ud800", ""])
def test_names_without_a_payload_key_are_out_of_reach(name):
    schema = Schema({name: FieldType.KEYWORD})
    with pytest.raises(UnknownField) as caught:
        schema.resolve(("attributes", name))
    caught.value.message.encode()
    assert [field.path for field in schema.fields()] == list(BUILT_IN_FIELDS)


def test_a_schema_survives_json_and_pickle():
    assert Schema.from_dict(json.loads(json.dumps(SCHEMA.to_dict()))) == SCHEMA
    assert pickle.loads(pickle.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA.to_dict()["attributes"]["color"] == "keyword"


@pytest.mark.parametrize(
    "data",
    [{}, {"attributes": []}, {"attributes": {}, "more": 1}, {"attributes": {"a": "text"}}, {"attributes": {"a": []}}],
)
def test_a_schema_of_another_layout_is_refused(data):
    with pytest.raises(ValueError):
        Schema.from_dict(data)


def test_only_the_built_in_category_is_a_category():
    with pytest.raises(ValueError, match="KEYWORD, NUMBER, BOOL"):
        Schema({"style": FieldType.CATEGORY})
    with pytest.raises(ValueError, match="no built-in field"):
        Field("price", FieldType.BOOL, is_attribute=False)


def test_a_schema_does_not_follow_later_changes_of_the_mapping():
    types = {"color": FieldType.KEYWORD}
    schema = Schema(types)
    types["size"] = FieldType.KEYWORD
    assert schema.find(("size",)) is None
    assert hash(schema) == hash(Schema({"color": FieldType.KEYWORD}))


def test_errors_survive_pickling_with_their_position():
    error: FilterError = pickle.loads(pickle.dumps(UnknownField("no field 'x'", 3)))
    assert (type(error), error.position, str(error)) == (UnknownField, 3, "filter, offset 3: no field 'x'")
