"""The rows of a catalog, whatever file they are in, to products or the reasons why they are rejected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from embedder.catalogs.product import AttributeKind, AttributeValue, Product, ProductPicture, Rejection, Split
from embedder.catalogs.rows.cell import (
    CellError,
    check_attribute_name,
    is_blank,
    parse_attribute,
    parse_category,
    parse_description,
    parse_id,
    parse_split,
    parse_stock,
    parse_title,
    parse_variant_group,
    shown,
)
from embedder.catalogs.rows.columns import attribute_columns, choose_columns, is_about_a_picture, picture_columns
from embedder.catalogs.rows.pictures import NamedPictures
from embedder.catalogs.rows.places import PicturePlaces
from embedder.catalogs.rows.price import parse_price
from embedder.inputs.picture import PictureBytes, PictureFetcher
from embedder.inputs.remote.object_store import RemoteFolder

ATTRIBUTES = "attributes"
"""A column of this name that holds an object is taken apart into attributes."""

NO_PICTURE = ProductPicture(PictureBytes(b""))
"""Of a product that needs none and has none."""

Row = Mapping[str, object]
"""Column name to value: texts, what JSON knows, or pictures themselves (`EmbeddedPicture`)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """The rows of one product: its first, and the pictures that all of them name."""

    id: str
    line: int
    row: Row
    pictures: NamedPictures


class RowReader:
    """Reads the rows of one pass over a catalog; holds the ids seen and one product, and nothing else that grows.

    Columns that hold none of our fields become attributes; blank cells are left out. A relative picture path is
    relative to the catalog's folder.

    A product may have several rows: those directly below its first that have its id, name a further picture, and
    leave every other cell blank or as it is in the first row (columns called "image position" and "image alt text"
    do not matter). Any other row of an id that was seen before is ID_DUPLICATE.
    """

    def __init__(
        self,
        names: Iterable[str],
        named: Mapping[str, str],
        *,
        folder: Path | RemoteFolder,
        split: Split | None = None,
        kinds: Mapping[str, AttributeKind] | None = None,
        allow_outside_pictures: bool = False,
        pictures_separated: bool = False,
        web: PictureFetcher | None = None,
        needs_pictures: bool = True,
    ) -> None:
        """Prepare one pass.

        Args:
            names: the column names known so far; rows may bring further ones.
            named: as in `choose_columns`.
            folder: the catalog's.
            split: skip the rows of other splits and of none; None: read all.
            kinds: how columns of texts are read as attributes; columns not named here stay texts.
            allow_outside_pictures: pictures may lie outside the catalog's folder.
            pictures_separated: a cell may name several pictures, as `split_names` reads them.
            web: fetches pictures from web servers; None: that was not permitted.
            needs_pictures: whether a product without any is rejected; else it has an empty one without a name.
        """
        self._names = dict.fromkeys(names)
        self._named = named
        self._split = split
        self._kinds = kinds or {}
        self._places = PicturePlaces(folder, allow_outside=allow_outside_pictures, web=web)
        self._separated = pictures_separated
        self._needs_pictures = needs_pictures
        self._first_lines: dict[str, int] = {}
        self._choose(choose_columns(self._names, named))

    def read(self, rows: Iterable[tuple[int, Row | str]]) -> Iterator[Product | Rejection]:
        """Read rows, in the catalog's order.

        Args:
            rows: where each row begins, from 1, and the row, or what makes it unreadable.

        Yields:
            Products, and rejections with the first thing found wrong; nothing for a row of a split that was not asked
            for. An id counts as taken by the first row that has it, even if that row was rejected.
        """
        group: _Group | None = None
        for line, row in rows:
            if not isinstance(row, str):
                self._meet_columns(row)
                if group is not None and self._extends(group, row):
                    continue
            if group is not None:
                yield from self._finish(group)
                group = None
            if isinstance(row, str):
                yield Rejection(line, "", "ROW_UNREADABLE", row)
                continue
            try:
                group = self._begin(row, line)
            except CellError as invalid:
                yield from self._reject(row, line, invalid)
        if group is not None:
            yield from self._finish(group)

    def _meet_columns(self, row: Row) -> None:
        new = [name for name in row if name not in self._names]
        if new:
            self._names.update(dict.fromkeys(new))
            # What was chosen stays: a field must not change its column in the middle of a catalog.
            self._choose({**choose_columns(self._names, self._named), **self._columns})

    def _choose(self, columns: dict[str, str]) -> None:
        self._columns = columns
        self._pictures = picture_columns(self._names, columns)
        self._attribute_columns = frozenset(attribute_columns(self._names, columns))

    def _begin(self, row: Row, line: int) -> _Group:
        product_id = parse_id(self._cell(row, "id"))
        first_line = self._first_lines.setdefault(product_id, line)
        if first_line != line:
            raise CellError(
                "ID_DUPLICATE",
                f"id {shown(product_id)} is already on line {first_line}; permitted: once, or directly below with "
                "a further picture and no other value",
            )
        pictures = NamedPictures(self._places, separated=self._separated)
        pictures.add(row.get(column) for column in self._pictures)
        return _Group(product_id, line, row, pictures)

    def _extends(self, group: _Group, row: Row) -> bool:
        """Add a row's pictures to the product before it, where it belongs to it."""
        named = self._cell(row, "id")
        if isinstance(named, bool) or not isinstance(named, str | int) or str(named).strip() != group.id:
            return False
        for column, value in row.items():
            if column == self._columns.get("id") or column in self._pictures or is_about_a_picture(column):
                continue
            if not (is_blank(value) or value in ([], {}) or _same(value, group.row.get(column))):
                return False
        return group.pictures.add(row.get(column) for column in self._pictures)

    def _finish(self, group: _Group) -> Iterator[Product | Rejection]:
        try:
            product = self._to_product(group)
        except CellError as invalid:
            yield from self._reject(group.row, group.line, invalid)
            return
        if self._split in (None, product.split):
            yield product
            for name, problem in group.pictures.refused.items():
                yield Rejection(group.line, product.id, problem.reason, problem.detail, picture=name)

    def _reject(self, row: Row, line: int, invalid: CellError) -> Iterator[Rejection]:
        if not self._is_of_other_split(row):
            yield Rejection(line, self._known_id(row), invalid.reason, invalid.detail)

    def _to_product(self, group: _Group) -> Product:
        row, pictures = group.row, group.pictures
        found = pictures.found
        if not found and not self._needs_pictures:
            found = (NO_PICTURE,)
        if not found:
            problem = next(iter(pictures.refused.values()), None)
            raise problem or CellError(
                "PICTURE_COLUMN_EMPTY", "no picture is named; permitted: the path of a picture file"
            )
        return Product(
            id=group.id,
            title=parse_title(self._cell(row, "title")),
            description=parse_description(self._cell(row, "description")),
            pictures=found,
            category=parse_category(self._cell(row, "category")),
            price=parse_price(self._cell(row, "price")),
            in_stock=parse_stock(self._cell(row, "in_stock")),
            variant_group=parse_variant_group(self._cell(row, "variant_group")),
            attributes=self._attributes(row),
            split=parse_split(self._cell(row, "split")),
            line=group.line,
            pictures_left_out=pictures.left_out,
        )

    def _attributes(self, row: Row) -> dict[str, AttributeValue]:
        pairs: list[tuple[str, object]] = []
        for column, value in row.items():
            if column == ATTRIBUTES and isinstance(value, Mapping):
                pairs.extend(value.items())
            elif column in self._attribute_columns:
                pairs.append((column, value))
        attributes: dict[str, AttributeValue] = {}
        for name, value in pairs:
            parsed = parse_attribute(value, name, self._kinds.get(name, AttributeKind.TEXT))
            if parsed is None:
                continue
            check_attribute_name(name)
            if name in attributes:
                raise CellError(
                    "ATTRIBUTE_INVALID",
                    f"an attribute {shown(name)} is given twice; permitted: one value for each name",
                )
            attributes[name] = parsed
        return attributes

    def _cell(self, row: Row, field: str) -> object:
        column = self._columns.get(field)
        return None if column is None else row.get(column)

    def _known_id(self, row: Row) -> str:
        try:
            return parse_id(self._cell(row, "id"))
        except CellError:
            return ""

    def _is_of_other_split(self, row: Row) -> bool:
        if self._split is None:
            return False
        try:
            return parse_split(self._cell(row, "split")) != self._split
        except CellError:
            return False


def _same(one: object, other: object) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.strip() == other.strip()
    return type(one) is type(other) and one == other
