"""Why a filter was refused.

FilterError
├── FilterSyntaxError   FILTER_SYNTAX         the text does not follow the grammar
├── UnknownField        FILTER_UNKNOWN_FIELD  the catalog has no field of that name
├── FilterTypeError     FILTER_TYPE           the field takes no such value or comparator
├── FilterTooDeep       FILTER_TOO_DEEP       parentheses are nested too deep
└── FilterTooLong       FILTER_TOO_LONG       the text has too many characters
"""

from __future__ import annotations

from typing import ClassVar


class FilterError(Exception):
    """A filter that cannot be applied; always the caller's error.

    Attributes:
        reason: UPPER_SNAKE code, the same for every error of one class.
        position: 0-based offset in characters into the filter text, from 0 to its length.
        message: what failed, the value, what is permitted, the next step. Holds neither NUL nor lone surrogates, so
            that it can be sent in any protocol.
    """

    reason: ClassVar[str] = "FILTER_INVALID"

    def __init__(self, message: str, position: int = 0) -> None:
        # Both go to Exception.args, so that the error survives pickling between processes.
        super().__init__(message, position)
        self.message = message
        self.position = position

    def __str__(self) -> str:
        return f"filter, offset {self.position}: {self.message}"


class FilterSyntaxError(FilterError):
    """The text does not follow the grammar (`grammar.lark`)."""

    reason = "FILTER_SYNTAX"


class UnknownField(FilterError):
    """A name that the catalog's schema does not hold."""

    reason = "FILTER_UNKNOWN_FIELD"


class FilterTypeError(FilterError):
    """A value or comparator that the field's type does not take, or something that is not a condition."""

    reason = "FILTER_TYPE"


class FilterTooDeep(FilterError):
    """More parentheses open at once than permitted."""

    reason = "FILTER_TOO_DEEP"


class FilterTooLong(FilterError):
    """More characters than permitted."""

    reason = "FILTER_TOO_LONG"
