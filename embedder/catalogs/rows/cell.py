"""Single values of a catalog's row, read strictly: what cannot be understood is refused, never guessed."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from html import unescape

from embedder.catalogs.product import AttributeKind, AttributeValue, Split

MAX_ID_CHARACTERS = 512

MAX_DESCRIPTION = 5_000
"""Characters of a description that are kept."""

_MAX_SHOWN_CHARACTERS = 80
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>|<!--.{0,2000}?-->", re.DOTALL)
# Larger whole numbers, such as card numbers, are not all distinct as 64-bit floats.
_MAX_EXACT_DIGITS = 15
_MAX_EXACT_INTEGER = 2**53
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_QUANTITY = re.compile(r"[0-9]+(?:\.0+)?")
_LEVEL_SEPARATOR = re.compile(r"/|\||>+")
_STOCK_WORDS = {
    **dict.fromkeys(("true", "yes", "y", "instock"), True),
    **dict.fromkeys(("false", "no", "n", "outofstock"), False),
}
# C0, DEL and C1 without those that are white space, which may separate words. Lone surrogates stand for bytes that are
# not text: nothing downstream could write them as UTF-8.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
_NO_GROUP = frozenset({"0", "0.0", "-", "none", "null", "nan", "n/a"})
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


def is_blank(value: object) -> bool:
    """Whether a cell is blank: missing, null, or only white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def shown(value: object) -> str:
    """A value for a message: quoted, control characters escaped, cut to 80 characters."""
    # Cut before quoting: a cell may have a million characters.
    text = repr(value[: _MAX_SHOWN_CHARACTERS + 1] if isinstance(value, str) else value)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[: _MAX_SHOWN_CHARACTERS - 3]}..."


def has_control(text: str) -> bool:
    """Whether a text holds control characters other than white space, or half of a surrogate pair."""
    return _CONTROL.search(text) is not None


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
    # An id is written into lists and logs, one a line: here white space that is a control character is refused too.
    is_plain = text.isascii() and text.isprintable()
    if not is_plain and any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise CellError("ID_INVALID", f"id {shown(text)}; permitted: text without control characters")
    return text


def parse_title(value: object) -> str:
    """Read a title; runs of white space become one space, a blank cell becomes "".

    Raises:
        CellError: TITLE_INVALID where it is not a text or number, or holds control characters.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise CellError("TITLE_INVALID", f"title {shown(value)}; permitted: a text")
    text = str(value)
    if has_control(text):
        raise CellError("TITLE_INVALID", f"title {shown(text)}; permitted: text without control characters")
    return " ".join(text.split())


def parse_description(value: object) -> str:
    """Read a description: as `parse_title`, but for markup and control characters, which count as white space.

    What is beyond `MAX_DESCRIPTION` characters is cut off.

    Raises:
        CellError: DESCRIPTION_INVALID where it is not a text or number.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise CellError("DESCRIPTION_INVALID", f"description {shown(value)}; permitted: a text")
    # A "<" of plain text is no markup; only what looks like a tag is taken out.
    text = unescape(_TAG.sub(" ", str(value)))
    return " ".join(_CONTROL.sub(" ", text).split())[:MAX_DESCRIPTION]


def parse_category(value: object) -> str | None:
    """Read a category path and bring it to levels separated by "/".

    Permitted: "a/b", "a > b" (also ">>"), "a|b", or a list of levels. White space around levels is removed, separators
    at either end too.

    Raises:
        CellError: CATEGORY_INVALID for an empty level, a "/" within a listed level, control characters, not text.
    """
    if is_blank(value) or value in ([], ()):
        return None
    if isinstance(value, str):
        levels = _LEVEL_SEPARATOR.split(value.strip().strip("/|>"))
    elif isinstance(value, list | tuple) and all(isinstance(level, str) for level in value):
        levels = list(value)
    else:
        raise CellError("CATEGORY_INVALID", f"category {shown(value)}; permitted: a path such as 'a/b', or its levels")
    levels = [" ".join(level.split()) for level in levels]
    if not all(levels):
        raise CellError("CATEGORY_INVALID", f"category {shown(value)} has an empty level; permitted: none")
    if any("/" in level for level in levels):
        raise CellError(
            "CATEGORY_INVALID", f"category {shown(value)}; permitted: levels without '/', which separates them"
        )
    path = "/".join(levels)
    if has_control(path):
        raise CellError("CATEGORY_INVALID", f"category {shown(value)}; permitted: text without control characters")
    return path


def parse_stock(value: object) -> bool | None:
    """Read whether a product is in stock: yes/no, y/n, true/false, in stock/out of stock in any case, or a quantity.

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
        f"in_stock {shown(value)}; permitted: true, false, yes, no, y, n, in stock, out of stock, or a quantity of 0 "
        "or more",
    )


def parse_split(value: object) -> Split | None:
    """Read which split of a benchmark a row belongs to; blank: none.

    Raises:
        CellError: SPLIT_INVALID.
    """
    if is_blank(value):
        return None
    split = _SPLITS.get(value.strip().lower()) if isinstance(value, str) else None
    if split is None:
        raise CellError("SPLIT_INVALID", f"split {shown(value)}; permitted: {', '.join(_SPLITS)}, or blank")
    return split


def parse_variant_group(value: object) -> str | None:
    """Read what a product has in common with its variants: a text or a whole number.

    Blank cells, 0, false and words such as "none" and "n/a" stand for no group: else all products that have none
    would be variants of each other.

    Raises:
        CellError: VARIANT_GROUP_INVALID.
    """
    if is_blank(value) or value is False or str(value).strip().lower() in _NO_GROUP:
        return None
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_EXACT_INTEGER
    if isinstance(value, bool) or not (is_whole or isinstance(value, str | int)):
        raise CellError("VARIANT_GROUP_INVALID", f"variant_group {shown(value)}; permitted: a text or a whole number")
    text = str(int(value) if isinstance(value, float) else value).strip()
    if has_control(text):
        raise CellError(
            "VARIANT_GROUP_INVALID", f"variant_group {shown(value)}; permitted: text without control characters"
        )
    return text


def kind_of(text: str) -> AttributeKind:
    """What a text looks like; "007", "1e5", "inf" and numbers of more than 15 digits are texts."""
    if text.lower() in ("true", "false"):
        return AttributeKind.BOOL
    if _PLAIN_NUMBER.fullmatch(text) and sum(map(str.isdigit, text)) <= _MAX_EXACT_DIGITS:
        return AttributeKind.NUMBER
    return AttributeKind.TEXT


@lru_cache(maxsize=4096)
def check_attribute_name(name: str) -> None:
    """Check that an attribute's name is not blank and holds no control characters.

    Raises:
        CellError: ATTRIBUTE_INVALID.
    """
    if not name.strip():
        raise CellError("ATTRIBUTE_INVALID", "an attribute has no name; permitted: one value for each name")
    if has_control(name):
        raise CellError("ATTRIBUTE_INVALID", f"an attribute is called {shown(name)}; permitted: no control characters")


def parse_attribute(value: object, name: str, kind: AttributeKind = AttributeKind.TEXT) -> AttributeValue | None:
    """Read an attribute; None where it is blank.

    Args:
        value: of any type.
        name: for messages.
        kind: what a text is converted to, where it fits; texts that do not fit stay texts.

    Raises:
        CellError: ATTRIBUTE_INVALID for an object, a list of anything but texts, a number that is not finite, a whole
            number beyond 2**53 either way (it would come out changed), or control characters.
    """
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if _CONTROL.search(text):
            raise _control_in(name, value)
        return text if kind is AttributeKind.TEXT else _typed(text, kind)
    if value is None:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= _MAX_EXACT_INTEGER:
        return float(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
        if any(map(has_control, value)):
            raise _control_in(name, value)
        return _words(value)
    raise CellError(
        "ATTRIBUTE_INVALID",
        f"attribute {shown(name)} is {shown(value)}; permitted: a text, true, false, a finite number (beyond 2**53 as "
        "a text), or a list of texts",
    )


def _typed(text: str, kind: AttributeKind) -> AttributeValue:
    if kind is AttributeKind.TEXT or kind_of(text) is not kind:
        return text
    return float(text) if kind is AttributeKind.NUMBER else text.lower() == "true"


def _control_in(name: str, value: object) -> CellError:
    return CellError(
        "ATTRIBUTE_INVALID", f"attribute {shown(name)} is {shown(value)}; permitted: text without control characters"
    )


def _words(value: Sequence[str]) -> tuple[str, ...] | None:
    return tuple(word.strip() for word in value if word.strip()) or None
