"""Single values of a catalog's row, read strictly: what cannot be understood is refused, never guessed."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from enum import Enum

from embedder.catalogs.product import AttributeValue, Split

MAX_ID_CHARACTERS = 512

_MAX_SHOWN_CHARACTERS = 80
# Larger whole numbers, such as card numbers, are not all distinct as 64-bit floats.
_MAX_EXACT_DIGITS = 15
_MAX_EXACT_INTEGER = 2**53
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_QUANTITY = re.compile(r"[0-9]+(?:\.0+)?")
_LEVEL_PARTING = re.compile(r"/|\||>+")
_STOCK_WORDS = {"true": True, "yes": True, "instock": True, "false": False, "no": False, "outofstock": False}
_SPLITS: dict[str, Split] = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


class CellError(ValueError):
    """A value that rejects its row; never leaves this package.

    Attributes:
        reason: UPPER_SNAKE code for `Rejection.reason`.
        detail: the value and what would be permitted.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class CellKind(Enum):
    """How a column of texts is read as an attribute."""

    TEXT = "text"
    NUMBER = "number"
    BOOL = "bool"


def is_blank(value: object) -> bool:
    """Whether a cell says nothing: missing, null, or only white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def shown(value: object) -> str:
    """A value for a message: quoted, control characters escaped, cut to 80 characters."""
    # Cut before quoting: a cell may have a million characters.
    text = repr(value[: _MAX_SHOWN_CHARACTERS + 1] if isinstance(value, str) else value)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[: _MAX_SHOWN_CHARACTERS - 3]}..."


def parse_id(value: object) -> str:
    """Read a product id: 1..512 characters, without control characters and white space around.

    Raises:
        CellError: ID_MISSING, ID_INVALID or ID_TOO_LONG.
    """
    if is_blank(value):
        raise CellError("ID_MISSING", f"id is blank; permitted: 1 to {MAX_ID_CHARACTERS} characters")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise CellError("ID_INVALID", f"id {shown(value)}; permitted: a text or a whole number")
    text = str(value).strip()
    if len(text) > MAX_ID_CHARACTERS:
        raise CellError(
            "ID_TOO_LONG", f"id {shown(text)} of {len(text)} characters; permitted: up to {MAX_ID_CHARACTERS}"
        )
    # Lone surrogates (Cs) stand for bytes that are no text: nothing downstream could write them as UTF-8.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise CellError("ID_INVALID", f"id {shown(text)}; permitted: text without control characters")
    return text


def parse_text(value: object, field: str) -> str:
    """Read a short text; runs of white space become one space, a blank cell becomes "".

    Raises:
        CellError: ROW_UNREADABLE where it is no text or number.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise CellError("ROW_UNREADABLE", f"{field} {shown(value)}; permitted: a text")
    return " ".join(str(value).split())


def parse_category(value: object) -> str | None:
    """Read a category path and bring it to levels parted by "/".

    Permitted: "a/b", "a > b" (also ">>"), "a|b", or a list of levels. White space around levels goes, partings at
    either end too.

    Raises:
        CellError: CATEGORY_INVALID for an empty level, a "/" within a listed level, control characters, no text.
    """
    if is_blank(value) or value in ([], ()):
        return None
    if isinstance(value, str):
        levels = _LEVEL_PARTING.split(value.strip().strip("/|>"))
    elif isinstance(value, list | tuple) and all(isinstance(level, str) for level in value):
        levels = list(value)
    else:
        raise CellError("CATEGORY_INVALID", f"category {shown(value)}; permitted: a path such as 'a/b', or its levels")
    levels = [" ".join(level.split()) for level in levels]
    if not all(levels):
        raise CellError("CATEGORY_INVALID", f"category {shown(value)} has an empty level; permitted: none")
    if any("/" in level for level in levels):
        raise CellError("CATEGORY_INVALID", f"category {shown(value)}; permitted: levels without '/', which parts them")
    path = "/".join(levels)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        raise CellError("CATEGORY_INVALID", f"category {shown(value)}; permitted: text without control characters")
    return path


def parse_stock(value: object) -> bool | None:
    """Read whether a product is in stock: yes/no, true/false, in stock/out of stock, or a quantity of 0 or more.

    Raises:
        CellError: STOCK_INVALID.
    """
    if is_blank(value):
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value >= 0:
        return value > 0
    if isinstance(value, float) and value >= 0 and value.is_integer():
        return value > 0
    if isinstance(value, str):
        if _QUANTITY.fullmatch(value.strip()):
            return value.strip().partition(".")[0].strip("0") != ""
        word = re.sub(r"[\s_-]", "", value).lower()
        if word in _STOCK_WORDS:
            return _STOCK_WORDS[word]
    raise CellError(
        "STOCK_INVALID",
        f"in_stock {shown(value)}; permitted: true, false, yes, no, in stock, out of stock, or a quantity of 0 or more",
    )


def parse_split(value: object) -> Split | None:
    """Read which part of a benchmark a row belongs to; blank: none.

    Raises:
        CellError: SPLIT_INVALID.
    """
    if is_blank(value):
        return None
    split = _SPLITS.get(value.strip().lower()) if isinstance(value, str) else None
    if split is None:
        raise CellError("SPLIT_INVALID", f"split {shown(value)}; permitted: {', '.join(_SPLITS)}, or blank")
    return split


def kind_of(text: str) -> CellKind:
    """What a text looks like; "007", "1e5", "inf" and numbers of more than 15 digits are texts."""
    if text.lower() in ("true", "false"):
        return CellKind.BOOL
    if _PLAIN_NUMBER.fullmatch(text) and sum(map(str.isdigit, text)) <= _MAX_EXACT_DIGITS:
        return CellKind.NUMBER
    return CellKind.TEXT


def parse_attribute(value: object, name: str, kind: CellKind = CellKind.TEXT) -> AttributeValue | None:
    """Read an attribute; None where it is blank.

    Args:
        value: of any type.
        name: for messages.
        kind: what a text is converted to, where it fits; texts that do not fit stay texts.

    Raises:
        CellError: ATTRIBUTE_INVALID for an object, a list of anything but texts, a number that is not finite, or a
            whole number beyond 2**53 either way (it would come out changed).
    """
    if is_blank(value):
        return None
    if isinstance(value, str):
        return _typed(value.strip(), kind)
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= _MAX_EXACT_INTEGER:
        return float(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
        return _words(value)
    raise CellError(
        "ATTRIBUTE_INVALID",
        f"attribute {shown(name)} is {shown(value)}; permitted: a text, true, false, a finite number (beyond 2**53 as "
        "a text), or a list of texts",
    )


def _typed(text: str, kind: CellKind) -> AttributeValue:
    if kind is CellKind.TEXT or kind_of(text) is not kind:
        return text
    return float(text) if kind is CellKind.NUMBER else text.lower() == "true"


def _words(value: Sequence[str]) -> tuple[str, ...] | None:
    return tuple(word.strip() for word in value if word.strip()) or None
