"""The filter language: `category:"shoes/boots" AND price < 50 AND in_stock AND color:(red OR blue)`.

Grammar: AIP-160 (`grammar.lark`). OR binds tighter than AND: `a AND b OR c` is `a AND (b OR c)`. What AIP-160 leaves
to the service is decided as follows:

- Conditions side by side without AND (`color:red in_stock`) are joined by AND.
- `:` and `=` mean the same: the field has this value, or it is among its values; exact, also in letter case. Only for
  the category they differ: `category:shoes` is shoes and all below it, `category = shoes` just shoes.
- `!=` and NOT also match products that lack the field.
- `<`, `<=`, `>`, `>=` are for numbers only. A bool field alone is a condition (`in_stock`, `NOT in_stock`); any other
  word alone is refused, because nothing says in which field to look for it.
- After `:`, `=` and `!=` a group holds values: `color:(red OR blue)`, `color:(red AND NOT "dark red")`.
- Wildcards and functions are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from lark import Token, Tree

from indexer.filters.errors import FilterSyntaxError, FilterTooLong, FilterTypeError
from indexer.filters.expression import (
    Compare,
    Equals,
    Expression,
    Not,
    Ordering,
    Within,
    conjunction,
    disjunction,
)
from indexer.filters.literals import Literal, example_of, is_number, name_of, typed_value
from indexer.filters.schema import Field, FieldType, Schema
from indexer.filters.syntax import Node, read_tree

MAX_DEPTH = 32
MAX_LENGTH = 4096

LARGEST_DEPTH = 64
"""The most that `max_depth` may be. A level of parentheses costs five Python frames; this keeps the walk far from the
interpreter's limit of 1,000."""

_ORDERINGS = frozenset({"<", "<=", ">", ">="})
_MISSPELT_KEYWORDS = {"and": "AND", "or": "OR", "not": "NOT", "&&": "AND", "||": "OR", "&": "AND", "|": "OR"}


def parse_filter(
    text: str, schema: Schema, *, max_depth: int = MAX_DEPTH, max_length: int = MAX_LENGTH
) -> Expression | None:
    """Read a filter and check it against the catalog's schema.

    Args:
        text: the filter; nothing or only white space means no filter.
        schema: the fields there are.
        max_depth: how many parentheses may be open at once, 1 to 64.
        max_length: how many characters the text may have, 1 or more.

    Returns:
        The filter in a normal form (And within And and Or within Or are flattened), or None for no filter.

    Raises:
        FilterTooLong: over `max_length` characters.
        FilterTooDeep: over `max_depth` open parentheses.
        FilterSyntaxError: not in the grammar.
        UnknownField: a field that the schema lacks.
        FilterTypeError: a value or comparator that the field does not take, or a word that is not a condition.
        ValueError: for a limit out of its range.
    """
    if not 1 <= max_depth <= LARGEST_DEPTH:
        raise ValueError(f"max_depth is {max_depth}; permitted: 1 to {LARGEST_DEPTH}")
    if max_length < 1:
        raise ValueError(f"max_length is {max_length}; permitted: 1 or more")
    if len(text) > max_length:
        raise FilterTooLong(f"{len(text)} characters; permitted: {max_length}; shorten the filter", max_length)
    if not text.strip():
        return None
    return _fold(read_tree(text, max_depth), lambda restriction: _condition(restriction, schema))


def _fold(node: Node, read_restriction: Callable[[Node], Expression]) -> Expression:
    """Join what the restrictions under a node say by the node's logical operators."""
    if node.data == "restriction":
        return read_restriction(node)
    if node.data == "term":
        sign, simple = node.children[0], cast(Node, node.children[1])
        if isinstance(sign, Token) and sign.type == "MINUS":
            _refuse_negative_number(sign, simple)
        operand = _fold(simple, read_restriction)
        return Not(operand) if sign is not None else operand
    operands = []
    for child in node.children:
        if isinstance(child, Tree):
            operands.append(_fold(child, read_restriction))
    return disjunction(operands) if node.data == "factor" else conjunction(operands)


def _refuse_negative_number(minus: Token, simple: Node) -> None:
    """Refuse `-5` where the grammar makes it "not 5" and the reader is likely to have meant the number."""
    if simple.data == "restriction" and simple.children[1] is None:
        literal = _literal(cast(Node, simple.children[0]))
        if is_number(literal.source):
            raise FilterSyntaxError(
                f"-{literal.source} can mean the number or a negation here; "
                f"write FIELD = -{literal.source}, or NOT {literal.source}",
                minus.start_pos or 0,
            )


def _condition(restriction: Node, schema: Schema) -> Expression:
    """Read a restriction: a field alone, or a field, a comparator and an argument."""
    subject, comparator, argument = restriction.children
    member = cast(Node, subject)
    if comparator is None:
        return _bare(member, schema)
    names = tuple(name_of(token) for token in _tokens(member))
    field = schema.resolve(names, position=_literal(member).position)
    op, argument = str(comparator), cast(Node, argument)
    if op in _ORDERINGS:
        return _ordering(field, cast(Ordering, op), cast(Token, comparator), argument)
    has = op == ":"
    if argument.data == "composite":
        held = _fold(argument, lambda value: _value_in_group(value, field, has=has))
    else:
        held = _holds(field, _value_literal(argument), has=has)
    return Not(held) if op == "!=" else held


def _ordering(field: Field, op: Ordering, comparator: Token, argument: Node) -> Expression:
    if field.type is not FieldType.NUMBER:
        permitted = "=, != and :" + (", or the name alone" if field.type is FieldType.BOOL else "")
        raise FilterTypeError(
            f"{field.path} is of type {field.type.name} and does not take {op}; permitted: {permitted}",
            comparator.start_pos or 0,
        )
    if argument.data == "composite":
        raise FilterTypeError(
            f"{field.path} {op} does not take a group; write ({field.path} {op} A OR {field.path} {op} B)",
            comparator.end_pos or 0,
        )
    literal = _value_literal(argument)
    return Compare(field, op, float(typed_value(field, literal)))


def _holds(field: Field, literal: Literal, *, has: bool) -> Expression:
    value = typed_value(field, literal)
    if has and field.type is FieldType.CATEGORY:
        return Within(field, str(value))
    return Equals(field, value)


def _value_in_group(restriction: Node, field: Field, *, has: bool) -> Expression:
    """Read one value of a group after a comparator, such as blue in `color:(red OR blue)`."""
    subject, comparator, _ = restriction.children
    literal = _literal(cast(Node, subject))
    if comparator is not None:
        raise FilterSyntaxError(
            f"a group after {field.path} holds values only, found {literal.shown()} {comparator}; "
            f"write {field.path}:(A OR B), or close the group before the next field",
            literal.position,
        )
    return _holds(field, _value_literal(cast(Node, subject)), has=has)


def _bare(member: Node, schema: Schema) -> Expression:
    """Read a word or quoted text alone: a bool field, or not a condition.

    Raises:
        FilterTypeError: if it is not a bool field, with what to write instead.
    """
    literal = _literal(member)
    names = tuple(name_of(token) for token in _tokens(member))
    field = schema.find(names)
    if field is not None and field.type is FieldType.BOOL:
        return Equals(field, True)
    if field is not None:
        advice = f"it is a {field.type.name} field, so write for instance {example_of(field)}"
    elif literal.source in _MISSPELT_KEYWORDS:
        advice = f"write {_MISSPELT_KEYWORDS[literal.source]} in capitals to join conditions"
    else:
        nearest = schema.nearest(".".join(names))
        guess = f", or did you mean {nearest}?" if nearest else ""
        advice = f"name the field to look for it in, as in title = {literal.shown()}{guess}"
    raise FilterTypeError(f"{literal.shown()} alone is not a condition; {advice}", literal.position)


def _tokens(member: Node) -> Iterator[Token]:
    return (child for child in member.children if isinstance(child, Token))


def _literal(member: Node) -> Literal:
    """Return what a member (`red`, `"dark red"`, `9.5`, `attributes."sleeve length"`) says, as it is written."""
    tokens = list(_tokens(member))
    # The grammar permits no white space around the dots it leaves out of the tree.
    return Literal(".".join(tokens), tokens[0].start_pos or 0)


def _value_literal(member: Node) -> Literal:
    """Return a member that must be a value.

    Raises:
        FilterSyntaxError: if it joins quoted texts by dots, which means something for names only.
    """
    literal = _literal(member)
    tokens = list(_tokens(member))
    if len(tokens) > 1 and any(token.type == "STRING" for token in tokens):
        raise FilterSyntaxError(
            f'{literal.shown()} is not a value; permitted: a word, or one text in quotes, as in "a.b"', literal.position
        )
    return literal
