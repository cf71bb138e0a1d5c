"""A change to one product, as it is asked for and as it is written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import AttributeValue, Product, ProductPicture
from embedder.inputs.picture import PictureBytes
from indexer.errors import RequestIdReused

PICTURE_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class ChangedProduct:
    """A product as it is to be, with what a model made of it.

    Attributes:
        product: its record; each picture's source is its bytes (`PictureBytes`), empty where only its vector is known.
        vectors: of its pictures, float32 (n, dim), unit length.
        fingerprint: of the model that made them.
        content: what its pictures are known by (see `indexer.stores.points.CONTENT_KEY`).
        title: its title's embedding, float32 (title dim,), unit length; None where it was not made.
    """

    product: Product
    vectors: npt.NDArray[np.float32]
    fingerprint: str
    content: str
    title: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.product.pictures):
            raise ValueError(
                f"vectors of shape {self.vectors.shape} for {len(self.product.pictures)} pictures; permitted: one each"
            )

    def pictures(self) -> dict[bytes, bytes]:
        """The bytes of those pictures whose bytes are known, by their digest."""
        sources = [item.source for item in self.product.pictures]
        return {
            picture_digest(source.data): source.data
            for source in sources
            if isinstance(source, PictureBytes) and source.data
        }

    def facts(self) -> str:
        """All but vectors and pictures' bytes, as JSON."""
        product = self.product
        pictures = [
            [item.name, picture_digest(item.source.data).hex()]
            if isinstance(item.source, PictureBytes) and item.source.data
            else [item.name, ""]
            for item in product.pictures
        ]
        facts = {
            "title": product.title,
            "description": product.description,
            "category": product.category,
            "price": product.price,
            "in_stock": product.in_stock,
            "attributes": dict(product.attributes),
            "pictures": pictures,
            "fingerprint": self.fingerprint,
            "content": self.content,
        }
        return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def read(
        cls, product_id: str, facts: str, vectors: bytes, title: bytes | None, pictures: Mapping[str, bytes]
    ) -> ChangedProduct:
        """Inverse of `facts`.

        Args:
            product_id: the product's.
            facts: what that gave.
            vectors: float32 values.
            title: likewise; None where there is none.
            pictures: bytes by hexadecimal digest.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        data: dict[str, Any] = json.loads(facts)
        named = [
            ProductPicture(PictureBytes(pictures[digest] if digest else b""), name)
            for name, digest in data.pop("pictures")
        ]
        fingerprint, content = data.pop("fingerprint"), data.pop("content")
        attributes: dict[str, AttributeValue] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.pop("attributes").items()
        }
        product = Product(id=product_id, pictures=tuple(named), attributes=attributes, **data)
        rows = np.frombuffer(vectors, dtype=np.float32).reshape(len(named), -1)
        return cls(
            product, rows, fingerprint, content, None if title is None else np.frombuffer(title, dtype=np.float32)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What is asked for.

    Attributes:
        product_id: of the product.
        request_id: the caller's name for the request that it is part of; not empty.
        place: in that request, from 0.
        asked: digest of what was asked there: the same request must ask the same.
        becomes: the product as it is to be; None: it is to be taken away.
    """

    product_id: str
    request_id: str
    place: int
    asked: bytes
    becomes: ChangedProduct | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A change that is written down.

    Attributes:
        sequence: its number in the journal; each new record has the next higher one.
        time: when it was written down, UTC.
        change: what was asked for.
    """

    sequence: int
    time: datetime
    change: Change


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of a change.

    Attributes:
        sequence, time: of its record.
        is_new: False where an earlier attempt of the same request had written it down already.
        was_there: whether the index held the product before; None where that is not known any more.
    """

    sequence: int
    time: datetime
    is_new: bool
    was_there: bool | None = None


Outcome = Noted | RequestIdReused
"""What becomes of a change: it is written down, or its request's id is another request's."""

Reembed = Callable[[ChangedProduct], ChangedProduct | None]
"""Gives a product the vectors of the model at hand; None where its pictures' bytes are not known."""


def cannot_embed(product: ChangedProduct) -> None:
    """A `Reembed` where no model is at hand."""


def picture_digest(data: bytes) -> bytes:
    """What a picture's bytes are kept by."""
    return blake2b(data, digest_size=PICTURE_DIGEST_BYTES).digest()
