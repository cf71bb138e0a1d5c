"""Values of attributes as words that can be compared, however a catalog spells them."""

from __future__ import annotations

from collections.abc import Iterator

from embedder.catalogs.product import AttributeValue

YES, NO = "yes", "no"


def words_of_value(value: AttributeValue | None) -> Iterator[str]:
    """A value as words: those of a text or several texts, yes or no; numbers and nothing have none."""
    match value:
        case bool():
            yield YES if value else NO
        case str():
            yield value
        case tuple():
            yield from value


def value_key(word: str) -> str:
    """The same for spellings that mean one value: case, spaces, hyphens and underscores make no difference."""
    return " ".join(word.casefold().replace("_", " ").replace("-", " ").split())
