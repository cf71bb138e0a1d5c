import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from merchlens.v1 import meta_pb2 as _meta_pb2
from merchlens.v1 import query_pb2 as _query_pb2
from merchlens.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetProductRequest(_message.Message):
    __slots__ = ("catalog", "product_id", "read_mask", "include_vectors")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_VECTORS_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    product_id: str
    read_mask: _field_mask_pb2.FieldMask
    include_vectors: bool
    def __init__(self, catalog: _Optional[str] = ..., product_id: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., include_vectors: _Optional[bool] = ...) -> None: ...

class GetProductResponse(_message.Message):
    __slots__ = ("product", "meta")
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    product: Product
    meta: _meta_pb2.ResponseMeta
    def __init__(self, product: _Optional[_Union[Product, _Mapping]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...

class Product(_message.Message):
    __slots__ = ("product_id", "payload", "vectors", "index_time")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    INDEX_TIME_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    payload: _struct_pb2.Struct
    vectors: _containers.RepeatedCompositeFieldContainer[_query_pb2.Vector]
    index_time: _timestamp_pb2.Timestamp
    def __init__(self, product_id: _Optional[str] = ..., payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., vectors: _Optional[_Iterable[_Union[_query_pb2.Vector, _Mapping]]] = ..., index_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListProductsRequest(_message.Message):
    __slots__ = ("catalog", "filter", "page_size", "page_token", "read_mask")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    filter: str
    page_size: int
    page_token: str
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, catalog: _Optional[str] = ..., filter: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class ListProductsResponse(_message.Message):
    __slots__ = ("products", "next_page_token", "meta")
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    products: _containers.RepeatedCompositeFieldContainer[Product]
    next_page_token: str
    meta: _meta_pb2.ResponseMeta
    def __init__(self, products: _Optional[_Iterable[_Union[Product, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...

class GetIndexRequest(_message.Message):
    __slots__ = ("catalog",)
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    def __init__(self, catalog: _Optional[str] = ...) -> None: ...

class GetIndexResponse(_message.Message):
    __slots__ = ("index", "meta")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    index: Index
    meta: _meta_pb2.ResponseMeta
    def __init__(self, index: _Optional[_Union[Index, _Mapping]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...

class Index(_message.Message):
    __slots__ = ("catalog", "version", "rejected_product_count", "rejected_picture_count", "dim", "has_titles", "has_words", "fields", "categories", "settings", "limits")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REJECTED_PRODUCT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_PICTURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIM_FIELD_NUMBER: _ClassVar[int]
    HAS_TITLES_FIELD_NUMBER: _ClassVar[int]
    HAS_WORDS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    version: IndexVersion
    rejected_product_count: int
    rejected_picture_count: int
    dim: int
    has_titles: bool
    has_words: bool
    fields: _containers.RepeatedCompositeFieldContainer[IndexField]
    categories: _containers.RepeatedCompositeFieldContainer[IndexCategory]
    settings: _struct_pb2.Struct
    limits: Limits
    def __init__(self, catalog: _Optional[str] = ..., version: _Optional[_Union[IndexVersion, _Mapping]] = ..., rejected_product_count: _Optional[int] = ..., rejected_picture_count: _Optional[int] = ..., dim: _Optional[int] = ..., has_titles: _Optional[bool] = ..., has_words: _Optional[bool] = ..., fields: _Optional[_Iterable[_Union[IndexField, _Mapping]]] = ..., categories: _Optional[_Iterable[_Union[IndexCategory, _Mapping]]] = ..., settings: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class IndexField(_message.Message):
    __slots__ = ("path", "type")
    class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TYPE_UNSPECIFIED: _ClassVar[IndexField.Type]
        TYPE_KEYWORD: _ClassVar[IndexField.Type]
        TYPE_NUMBER: _ClassVar[IndexField.Type]
        TYPE_BOOL: _ClassVar[IndexField.Type]
        TYPE_CATEGORY: _ClassVar[IndexField.Type]
    TYPE_UNSPECIFIED: IndexField.Type
    TYPE_KEYWORD: IndexField.Type
    TYPE_NUMBER: IndexField.Type
    TYPE_BOOL: IndexField.Type
    TYPE_CATEGORY: IndexField.Type
    PATH_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    path: str
    type: IndexField.Type
    def __init__(self, path: _Optional[str] = ..., type: _Optional[_Union[IndexField.Type, str]] = ...) -> None: ...

class IndexCategory(_message.Message):
    __slots__ = ("category", "product_count")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_COUNT_FIELD_NUMBER: _ClassVar[int]
    category: str
    product_count: int
    def __init__(self, category: _Optional[str] = ..., product_count: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_message_bytes", "max_image_bytes", "max_image_pixels", "max_image_side", "max_text_chars", "max_page_size", "max_filter_chars", "max_filter_depth", "max_batch_queries", "max_embed_inputs", "max_query_parts", "max_recommend_products", "max_search_candidates", "max_facets", "max_write_products")
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGE_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGE_SIDE_FIELD_NUMBER: _ClassVar[int]
    MAX_TEXT_CHARS_FIELD_NUMBER: _ClassVar[int]
    MAX_PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_FILTER_CHARS_FIELD_NUMBER: _ClassVar[int]
    MAX_FILTER_DEPTH_FIELD_NUMBER: _ClassVar[int]
    MAX_BATCH_QUERIES_FIELD_NUMBER: _ClassVar[int]
    MAX_EMBED_INPUTS_FIELD_NUMBER: _ClassVar[int]
    MAX_QUERY_PARTS_FIELD_NUMBER: _ClassVar[int]
    MAX_RECOMMEND_PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    MAX_SEARCH_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    MAX_FACETS_FIELD_NUMBER: _ClassVar[int]
    MAX_WRITE_PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    max_message_bytes: int
    max_image_bytes: int
    max_image_pixels: int
    max_image_side: int
    max_text_chars: int
    max_page_size: int
    max_filter_chars: int
    max_filter_depth: int
    max_batch_queries: int
    max_embed_inputs: int
    max_query_parts: int
    max_recommend_products: int
    max_search_candidates: int
    max_facets: int
    max_write_products: int
    def __init__(self, max_message_bytes: _Optional[int] = ..., max_image_bytes: _Optional[int] = ..., max_image_pixels: _Optional[int] = ..., max_image_side: _Optional[int] = ..., max_text_chars: _Optional[int] = ..., max_page_size: _Optional[int] = ..., max_filter_chars: _Optional[int] = ..., max_filter_depth: _Optional[int] = ..., max_batch_queries: _Optional[int] = ..., max_embed_inputs: _Optional[int] = ..., max_query_parts: _Optional[int] = ..., max_recommend_products: _Optional[int] = ..., max_search_candidates: _Optional[int] = ..., max_facets: _Optional[int] = ..., max_write_products: _Optional[int] = ...) -> None: ...

class ListIndexVersionsRequest(_message.Message):
    __slots__ = ("catalog",)
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    def __init__(self, catalog: _Optional[str] = ...) -> None: ...

class ListIndexVersionsResponse(_message.Message):
    __slots__ = ("versions", "meta")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[IndexVersion]
    meta: _meta_pb2.ResponseMeta
    def __init__(self, versions: _Optional[_Iterable[_Union[IndexVersion, _Mapping]]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...

class IndexVersion(_message.Message):
    __slots__ = ("name", "state", "is_live", "is_served", "create_time", "retire_time", "product_count", "picture_count", "model_fingerprint", "model_base")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[IndexVersion.State]
        STATE_BUILDING: _ClassVar[IndexVersion.State]
        STATE_READY: _ClassVar[IndexVersion.State]
    STATE_UNSPECIFIED: IndexVersion.State
    STATE_BUILDING: IndexVersion.State
    STATE_READY: IndexVersion.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    IS_LIVE_FIELD_NUMBER: _ClassVar[int]
    IS_SERVED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    RETIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PICTURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_BASE_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: IndexVersion.State
    is_live: bool
    is_served: bool
    create_time: _timestamp_pb2.Timestamp
    retire_time: _timestamp_pb2.Timestamp
    product_count: int
    picture_count: int
    model_fingerprint: str
    model_base: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[IndexVersion.State, str]] = ..., is_live: _Optional[bool] = ..., is_served: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., retire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., product_count: _Optional[int] = ..., picture_count: _Optional[int] = ..., model_fingerprint: _Optional[str] = ..., model_base: _Optional[str] = ...) -> None: ...

class UpsertProductsRequest(_message.Message):
    __slots__ = ("catalog", "request_id", "product")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    request_id: str
    product: ProductInput
    def __init__(self, catalog: _Optional[str] = ..., request_id: _Optional[str] = ..., product: _Optional[_Union[ProductInput, _Mapping]] = ...) -> None: ...

class ProductInput(_message.Message):
    __slots__ = ("product_id", "title", "description", "category", "price", "in_stock", "attributes", "pictures")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    IN_STOCK_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    title: str
    description: str
    category: str
    price: float
    in_stock: bool
    attributes: _struct_pb2.Struct
    pictures: _containers.RepeatedCompositeFieldContainer[ProductPicture]
    def __init__(self, product_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., category: _Optional[str] = ..., price: _Optional[float] = ..., in_stock: _Optional[bool] = ..., attributes: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., pictures: _Optional[_Iterable[_Union[ProductPicture, _Mapping]]] = ...) -> None: ...

class ProductPicture(_message.Message):
    __slots__ = ("image", "vector", "name")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    image: _query_pb2.Image
    vector: _query_pb2.Vector
    name: str
    def __init__(self, image: _Optional[_Union[_query_pb2.Image, _Mapping]] = ..., vector: _Optional[_Union[_query_pb2.Vector, _Mapping]] = ..., name: _Optional[str] = ...) -> None: ...

class UpsertProductsResponse(_message.Message):
    __slots__ = ("results", "meta")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[WriteResult]
    meta: _meta_pb2.ResponseMeta
    def __init__(self, results: _Optional[_Iterable[_Union[WriteResult, _Mapping]]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...

class WriteResult(_message.Message):
    __slots__ = ("product_id", "error", "index_time", "already_applied", "was_there", "warnings")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    INDEX_TIME_FIELD_NUMBER: _ClassVar[int]
    ALREADY_APPLIED_FIELD_NUMBER: _ClassVar[int]
    WAS_THERE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    error: _status_pb2.Status
    index_time: _timestamp_pb2.Timestamp
    already_applied: bool
    was_there: bool
    warnings: _containers.RepeatedCompositeFieldContainer[_meta_pb2.Warning]
    def __init__(self, product_id: _Optional[str] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., index_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., already_applied: _Optional[bool] = ..., was_there: _Optional[bool] = ..., warnings: _Optional[_Iterable[_Union[_meta_pb2.Warning, _Mapping]]] = ...) -> None: ...

class DeleteProductsRequest(_message.Message):
    __slots__ = ("catalog", "request_id", "product_ids")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_IDS_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    request_id: str
    product_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, catalog: _Optional[str] = ..., request_id: _Optional[str] = ..., product_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class DeleteProductsResponse(_message.Message):
    __slots__ = ("results", "meta")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[WriteResult]
    meta: _meta_pb2.ResponseMeta
    def __init__(self, results: _Optional[_Iterable[_Union[WriteResult, _Mapping]]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...
