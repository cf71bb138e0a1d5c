"""What can be written, and what became of it, as plain Python types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from merchlens.errors import MerchlensError, from_status
from merchlens.payload import AttributeValue
from merchlens.queries import ImageSource
from merchlens.results import ReplyMeta, ServerWarning
from merchlens.v1 import catalog_service_pb2, meta_pb2

__all__ = ["ProductInput", "ProductPicture", "WriteResult", "WriteResults"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPicture:
    """One of a product's pictures.

    Attributes:
        image: the picture's path, or its bytes, at most 10 MiB.
        vector: its embedding by the served model, instead; it is lost where the model changes.
        name: what it is called in the payload's "pictures".
    """

    image: ImageSource | None = None
    vector: Sequence[float] | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductInput:
    """A product as it is to be; what is not given is not there any more, but for its pictures.

    Attributes:
        product_id: its id in the catalog.
        title, description: texts; may be empty.
        category: a path such as "shoes/boots"; "" for none.
        price: 0 or more; None for none.
        in_stock: None where that is not known.
        attributes: further fields by name.
        pictures: the main one first, up to 16: each a `ProductPicture`, a path or bytes. Empty: those that the index
            holds.
    """

    product_id: str
    title: str = ""
    description: str = ""
    category: str = ""
    price: float | None = None
    in_stock: bool | None = None
    attributes: Mapping[str, AttributeValue | Sequence[str]] = field(default_factory=dict)
    pictures: Sequence[ProductPicture | ImageSource] = ()


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one product.

    Attributes:
        product_id: as it was sent.
        error: why nothing was done; None where it was.
        index_time: when it was done, UTC; None where it was not.
        already_applied: whether an earlier call of the same `request_id` had done it.
        was_there: whether the index held the product before; None where nothing was done now.
        warnings: what was done differently from what was asked.
    """

    product_id: str
    error: MerchlensError | None
    index_time: datetime | None
    already_applied: bool
    was_there: bool | None
    warnings: tuple[ServerWarning, ...]

    @classmethod
    def from_message(cls, message: catalog_service_pb2.WriteResult, request_id: str) -> WriteResult:
        """Read a result; `request_id`: of the call."""
        error = None
        # To mypy, the stub's own `Warning` is the built-in one.
        warnings = cast(Iterable[meta_pb2.Warning], message.warnings)
        if message.HasField("error"):
            error = from_status(message.error.SerializeToString(), request_id=request_id)
        return cls(
            product_id=message.product_id,
            error=error,
            index_time=message.index_time.ToDatetime(tzinfo=UTC) if message.HasField("index_time") else None,
            already_applied=message.already_applied,
            was_there=message.was_there if message.HasField("was_there") else None,
            warnings=tuple(ServerWarning.from_message(item) for item in warnings),
        )


@dataclass(frozen=True, slots=True)
class WriteResults:
    """What became of several products, in order; iterating goes over them, `len()` counts them.

    Attributes:
        results: one for each product.
        meta: of the reply.
    """

    results: tuple[WriteResult, ...]
    meta: ReplyMeta

    def __iter__(self) -> Iterator[WriteResult]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def raise_for_errors(self) -> None:
        """Raise the first error, if any product has one."""
        for result in self.results:
            if result.error is not None:
                raise result.error

    @classmethod
    def from_message(
        cls, message: catalog_service_pb2.UpsertProductsResponse | catalog_service_pb2.DeleteProductsResponse
    ) -> WriteResults:
        """Read an answer."""
        meta = ReplyMeta.from_message(message.meta)
        return cls(tuple(WriteResult.from_message(item, meta.request_id) for item in message.results), meta)
