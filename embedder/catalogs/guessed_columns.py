"""What a catalog's columns were taken for, as people are told before the work starts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from embedder.catalogs.product import AttributeKind
from embedder.catalogs.rows.cell import shown
from embedder.catalogs.rows.columns import GUESSES, picture_columns

SAMPLED_ROWS = 1000
"""From how many rows at least a reader guesses where its format does not say what columns hold."""

_SHOWN = ("id", "title", "description", "category", "price", "in_stock", "split", "variant_group")
_MAX_LISTED = 40
_WIDTH = max(map(len, (*_SHOWN, "attributes")))


@dataclass(frozen=True, slots=True)
class GuessedColumns:
    """Which column is taken for what.

    Attributes:
        catalog: its name.
        fields: our field to the catalog's column, without pictures.
        pictures: the columns that hold pictures, the main one's first.
        attributes: name to the kinds of its values, as far as they are known.
        left_out: columns that are not read, with why.
        sampled: the kinds are those of so many first rows; 0: they are the columns' own.
        split_from: where the split comes from, if from no column.
    """

    catalog: str
    fields: Mapping[str, str]
    pictures: tuple[str, ...]
    attributes: Mapping[str, frozenset[AttributeKind]]
    left_out: Mapping[str, str]
    sampled: int = 0
    split_from: str = ""

    def __str__(self) -> str:
        """A line for each field."""
        lines = [f"columns of {self.catalog}{f' (by its first {self.sampled:,} rows)' if self.sampled else ''}:"]
        for field in _SHOWN:
            column = self.fields.get(field)
            said = shown(column) if column is not None else "none"
            if field == "split" and column is None and self.split_from:
                said = self.split_from
            lines.append(_line(field, said))
            if field == "title":
                lines.append(_line("pictures", _listed(map(shown, self.pictures))))
        kinds = (f"{shown(name)} {_kinds(found)}" for name, found in self.attributes.items())
        lines.append(_line("attributes", _listed(kinds)))
        if self.left_out:
            lines.append(_line("left out", _listed(f"{shown(name)} ({why})" for name, why in self.left_out.items())))
        lines.append("  another column for a field: --map FIELD=COLUMN")
        return "\n".join(lines)


@runtime_checkable
class ColumnsReader(Protocol):
    """A reader of a catalog that has columns."""

    def guessed_columns(self) -> GuessedColumns:
        """What they were taken for; reads the catalog's beginning at most."""


def log_columns(reader: object, logger: logging.Logger) -> None:
    """Log what a catalog's columns were taken for, a line for each field; nothing where it has none."""
    if isinstance(reader, ColumnsReader):
        for line in str(reader.guessed_columns()).splitlines():
            logger.info("%s", line)


def fields_without_pictures(chosen: Mapping[str, str]) -> dict[str, str]:
    """Of the columns chosen for our fields, those that hold no pictures, in our order."""
    return {field: chosen[field] for field in GUESSES if field in chosen and field not in ("image", "more_images")}


def guess(
    catalog: str,
    names: Iterable[str],
    chosen: Mapping[str, str],
    attributes: Mapping[str, frozenset[AttributeKind]],
    sampled: int,
) -> GuessedColumns:
    """What is guessed of a catalog that does not say what its columns hold.

    Args:
        catalog: its name.
        names: all column names.
        chosen: our field to column.
        attributes: kinds of the attributes of the first rows.
        sampled: how many rows these are.
    """
    return GuessedColumns(
        catalog, fields_without_pictures(chosen), tuple(picture_columns(names, chosen)), attributes, {}, sampled
    )


def _line(name: str, said: str) -> str:
    return f"  {name.ljust(_WIDTH)}  {said}"


def _kinds(kinds: Iterable[AttributeKind]) -> str:
    return "(" + (" or ".join(sorted(kind.value for kind in kinds)) or "empty") + ")"


def _listed(words: Iterable[str]) -> str:
    listed = list(words)
    more = f", and {len(listed) - _MAX_LISTED:,} more" if len(listed) > _MAX_LISTED else ""
    return ", ".join(listed[:_MAX_LISTED]) + more if listed else "none"
