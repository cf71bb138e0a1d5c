"""What can be filtered on: the fields every product has, and the attributes of one catalog."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from indexer.filters.errors import UnknownField

ATTRIBUTES = "attributes"
MAX_LISTED_NAMES = 20

# Only the head of a name is compared with the known ones: difflib's time grows with the square of the length.
_COMPARED_CHARACTERS = 64
# Qdrant's JSON path quotes a key with " and knows no escape: it refuses a key with " or \. NUL and lone surrogates
# cannot stand in a filter or in a protobuf string.
_UNREACHABLE = re.compile(r'["\\\x00\ud800-\udfff]')
_PLAIN_NAME = re.compile(r"(?!-)[\w-]+")
_KEYWORDS = frozenset({"AND", "OR", "NOT"})


class FieldType(Enum):
    """Which values and comparators a field takes."""

    KEYWORD = "keyword"
    """Exact strings: `=`, `!=`, `:`."""
    NUMBER = "number"
    """Finite 64-bit floats: `=`, `!=`, `:`, `<`, `<=`, `>`, `>=`."""
    BOOL = "bool"
    """`true` and `false`: `=`, `!=`, `:`, or the field's name alone."""
    CATEGORY = "category"
    """A path such as `shoes/boots`: `=`, `!=` for just this one, `:` for this one and all below it."""


BUILT_IN_FIELDS: Mapping[str, FieldType] = {
    "id": FieldType.KEYWORD,
    "title": FieldType.KEYWORD,
    "category": FieldType.CATEGORY,
    "price": FieldType.NUMBER,
    "in_stock": FieldType.BOOL,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field, found in the schema.

    Attributes:
        name: plain name, without `attributes.` and without quotes.
        type: its type.
        is_attribute: True for an attribute of the catalog, False for a built-in field.
    """

    name: str
    type: FieldType
    is_attribute: bool

    def __post_init__(self) -> None:
        """Check that a built-in field is one.

        Raises:
            ValueError: for a built-in field of unknown name or other type, or an attribute of type CATEGORY.
        """
        if self.is_attribute and self.type is FieldType.CATEGORY:
            raise ValueError(f"attribute {self.name!r} is of type CATEGORY; permitted: KEYWORD, NUMBER, BOOL")
        if not self.is_attribute and BUILT_IN_FIELDS.get(self.name) is not self.type:
            raise ValueError(f"no built-in field {self.name!r} of type {self.type.name}: {dict(BUILT_IN_FIELDS)}")

    @property
    def path(self) -> str:
        """How the field is written in a filter: `color`, `attributes.price`, `"sleeve length"`."""
        plain = _PLAIN_NAME.fullmatch(self.name) is not None and self.name not in _KEYWORDS
        written = self.name if plain else f'"{self.name}"'
        return f"{ATTRIBUTES}.{written}" if self.is_attribute and self.name in BUILT_IN_FIELDS else written


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields of one catalog: the built-in ones and its attributes.

    Attributes:
        attributes: plain attribute name to type; any type but CATEGORY, which only the built-in `category` has.
            Copied. A name that is empty or holds a double quote, a backslash, NUL or a lone surrogate may stand
            here, but no filter reaches it.
    """

    attributes: Mapping[str, FieldType]

    def __post_init__(self) -> None:
        """Copy the mapping and check the types.

        Raises:
            ValueError: for an attribute of type CATEGORY.
        """
        object.__setattr__(self, "attributes", dict(self.attributes))
        for name, field_type in self.attributes.items():
            Field(name, field_type, is_attribute=True)

    def __hash__(self) -> int:
        return hash(frozenset(self.attributes.items()))

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Schema:
        """Inverse of `to_dict`, for instance for a manifest.

        Args:
            data: `{"attributes": {"color": "keyword", ...}}`; other keys are refused.

        Raises:
            ValueError: for another layout or an unknown type.
        """
        attributes = data.get("attributes")
        if set(data) != {"attributes"} or not isinstance(attributes, Mapping):
            raise ValueError(f'schema has the keys {sorted(data)}; permitted: {{"attributes": {{NAME: TYPE}}}}')
        return cls({str(name): FieldType(value) for name, value in attributes.items()})

    def to_dict(self) -> dict[str, dict[str, str]]:
        """The schema as JSON-able data; the built-in fields are not part of it."""
        return {"attributes": {name: field_type.value for name, field_type in self.attributes.items()}}

    def fields(self) -> list[Field]:
        """All fields that a filter can reach: the built-in ones first, then the attributes in their order."""
        built_in = [Field(name, field_type, is_attribute=False) for name, field_type in BUILT_IN_FIELDS.items()]
        attributes = [
            Field(name, field_type, is_attribute=True)
            for name, field_type in self.attributes.items()
            if _is_reachable(name)
        ]
        return built_in + attributes

    def resolve(self, path: str | Sequence[str], *, position: int = 0) -> Field:
        """Find the field that a path means.

        Args:
            path: as written (`color`, `attributes.color`, `"sleeve length"`), or its segments without quotes
                (`("attributes", "sleeve length")`), where no character has a meaning of its own. A single name is a
                built-in field before it is an attribute; after `attributes.` it is always an attribute. Further
                dots belong to the attribute's name.
            position: where the path begins in the filter text, for the error.

        Raises:
            UnknownField: if there is no such field, with the nearest name and the known ones.
        """
        segments = _segments(path) if isinstance(path, str) else tuple(path)
        field = self.find(segments)
        if field is None:
            in_attributes = len(segments) > 1 and segments[0] == ATTRIBUTES
            raise UnknownField(self._unknown(".".join(segments[1:] if in_attributes else segments)), position)
        return field

    def find(self, segments: Sequence[str]) -> Field | None:
        """Find the field that the segments of a path mean, as `resolve` does, or None if there is none."""
        if len(segments) == 1 and segments[0] in BUILT_IN_FIELDS:
            return Field(segments[0], BUILT_IN_FIELDS[segments[0]], is_attribute=False)
        in_attributes = len(segments) > 1 and segments[0] == ATTRIBUTES
        name = ".".join(segments[1:] if in_attributes else segments)
        field_type = self.attributes.get(name)
        return Field(name, field_type, is_attribute=True) if field_type is not None and _is_reachable(name) else None

    def nearest(self, name: str) -> str | None:
        """The known path most like a name (letter case aside), or None if none is like it."""
        known = {field.name.casefold()[:_COMPARED_CHARACTERS]: field.path for field in reversed(self.fields())}
        found = difflib.get_close_matches(name.casefold()[:_COMPARED_CHARACTERS], known, n=1)
        return known[found[0]] if found else None

    def _unknown(self, name: str) -> str:
        paths = [field.path for field in self.fields()]
        listed = ", ".join(paths[:MAX_LISTED_NAMES])
        if len(paths) > MAX_LISTED_NAMES:
            listed += f" and {len(paths) - MAX_LISTED_NAMES} more"
        nearest = self.nearest(name)
        advice = f"did you mean {nearest}? " if nearest else ""
        return f"no field {_shortened(name)}; {advice}Known: {listed}"


def _segments(path: str) -> tuple[str, ...]:
    head, dot, rest = path.partition(".")
    if head == ATTRIBUTES and dot:
        return (head, _without_quotes(rest))
    return (_without_quotes(path),)


def _without_quotes(name: str) -> str:
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name


def _is_reachable(name: str) -> bool:
    return name != "" and _UNREACHABLE.search(name) is None


def _shortened(name: str) -> str:
    return repr(name if len(name) <= _COMPARED_CHARACTERS else name[: _COMPARED_CHARACTERS - 1] + "…")
