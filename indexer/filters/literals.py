"""From the words and quoted texts of a filter to values of a field's type."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from indexer.filters.errors import FilterSyntaxError, FilterTypeError
from indexer.filters.expression import Value, is_category_path
from indexer.filters.schema import Field, FieldType

_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "*": "*", "n": "\n", "r": "\r", "t": "\t"}
_PIECE = re.compile(r"\\(.)|(\*)", re.DOTALL)
# Narrower than float(), which also takes "1_000", "infinity", "nan" and digits of other scripts.
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BOOLS = {"true": True, "false": False}
_PERMITTED = {
    FieldType.KEYWORD: "a word or a text in quotes",
    FieldType.NUMBER: "a finite number without quotes, such as 5, -2.5 or 1e3",
    FieldType.BOOL: "true or false, without quotes",
    FieldType.CATEGORY: "a path such as shoes/boots, whose names are joined by / and not empty",
}
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written in the filter.

    Attributes:
        source: the text as written, with quotes and escapes.
        position: 0-based offset of its first character.
    """

    source: str
    position: int

    @property
    def is_quoted(self) -> bool:
        """Whether it is in single or double quotes."""
        return self.source[0] in "\"'"

    def shown(self) -> str:
        """The source for an error message, shortened to 60 characters, unprintable ones escaped."""
        cut = self.source if len(self.source) <= _SHOWN_CHARACTERS else self.source[: _SHOWN_CHARACTERS - 1] + "…"
        return cut if cut.isprintable() else ascii(cut)

    def text(self) -> str:
        r"""Return the text that is meant: without quotes, escapes replaced.

        Within quotes `\\`, `\"`, `\'`, `\*`, `\n`, `\r` and `\t` are escapes.

        Raises:
            FilterSyntaxError: for another escape, and for an unescaped `*`, in quotes or not. AIP-160 makes it a
                wildcard; taken for a plain star it would silently find nothing.
        """
        inner, start = (self.source[1:-1], self.position + 1) if self.is_quoted else (self.source, self.position)

        def replaced(piece: re.Match[str]) -> str:
            if piece[2]:
                raise FilterSyntaxError(
                    rf'wildcards are not supported, found * in {self.shown()}; for the star itself write "\*"',
                    start + piece.start(),
                )
            if piece[1] not in _ESCAPES:
                raise FilterSyntaxError(
                    rf"unknown escape {piece[0]!a}; permitted: \\ \" \' \* \n \r \t", start + piece.start()
                )
            return _ESCAPES[piece[1]]

        return _PIECE.sub(replaced, inner)


def is_number(source: str) -> bool:
    """Whether a word is written as a number, such as `5`, `-2.5` or `1e3`."""
    return _NUMBER.fullmatch(source) is not None


def name_of(source: str) -> str:
    r"""Return the name that a word or quoted text on the left of a comparator means; a star has no meaning there.

    Unknown escapes stay as they are: no field's name holds a backslash, so the name is refused as unknown.
    """
    if source[0] not in "\"'":
        return str(source)
    return _PIECE.sub(lambda piece: piece[2] or _ESCAPES.get(piece[1], piece[0]), source[1:-1])


def typed_value(field: Field, literal: Literal) -> Value:
    """Read a literal as a value of the field's type.

    Returns:
        str for KEYWORD and CATEGORY, finite float for NUMBER, bool for BOOL (`true`, `True`, `TRUE`, ...).

    Raises:
        FilterTypeError: if it is not one, also where a number or bool is in quotes.
        FilterSyntaxError: for wildcards and unknown escapes.
    """
    text = literal.text()
    if field.type is FieldType.BOOL and not literal.is_quoted and text.lower() in _BOOLS:
        return _BOOLS[text.lower()]
    if field.type is FieldType.NUMBER and not literal.is_quoted and is_number(text):
        number = float(text)
        if math.isfinite(number):
            return number
    if field.type is FieldType.KEYWORD:
        if not literal.is_quoted and text.startswith("-") and not is_number(text):
            raise FilterTypeError(
                f"{field.path} cannot tell whether {literal.shown()} is a value or a negation; "
                f'write {field.path} = "{literal.shown()}" or NOT {field.path} = {literal.shown()[1:]}',
                literal.position,
            )
        return text
    if field.type is FieldType.CATEGORY and is_category_path(text):
        return text
    raise FilterTypeError(
        f"{field.path} is of type {field.type.name} and does not take {literal.shown()}; "
        f"permitted: {_PERMITTED[field.type]}",
        literal.position,
    )


def example_of(field: Field) -> str:
    """An example of a condition on the field, for error messages."""
    return {
        FieldType.KEYWORD: f"{field.path} = VALUE",
        FieldType.NUMBER: f"{field.path} < 50",
        FieldType.BOOL: field.path,
        FieldType.CATEGORY: f"{field.path}:shoes",
    }[field.type]
