"""A product that is to be written, held against what catalogs may hold, the index's schema and the limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from embedder.catalogs.product import MAX_PICTURES, Product, Rejection, kind_of_value
from embedder.catalogs.rows.cell import MAX_DESCRIPTION, MAX_ID_CHARACTERS, has_control, shown
from embedder.catalogs.rows.row import RowReader
from indexer.building.payload import FIELD_TYPES, to_payload
from indexer.filters.schema import FieldType
from indexer.versions.manifest import Manifest
from server.errors import InvalidRequest
from server.search.indexed_product import check_product_id
from server.search.query import ServerWarning
from server.settings import ServerSettings
from server.writes.asked import AskedPicture, AskedProduct

FIELD = "product"
"""Path of a product in its message."""

_COLUMNS = ("id", "title", "description", "category", "price", "in_stock")
_FIELDS = {"ID": "product_id", "STOCK": "in_stock", "ATTRIBUTE": "attributes"}
_MOST_NAME = 512
_MOST_PAYLOAD_BYTES = 64 * 1024
_MOST_LISTED = 5


@dataclass(frozen=True, slots=True, eq=False)
class CheckedProduct:
    """A product that may be written, as far as its pictures can be used.

    Attributes:
        asked: what was asked.
        record: its fields as a catalog's row gives them; its pictures mean nothing.
        pictures: those that are kept, with their paths in the message; () where the index's stay.
        warnings: what is done differently from what was asked.
    """

    asked: AskedProduct
    record: Product
    pictures: tuple[tuple[AskedPicture, str], ...]
    warnings: tuple[ServerWarning, ...]


class ProductChecks:
    """One index version's way of looking at products. Calls from several threads are allowed."""

    def __init__(self, manifest: Manifest, settings: ServerSettings) -> None:
        self._schema = manifest.schema
        self._most_pictures = MAX_PICTURES if manifest.layout.multivector else 1
        self._max_text_chars = settings.max_text_chars

    def check(self, asked: AskedProduct) -> CheckedProduct:
        """Check all but what the pictures show.

        Raises:
            InvalidRequest: a field outside its range; paths begin with `FIELD`.
        """
        check_product_id(asked.product_id, f"{FIELD}.product_id")
        if len(asked.title) > self._max_text_chars:
            raise InvalidRequest(
                "TEXT_TOO_LONG",
                f"{FIELD}.title",
                f"title of {len(asked.title):,} characters; permitted: up to {self._max_text_chars:,}",
            )
        record = self._record(asked)
        warnings = self._check_attributes(record)
        self._check_size(record)
        if len(record.description) == MAX_DESCRIPTION < len(asked.description):
            said = f"only the first {MAX_DESCRIPTION:,} characters are kept"
            warnings.append(ServerWarning("DESCRIPTION_CUT", f"{FIELD}.description", said))
        pictures = [(picture, f"{FIELD}.pictures[{place}]") for place, picture in enumerate(asked.pictures)]
        for picture, field in pictures:
            _check_name(picture, field)
        if len(pictures) > self._most_pictures:
            said = f"{len(pictures) - self._most_pictures} pictures are left out; this index holds up to "
            said += f"{self._most_pictures} a product"
            warnings.append(ServerWarning("PICTURES_LEFT_OUT", f"{FIELD}.pictures", said))
        return CheckedProduct(asked, record, tuple(pictures[: self._most_pictures]), tuple(warnings))

    def _record(self, asked: AskedProduct) -> Product:
        """The product's fields, read as a catalog's row is."""
        values = (asked.product_id, asked.title, asked.description, asked.category, asked.price, asked.in_stock)
        row = {**dict(zip(_COLUMNS, values, strict=True)), "attributes": dict(asked.attributes)}
        reader = RowReader(row, dict(zip(_COLUMNS, _COLUMNS, strict=True)), folder=Path(), needs_pictures=False)
        (found,) = reader.read([(1, row)])
        if isinstance(found, Rejection):
            kind = found.reason.split("_")[0]
            raise InvalidRequest(found.reason, f"{FIELD}.{_FIELDS.get(kind, kind.lower())}", found.detail)
        if found.id != asked.product_id:
            raise InvalidRequest(
                "ID_INVALID",
                f"{FIELD}.product_id",
                f"id {shown(asked.product_id)}; permitted: 1 to {MAX_ID_CHARACTERS} characters without white space at "
                "the ends",
            )
        return found

    def _check_attributes(self, record: Product) -> list[ServerWarning]:
        unknown = []
        for name, value in record.attributes.items():
            held = self._schema.attributes.get(name)
            if held is None:
                unknown.append(name)
            # Anything can become a word.
            elif held not in (FieldType.KEYWORD, FIELD_TYPES[kind_of_value(value)]):
                raise InvalidRequest(
                    "ATTRIBUTE_INVALID",
                    f"{FIELD}.attributes",
                    f"attribute {shown(name)} is {shown(value)}; permitted: a {held.value}, as in the index; next "
                    "step: send it so, or build the index again with the whole catalog",
                )
        if not unknown:
            return []
        named = ", ".join(shown(name) for name in unknown[:_MOST_LISTED]) + (", …" if unknown[_MOST_LISTED:] else "")
        said = f"the index has no attribute {named}: stored, and to be filtered by from the next build on that has it"
        return [ServerWarning("ATTRIBUTE_NOT_FILTERABLE", f"{FIELD}.attributes", said)]

    def _check_size(self, record: Product) -> None:
        """What a product says is part of each hit: one must not make replies too large."""
        size = len(json.dumps(to_payload(record, self._schema), ensure_ascii=False).encode())
        if size > _MOST_PAYLOAD_BYTES:
            raise InvalidRequest(
                "PRODUCT_TOO_LARGE",
                FIELD,
                f"title, description and attributes of {size:,} bytes; permitted: up to {_MOST_PAYLOAD_BYTES:,}",
            )


def _check_name(picture: AskedPicture, field: str) -> None:
    if len(picture.name) > _MOST_NAME or has_control(picture.name):
        raise InvalidRequest(
            "PICTURE_NAME",
            f"{field}.name",
            f"name {shown(picture.name)}; permitted: up to {_MOST_NAME} characters, without control characters",
        )
    if picture.data is None and picture.vector is None:
        raise InvalidRequest(
            "IMAGE_EMPTY", field, "a picture without a source; permitted: one of image (with data), vector"
        )
