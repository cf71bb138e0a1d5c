"""Candidates by what they have in one field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.filters.schema import Field
from server.pages.candidates import Candidate, key_of
from server.pages.field_values import words_of


@dataclass(frozen=True, slots=True)
class Group:
    """Products with one value.

    Attributes:
        value: theirs; None: a product that has none, which is a group of its own.
        members: best first.
    """

    value: str | None
    members: Sequence[Candidate]

    @property
    def key(self) -> bytes:
        """By it a walk knows what it has given; apart from the keys of products."""
        return self.members[0].key if self.value is None else key_of(f"value\x00{self.value}")


def to_groups(candidates: Sequence[Candidate], field: Field) -> list[Group]:
    """The groups, each in its best member's place; a product with several values is in several."""
    members: dict[str, list[Candidate]] = {}
    groups: list[Group] = []
    for candidate in candidates:
        values = words_of(candidate.hit.payload, field)
        if not values:
            groups.append(Group(None, [candidate]))
        for value in values:
            if value not in members:
                members[value] = []
                groups.append(Group(value, members[value]))
            members[value].append(candidate)
    return groups
