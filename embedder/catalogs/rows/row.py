"""One row of a catalog, whatever file it stands in, to a product or the reason why it is none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from embedder.catalogs.product import AttributeValue, Product, ProductPicture, Rejection, Split
from embedder.catalogs.rows.cell import (
    CellError,
    CellKind,
    is_blank,
    parse_attribute,
    parse_category,
    parse_id,
    parse_split,
    parse_stock,
    parse_text,
    shown,
)
from embedder.catalogs.rows.columns import choose_columns
from embedder.catalogs.rows.price import parse_price
from embedder.inputs.picture import PictureFile

ATTRIBUTES = "attributes"
"""A column of this name that holds an object is taken apart into attributes."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|data:", re.IGNORECASE)


class RowReader:
    """Reads the rows of one pass over a catalog; holds the ids seen, and nothing else that grows.

    Columns that hold none of our fields become attributes; blank cells are left out. A relative picture path is
    relative to the catalog's folder; where a row has several pictures, the first is the product's. Paths may be
    absolute or lead out of the folder: the catalog is the shop's own.
    """

    def __init__(
        self,
        names: Iterable[str],
        named: Mapping[str, str],
        *,
        folder: Path,
        split: Split | None = None,
        kinds: Mapping[str, CellKind] | None = None,
    ) -> None:
        """Prepare one pass.

        Args:
            names: the column names known so far; rows may bring further ones.
            named: as in `choose_columns`.
            folder: what relative picture paths are relative to.
            split: pass over the rows of other splits and of none; None: read all.
            kinds: how columns of texts are read as attributes; columns not named here stay texts.
        """
        self._names = dict.fromkeys(names)
        self._named = named
        self._columns = choose_columns(self._names, named)
        self._folder = folder
        self._split = split
        self._kinds = kinds or {}
        self._first_lines: dict[str, int] = {}

    def read(self, row: Mapping[str, object], line: int) -> Product | Rejection | None:
        """Read one row.

        Args:
            row: column name to value: texts, or what JSON knows.
            line: where the row begins, from 1.

        Returns:
            The product; a rejection with the first thing found wrong; None for a row of a split that was not asked
            for. An id counts as taken by the first row that has it, whatever became of that row.
        """
        self._meet_columns(row)
        try:
            product = self._to_product(row, line)
        except CellError as invalid:
            if self._is_of_other_split(row):
                return None
            return Rejection(line, self._known_id(row), invalid.reason, invalid.detail)
        return product if self._split in (None, product.split) else None

    def _meet_columns(self, row: Mapping[str, object]) -> None:
        new = [name for name in row if name not in self._names]
        if new:
            self._names.update(dict.fromkeys(new))
            # What was chosen stays: a field must not change its column in the middle of a catalog.
            self._columns = {**choose_columns(self._names, self._named), **self._columns}

    def _to_product(self, row: Mapping[str, object], line: int) -> Product:
        product_id = parse_id(self._cell(row, "id"))
        first_line = self._first_lines.setdefault(product_id, line)
        if first_line != line:
            raise CellError("ID_DUPLICATE", f"id {shown(product_id)} stands on line {first_line} already")
        picture_name = _parse_picture(self._cell(row, "image"))
        return Product(
            id=product_id,
            title=parse_text(self._cell(row, "title"), "title"),
            pictures=(ProductPicture(PictureFile(self._folder / picture_name), picture_name),),
            category=parse_category(self._cell(row, "category")),
            price=parse_price(self._cell(row, "price")),
            in_stock=parse_stock(self._cell(row, "in_stock")),
            attributes=self._attributes(row),
            split=parse_split(self._cell(row, "split")),
            line=line,
        )

    def _attributes(self, row: Mapping[str, object]) -> dict[str, AttributeValue]:
        taken = set(self._columns.values())
        pairs: list[tuple[str, object]] = []
        for column, value in row.items():
            if column == ATTRIBUTES and isinstance(value, Mapping):
                pairs.extend(value.items())
            elif column not in taken:
                pairs.append((column, value))
        attributes: dict[str, AttributeValue] = {}
        for name, value in pairs:
            parsed = parse_attribute(value, name, self._kinds.get(name, CellKind.TEXT))
            if parsed is None:
                continue
            if is_blank(name) or name in attributes:
                problem = "has no name" if is_blank(name) else f"{shown(name)} is given twice"
                raise CellError("ATTRIBUTE_INVALID", f"an attribute {problem}; permitted: one value for each name")
            attributes[name] = parsed
        return attributes

    def _cell(self, row: Mapping[str, object], field: str) -> object:
        column = self._columns.get(field)
        return None if column is None else row.get(column)

    def _known_id(self, row: Mapping[str, object]) -> str:
        try:
            return parse_id(self._cell(row, "id"))
        except CellError:
            return ""

    def _is_of_other_split(self, row: Mapping[str, object]) -> bool:
        if self._split is None:
            return False
        try:
            return parse_split(self._cell(row, "split")) != self._split
        except CellError:
            return False


def _parse_picture(value: object) -> str:
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    if is_blank(value):
        raise CellError("PICTURE_COLUMN_EMPTY", "no picture is named; permitted: the path of a picture file")
    if not isinstance(value, str):
        raise CellError("IMAGE_MISSING", f"picture {shown(value)}; permitted: the path of a picture file, as a text")
    if _URL.match(value.strip()):
        raise CellError(
            "IMAGE_MISSING",
            f"picture {shown(value)} is a URL; permitted: a local file; next step: download the pictures and name "
            "their paths",
        )
    return value.strip()
