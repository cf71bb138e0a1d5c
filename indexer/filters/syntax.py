"""From filter text to syntax tree: drives the generated parser and says in words where it failed."""

from __future__ import annotations

import functools
import re
from importlib import resources

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from indexer.filters.errors import FilterSyntaxError, FilterTooDeep

Node = Tree[Token]

# NUL ends strings in some engines; a lone surrogate has no UTF-8 form. Neither is ever meant.
_UNUSABLE = re.compile(r"[\x00\ud800-\udfff]")
_EXCERPT_BEFORE = 12
_EXCERPT_AFTER = 24
_HINTS = {
    ",": "; for several values write FIELD:(a OR b), and numbers without a thousands separator",
    "!": '; for negation write NOT or -, and put a text that holds "!" in quotes',
    "==": "; equality is a single =",
    "\\": '; put a text that holds a backslash in quotes, as "\\\\"',
    '"': "; the quote that opens here is not closed",
    "'": '; the quote that opens here is not closed, and a text with an apostrophe is written "women\'s"',
    "“": "; use straight quotes",
    "”": "; use straight quotes",
    "„": "; use straight quotes",
    "‘": "; use straight quotes",
}


def read_tree(text: str, max_depth: int) -> Node:
    """Parse a filter by `grammar.lark`.

    The generated parser keeps a stack of its own, so no nesting of the text can overflow Python's; and it is stopped
    at the first parenthesis that goes too deep, so the tree is safe to walk by recursion.

    Args:
        text: a filter with at least one character that is not white space.
        max_depth: how many parentheses may be open at once, >= 1.

    Returns:
        A tree of the grammar's rules, whose tokens carry `start_pos` and `end_pos`.

    Raises:
        FilterSyntaxError: if the text does not follow the grammar, calls a function, or holds NUL or a lone surrogate.
        FilterTooDeep: if more than `max_depth` parentheses are open at once.
    """
    unusable = _UNUSABLE.search(text)
    if unusable is not None:
        found = f"U+{ord(unusable[0]):04X}"
        raise FilterSyntaxError(f"character {found} is not permitted in a filter; leave it out", unusable.start())
    run = _parser().parse_interactive(text)
    depth = 0
    try:
        for token in run.iter_parse():
            if token.type == "CALL":
                raise FilterSyntaxError(
                    f"functions are not supported, found {_excerpt(text, _start(token))}; "
                    "a group needs a space before its parenthesis",
                    _start(token),
                )
            depth += (token.type == "LPAR") - (token.type == "RPAR")
            if depth > max_depth:
                raise FilterTooDeep(
                    f"{depth} parentheses are open at once; permitted: {max_depth}; leave out those that only group "
                    "what AND or OR group already",
                    _start(token),
                )
        tree = run.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedCharacters as error:
        raise _syntax_error(text, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        raise _syntax_error(text, len(text) if error.token.type == "$END" else _start(error.token)) from None
    if not isinstance(tree, Tree):
        raise TypeError(f"the grammar's start rule gave {type(tree).__name__}, not a tree")
    return tree


@functools.cache
def _parser() -> Lark:
    # Made at the first filter, not at import: building the tables takes some 30 ms.
    grammar = resources.files("indexer.filters").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", start="start")


def _syntax_error(text: str, position: int) -> FilterSyntaxError:
    # The failed run closed rules before it noticed, so a run that stops short shows which tokens could have followed.
    run = _parser().parse_interactive(text[:position])
    run.exhaust_lexer()
    accepted: set[str] = run.accepts()  # type: ignore[no-untyped-call]
    found = f"found {_excerpt(text, position)}" if position < len(text) else "found its end"
    rest = text[position:]
    # The second = of a double one is where the text goes wrong.
    hint = _HINTS["=="] if text[max(0, position - 1) : position + 1] == "==" else _HINTS.get(rest[:1], "")
    # A quote that is closed stands in the wrong place: then the hint about quotes would mislead.
    if rest[:1] in {"'", '"'} and rest[:1] in rest[1:]:
        hint = ""
    return FilterSyntaxError(f"expected {_expected(accepted)}, {found}{hint}", position)


def _expected(accepted: set[str]) -> str:
    """Say in words which tokens may follow."""
    if "NEGATIVE" in accepted:
        return "a value (a word, a number or a text in quotes) or a group such as (red OR blue)"
    if "LPAR" not in accepted:
        return "the rest of a field's name"
    closing = ['")"'] if "RPAR" in accepted else []
    ending = ["the end of the filter"] if "$END" in accepted else []
    if "AND" not in accepted:
        return " or ".join(["a condition such as color = red", *closing])
    comparators = ["a comparator (= != : < <= > >=)"] if "COMPARATOR" in accepted else []
    return ", ".join([*comparators, "AND", "OR", *closing, *ending]) + " or another condition"


def _start(token: Token) -> int:
    if token.start_pos is None:
        raise TypeError(f"token {token!r} carries no position")
    return token.start_pos


def _excerpt(text: str, position: int) -> str:
    """Quote the text around a place, all on one line, with dots where it goes on."""
    start, end = max(0, position - _EXCERPT_BEFORE), position + _EXCERPT_AFTER
    cut = "…" * (start > 0) + text[start:end] + "…" * (end < len(text))
    return repr(cut)
