"""What a server says of its index, as plain Python types; see `merchlens.results`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from google.protobuf import timestamp_pb2

from merchlens.payload import AttributeValue, read_payload, to_dict
from merchlens.results import ReplyMeta
from merchlens.v1 import catalog_service_pb2

__all__ = ["Index", "IndexField", "IndexVersion", "IndexVersions", "Product", "ProductPage", "ProductResult"]

FieldType = Literal["keyword", "number", "bool", "category", "unknown"]
"""What a field's values are; "unknown": of a newer kind."""

State = Literal["building", "ready", "unknown"]
"""How far an index version is; "unknown": in a newer state."""

_TYPES: Mapping[int, FieldType] = {
    catalog_service_pb2.IndexField.TYPE_KEYWORD: "keyword",
    catalog_service_pb2.IndexField.TYPE_NUMBER: "number",
    catalog_service_pb2.IndexField.TYPE_BOOL: "bool",
    catalog_service_pb2.IndexField.TYPE_CATEGORY: "category",
}

_STATES: Mapping[int, State] = {
    catalog_service_pb2.IndexVersion.STATE_BUILDING: "building",
    catalog_service_pb2.IndexVersion.STATE_READY: "ready",
}


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it is in the index; see `Hit` for what both have.

    Attributes:
        vectors: the embeddings of its pictures, in the order of `payload["pictures"]`; empty where they were not asked
            for.
        index_time: since when the index holds it like this, UTC; None where that is not known.
    """

    product_id: str
    title: str
    category: str | None
    price: float | None
    in_stock: bool | None
    attributes: Mapping[str, AttributeValue]
    payload: Mapping[str, object]
    vectors: tuple[tuple[float, ...], ...] = ()
    index_time: datetime | None = None

    @classmethod
    def from_message(cls, message: catalog_service_pb2.Product) -> Product:
        """Read a product."""
        vectors = tuple(tuple(vector.values) for vector in message.vectors)
        index_time = _time(message.index_time) if message.HasField("index_time") else None
        return cls(message.product_id, **read_payload(message.payload), vectors=vectors, index_time=index_time)


@dataclass(frozen=True, slots=True)
class ProductResult:
    """One product, and the reply's metadata."""

    product: Product
    meta: ReplyMeta

    @classmethod
    def from_message(cls, message: catalog_service_pb2.GetProductResponse) -> ProductResult:
        """Read an answer."""
        return cls(Product.from_message(message.product), ReplyMeta.from_message(message.meta))


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Some products; iterating goes over them, `len()` counts them.

    Attributes:
        products: in an order that means nothing.
        next_page_token: for the next page; "" where this is the last one.
        meta: of the reply.
    """

    products: tuple[Product, ...]
    next_page_token: str
    meta: ReplyMeta

    def __iter__(self) -> Iterator[Product]:
        return iter(self.products)

    def __len__(self) -> int:
        return len(self.products)

    @classmethod
    def from_message(cls, message: catalog_service_pb2.ListProductsResponse) -> ProductPage:
        """Read an answer."""
        products = tuple(Product.from_message(item) for item in message.products)
        return cls(products, message.next_page_token, ReplyMeta.from_message(message.meta))


@dataclass(frozen=True, slots=True)
class IndexVersion:
    """One version of an index.

    Attributes:
        name: unique in the store.
        state: how far it is.
        is_live: whether it is the one that servers open when they start.
        is_served: whether it is the one that the server answers from.
        created, retired: when its build started, and when it stopped being live, UTC; None: not known, or it did not.
        product_count, picture_count: 0 or more.
        model_fingerprint: SHA-256 (hex) of the model that made its embeddings.
        model_base: what that model was made of, for people.
    """

    name: str
    state: State
    is_live: bool
    is_served: bool
    created: datetime | None
    retired: datetime | None
    product_count: int
    picture_count: int
    model_fingerprint: str
    model_base: str

    @classmethod
    def from_message(cls, message: catalog_service_pb2.IndexVersion) -> IndexVersion:
        """Read a version."""
        return cls(
            name=message.name,
            state=_STATES.get(message.state, "unknown"),
            is_live=message.is_live,
            is_served=message.is_served,
            created=_time(message.create_time) if message.HasField("create_time") else None,
            retired=_time(message.retire_time) if message.HasField("retire_time") else None,
            product_count=message.product_count,
            picture_count=message.picture_count,
            model_fingerprint=message.model_fingerprint,
            model_base=message.model_base,
        )


@dataclass(frozen=True, slots=True)
class IndexVersions:
    """All versions of an index, newest first; iterating goes over them, `len()` counts them."""

    versions: tuple[IndexVersion, ...]
    meta: ReplyMeta

    def __iter__(self) -> Iterator[IndexVersion]:
        return iter(self.versions)

    def __len__(self) -> int:
        return len(self.versions)

    @classmethod
    def from_message(cls, message: catalog_service_pb2.ListIndexVersionsResponse) -> IndexVersions:
        """Read an answer."""
        versions = tuple(IndexVersion.from_message(item) for item in message.versions)
        return cls(versions, ReplyMeta.from_message(message.meta))


@dataclass(frozen=True, slots=True)
class IndexField:
    """A field that filters may name: its path, and what its values are."""

    path: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class Index:
    """The index version that is served, and how it may be asked.

    Attributes:
        catalog: name of the catalog that it was made of.
        version: its version, counts and model.
        rejected_product_count, rejected_picture_count: what could not be indexed.
        dim: length of an embedding.
        has_titles, has_words: whether text queries are ranked by what titles mean, and by their words, too.
        fields: what filters may name.
        categories: path to the number of products of just this category.
        settings: of its build, those that shape answers.
        limits: of one request to this server, by name, as in "max_text_chars".
        meta: of the reply.
    """

    catalog: str
    version: IndexVersion
    rejected_product_count: int
    rejected_picture_count: int
    dim: int
    has_titles: bool
    has_words: bool
    fields: tuple[IndexField, ...]
    categories: Mapping[str, int]
    settings: Mapping[str, object]
    limits: Mapping[str, int]
    meta: ReplyMeta

    @classmethod
    def from_message(cls, message: catalog_service_pb2.GetIndexResponse) -> Index:
        """Read an answer."""
        index = message.index
        return cls(
            catalog=index.catalog,
            version=IndexVersion.from_message(index.version),
            rejected_product_count=index.rejected_product_count,
            rejected_picture_count=index.rejected_picture_count,
            dim=index.dim,
            has_titles=index.has_titles,
            has_words=index.has_words,
            fields=tuple(IndexField(field.path, _TYPES.get(field.type, "unknown")) for field in index.fields),
            categories={item.category: item.product_count for item in index.categories},
            settings=to_dict(index.settings),
            limits={field.name: getattr(index.limits, field.name) for field in index.limits.DESCRIPTOR.fields},
            meta=ReplyMeta.from_message(message.meta),
        )


def _time(message: timestamp_pb2.Timestamp) -> datetime:
    return message.ToDatetime(tzinfo=UTC)
