"""The filter language, from text to typed conditions, and what is said of a text that is none."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.filters.errors import (
    FilterError,
    FilterSyntaxError,
    FilterTooDeep,
    FilterTooLong,
    FilterTypeError,
    UnknownField,
)
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
)
from indexer.filters.parser import parse_filter
from indexer.filters.schema import FieldType, Schema

# The first example pays for building the parser, which a deadline would count against the language.
SEEDED = settings(derandomize=True, deadline=None)

SCHEMA = Schema(
    {
        "color": FieldType.KEYWORD,
        "size": FieldType.KEYWORD,
        "farbe_für": FieldType.KEYWORD,
        "sleeve length": FieldType.NUMBER,
        "heel.height": FieldType.NUMBER,
        "price": FieldType.NUMBER,
        "washable": FieldType.BOOL,
        "on sale": FieldType.BOOL,
        "NOT": FieldType.KEYWORD,
        "a*b": FieldType.KEYWORD,
    }
)
COLOR, SIZE, PRICE, CATEGORY = (SCHEMA.resolve(path) for path in ("color", "size", "price", "category"))
IN_STOCK, WASHABLE = Equals(SCHEMA.resolve("in_stock"), True), Equals(SCHEMA.resolve("washable"), True)
RED, BLUE, CHEAP = Equals(COLOR, "red"), Equals(COLOR, "blue"), Compare(PRICE, "<", 50.0)


def parsed(text: str) -> Expression | None:
    return parse_filter(text, SCHEMA)


@pytest.mark.parametrize("text", ["", " ", "\t\n "])
def test_nothing_is_no_filter(text):
    assert parsed(text) is None


def test_the_filter_of_the_contract():
    assert parsed('category:"shoes/boots" AND price < 50 AND in_stock AND color:(red OR blue)') == And(
        (Within(CATEGORY, "shoes/boots"), CHEAP, IN_STOCK, Or((RED, BLUE)))
    )


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("in_stock AND color:red OR color:blue", And((IN_STOCK, Or((RED, BLUE))))),
        ("color:red OR color:blue AND in_stock", And((Or((RED, BLUE)), IN_STOCK))),
        ("in_stock color:red OR color:blue", And((IN_STOCK, Or((RED, BLUE))))),
        ("(in_stock AND color:red) OR color:blue", Or((And((IN_STOCK, RED)), BLUE))),
        ("NOT in_stock OR color:red", Or((Not(IN_STOCK), RED))),
        ("NOT (in_stock OR color:red)", Not(Or((IN_STOCK, RED)))),
    ],
)
def test_or_binds_tighter_than_and(text, expression):
    assert parsed(text) == expression


@pytest.mark.parametrize("text", ["in_stock color:red price<50", "in_stock AND (color:red price<50)"])
def test_conditions_side_by_side_are_joined_by_and(text):
    assert parsed(text) == And((IN_STOCK, RED, CHEAP))


@pytest.mark.parametrize("text", ["NOT in_stock", "-in_stock", "NOT(in_stock)", "-(in_stock)", "in_stock != true"])
def test_negations(text):
    assert parsed(text) == Not(IN_STOCK)


def test_a_category_is_meant_with_all_below_it_or_exactly():
    boots, shoes = Within(CATEGORY, "shoes/boots"), Within(CATEGORY, "shoes")
    assert parsed("category:shoes/boots") == boots
    assert parsed("category:(shoes/boots OR shoes)") == Or((boots, shoes))
    assert parsed('category = "shoes/boots"') == Equals(CATEGORY, "shoes/boots")
    assert parsed("category != shoes") == Not(Equals(CATEGORY, "shoes"))


@pytest.mark.parametrize("text", ["color:red", "color = red", 'color="red"', "color:'red'", "attributes.color:red"])
def test_a_keyword_equals_or_has_a_value(text):
    assert parsed(text) == RED


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("dark-red", "dark-red"),
        ("example.com", "example.com"),
        ("38", "38"),
        ("-38", "-38"),
        ("38.50", "38.50"),
        ("ANDROID", "ANDROID"),
        ("OR-7", "OR-7"),
        ("größe/ä", "größe/ä"),
        ('"AND"', "AND"),
        ('""', ""),
        ('"-red"', "-red"),
        (r'"a \"b\" \\ \' \*"', 'a "b" \\ \' *'),
        (r"'it\'s'", "it's"),
        ('"women\'s"', "women's"),
        (r'"a\nb\tc"', "a\nb\tc"),
    ],
)
def test_keyword_values(text, value):
    assert parsed(f"size = {text}") == Equals(SIZE, value)


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5.0), ("-5", -5.0), ("9.50", 9.5), ("1e3", 1000.0), ("-2.5E-1", -0.25), ("1e+2", 100.0)]
)
def test_numbers(text, value):
    assert parsed(f"price = {text}") == parsed(f"price:{text}") == Equals(PRICE, value)
    for op in ("<", "<=", ">", ">="):
        assert parsed(f"price {op} {text}") == parsed(f"price{op}{text}") == Compare(PRICE, op, value)


@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
def test_bools(text):
    assert parsed(f"washable = {text}") == parsed(f"washable:{text}") == parsed("washable") == WASHABLE
    assert parsed("washable = false") == parsed("washable:FALSE") == Equals(WASHABLE.field, False)


def test_fields_are_written_plainly_quoted_or_below_attributes():
    sleeve, heel = SCHEMA.resolve('"sleeve length"'), SCHEMA.resolve('"heel.height"')
    assert parsed('"sleeve length" > 5') == parsed('attributes."sleeve length" > 5') == Compare(sleeve, ">", 5.0)
    assert parsed("heel.height > 5") == parsed('"heel.height" > 5') == Compare(heel, ">", 5.0)
    assert parsed('attributes.NOT = x AND "NOT" = x').operands[0].field.name == "NOT"
    assert parsed('"a*b" = x').field.name == "a*b"
    assert parsed("attributes.price = 5") == Equals(SCHEMA.resolve("attributes.price"), 5.0)
    assert parsed('-"on sale"') == Not(Equals(SCHEMA.resolve('"on sale"'), True))


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("color:(red AND NOT blue)", And((RED, Not(BLUE)))),
        ("color:(red -blue)", And((RED, Not(BLUE)))),
        ('color = ("red" OR (blue))', Or((RED, BLUE))),
        ("color != (red OR blue)", Not(Or((RED, BLUE)))),
        ("price:(5 OR 7.5)", Or((Equals(PRICE, 5.0), Equals(PRICE, 7.5)))),
        ("washable:(true)", WASHABLE),
    ],
)
def test_a_group_behind_a_comparator_holds_values(text, expression):
    assert parsed(text) == expression


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("color =", 7, "expected a value"),
        ("color = AND", 8, "expected a value"),
        ("color == red", 7, "equality is a single ="),
        ("in_stock AND", 12, "expected a condition such as color = red, found its end"),
        ("AND in_stock", 0, "expected a condition"),
        ("in_stock and", 9, "write AND in capitals"),
        ("NOT NOT in_stock", 4, "expected a condition"),
        ("--in_stock", 1, "expected a condition"),
        ("(in_stock", 9, '")"'),
        ("in_stock)", 8, "the end of the filter"),
        ("()", 1, "expected a condition"),
        ("price:(>5)", 7, "expected a condition"),
        ("price < .5", 8, "expected a value"),
        ("price < 1,000", 9, "without a thousands separator"),
        ("attributes.", 11, "the rest of a field's name"),
        ("attributes . color = red", 11, "expected"),
        ("!in_stock", 0, "write NOT or -"),
        ("color = “red”", 8, "use straight quotes"),
        ('color = "red', 8, "not closed"),
        ("color = women's", 13, "not closed"),
        (r'color = "a\d"', 10, "unknown escape"),
        ("color = r*d", 9, "wildcards are not supported"),
        ("color:*", 6, "wildcards are not supported"),
        ('title = "boot*"', 13, "wildcards are not supported"),
        ("f(x)", 0, "functions are not supported"),
        ("in_stock AND geo.near(1, 2)", 13, "functions are not supported"),
        ("color:(size = 5)", 7, "holds values only"),
        ('color = "a".b', 8, "is not a value"),
        ("price:(-5 OR 3)", 7, "can mean the number or a negation"),
        ("color = a\x00", 9, "U+0000"),
        ("color = '\ud800'", 9, "U+D800"),
        ("color = \x01", 8, "expected a value"),
    ],
)
def test_texts_outside_the_grammar(text, position, words):
    with pytest.raises(FilterError) as caught:
        parsed(text)
    assert caught.value.reason == ("FILTER_TYPE" if "capitals" in words else "FILTER_SYNTAX")
    assert words in caught.value.message
    assert caught.value.position == position


def test_a_syntax_error_shows_the_text_around_it():
    with pytest.raises(FilterSyntaxError, match="found '… = blue AND AND size = 38 AND price'"):
        parsed("color = blue AND AND size = 38 AND price")


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("price < abc", 8, "price is of type NUMBER and does not take abc"),
        ('price = "5"', 8, "a finite number without quotes"),
        ("price = nan", 8, "finite"),
        ("price = 1e999", 8, "finite"),
        ("price = ٥", 8, "finite"),
        ("price = 1_000", 8, "finite"),
        ("price < (5 OR 6)", 7, "does not take a group"),
        ("in_stock = yes", 11, "true or false"),
        ('in_stock = "true"', 11, "without quotes"),
        ("in_stock > true", 9, "does not take >"),
        ("color < red", 6, "permitted: =, != and :"),
        ("category >= shoes", 9, "does not take >="),
        ("category = shoes/", 11, "not empty"),
        ('category:""', 9, "not empty"),
        ("color = -red", 8, 'color = "-red" or NOT color = red'),
        ("color", 0, "color = VALUE"),
        ("in_stock AND price", 13, "price < 50"),
        ("category", 0, "category:shoes"),
        ('"red shoes"', 0, 'title = "red shoes"'),
        ("in_stok", 0, "did you mean in_stock?"),
        ("in_stock || washable", 9, "write OR"),
    ],
)
def test_values_and_words_that_are_no_condition(text, position, words):
    with pytest.raises(FilterTypeError) as caught:
        parsed(text)
    assert caught.value.reason == "FILTER_TYPE"
    assert words in caught.value.message
    assert caught.value.position == position


def test_an_unknown_field_is_refused_where_it_stands():
    with pytest.raises(UnknownField, match=r"no field 'colour'; did you mean color\?") as caught:
        parsed("in_stock AND colour = red")
    assert caught.value.position == 13


def test_nesting_is_limited_at_the_parenthesis_that_goes_too_deep():
    assert parsed("(" * 32 + "in_stock" + ")" * 32) == IN_STOCK
    with pytest.raises(FilterTooDeep, match="33 parentheses") as caught:
        parsed("(" * 33 + "in_stock" + ")" * 33)
    assert (caught.value.reason, caught.value.position) == ("FILTER_TOO_DEEP", 32)
    with pytest.raises(FilterTooDeep):
        parse_filter("color:((red))", SCHEMA, max_depth=1)
    assert parse_filter("(in_stock) AND (washable)", SCHEMA, max_depth=1) == And((IN_STOCK, WASHABLE))


@pytest.mark.parametrize("piece", ["(", "-", "NOT ", "NOT(", "-(", "color:(", "in_stock AND (", "f(", ")", "a.", '"'])
def test_endless_repetition_is_refused_and_quickly(piece):
    started = time.perf_counter()
    with pytest.raises(FilterError):
        parsed((piece * 4096)[:4096])
    assert time.perf_counter() - started < 5.0


def test_the_deepest_tree_permitted_can_be_read():
    text = "in_stock"
    for _ in range(64):
        text = f"washable OR -({text}) AND in_stock"
    assert parse_filter(text, SCHEMA, max_depth=64) is not None


def test_length_is_limited_in_characters():
    with pytest.raises(FilterTooLong, match="4097 characters; permitted: 4096") as caught:
        parsed("ä" * 4097)
    assert (caught.value.reason, caught.value.position) == ("FILTER_TOO_LONG", 4096)
    longest = "in_stock " * 455
    assert isinstance(parsed(longest), And)


@pytest.mark.parametrize("limits", [{"max_depth": 0}, {"max_depth": 65}, {"max_length": 0}])
def test_limits_have_ranges(limits):
    with pytest.raises(ValueError, match="permitted"):
        parse_filter("in_stock", SCHEMA, **limits)


CHARACTERS = "()-.:=<>*,!\\'\" \t\x00\ud800“"
WORDS = ["color", "price", "in_stock", "category", "attributes", "red", "5", "-2.5", "1e3", '"a b"', "true", "f("]
PIECES = st.sampled_from([*CHARACTERS, " AND ", " OR ", "NOT ", "!=", "<=", *WORDS])


@SEEDED
@given(st.one_of(st.text(st.characters(codec=None)), st.lists(PIECES, max_size=30).map("".join)))
def test_any_text_is_a_filter_or_a_filter_error(text):
    try:
        parsed(text)
    except FilterError as error:
        refused = error
    else:
        return
    assert 0 <= refused.position <= len(text)
    assert refused.reason.startswith("FILTER_")
    assert str(refused).encode()


def quoted(text: str) -> str:
    for character in '\\"*':
        text = text.replace(character, f"\\{character}")
    return f'"{text}"'


def written(expression: Expression) -> str:
    """Write an expression as a filter, with parentheses around everything that has parts."""
    match expression:
        case And(operands):
            return f"({' AND '.join(map(written, operands))})"
        case Or(operands):
            return f"({' OR '.join(map(written, operands))})"
        case Not(operand):
            return f"(NOT {written(operand)})"
        case Within(field, path):
            return f"{field.path}:{quoted(path)}"
        case Compare(field, op, value):
            return f"{field.path} {op} {value!r}"
        case Equals(field, bool() | float() as value):
            return f"{field.path} = {value!r}"
        case Equals(field, value):
            return f"{field.path} = {quoted(value)}"


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PATHS = st.lists(TEXTS.filter(lambda text: text and "/" not in text), min_size=1, max_size=3).map("/".join)
VALUES = {
    FieldType.KEYWORD: TEXTS,
    FieldType.NUMBER: NUMBERS,
    FieldType.BOOL: st.booleans(),
    FieldType.CATEGORY: PATHS,
}
NUMBER_FIELDS = [field for field in SCHEMA.fields() if field.type is FieldType.NUMBER]
CONDITIONS = st.one_of(
    st.sampled_from(SCHEMA.fields()).flatmap(lambda field: st.builds(Equals, st.just(field), VALUES[field.type])),
    st.builds(Within, st.just(CATEGORY), PATHS),
    st.builds(Compare, st.sampled_from(NUMBER_FIELDS), st.sampled_from(["<", "<=", ">", ">="]), NUMBERS),
)
EXPRESSIONS = st.recursive(
    CONDITIONS,
    lambda parts: st.one_of(
        parts.map(Not),
        st.lists(parts, min_size=2, max_size=4).map(conjunction),
        st.lists(parts, min_size=2, max_size=4).map(disjunction),
    ),
    max_leaves=10,
)


@SEEDED
@given(EXPRESSIONS)
def test_an_expression_written_out_is_read_back_the_same(expression):
    assert parse_filter(written(expression), SCHEMA, max_depth=64, max_length=100_000) == expression
