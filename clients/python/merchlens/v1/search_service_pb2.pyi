from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from merchlens.v1 import attribute_pb2 as _attribute_pb2
from merchlens.v1 import category_pb2 as _category_pb2
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

class SearchRequest(_message.Message):
    __slots__ = ("catalog", "parts", "filter", "page_size", "read_mask", "accuracy")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    parts: _containers.RepeatedCompositeFieldContainer[_query_pb2.QueryPart]
    filter: str
    page_size: int
    read_mask: _field_mask_pb2.FieldMask
    accuracy: Accuracy
    def __init__(self, catalog: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[_query_pb2.QueryPart, _Mapping]]] = ..., filter: _Optional[str] = ..., page_size: _Optional[int] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., accuracy: _Optional[_Union[Accuracy, _Mapping]] = ...) -> None: ...

class Accuracy(_message.Message):
    __slots__ = ("level", "candidates")
    class Level(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LEVEL_UNSPECIFIED: _ClassVar[Accuracy.Level]
        LEVEL_BALANCED: _ClassVar[Accuracy.Level]
        LEVEL_FAST: _ClassVar[Accuracy.Level]
        LEVEL_EXACT: _ClassVar[Accuracy.Level]
    LEVEL_UNSPECIFIED: Accuracy.Level
    LEVEL_BALANCED: Accuracy.Level
    LEVEL_FAST: Accuracy.Level
    LEVEL_EXACT: Accuracy.Level
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    level: Accuracy.Level
    candidates: int
    def __init__(self, level: _Optional[_Union[Accuracy.Level, str]] = ..., candidates: _Optional[int] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("hits", "category", "meta", "attributes")
    HITS_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[Hit]
    category: _category_pb2.CategoryPrediction
    meta: _meta_pb2.ResponseMeta
    attributes: _containers.RepeatedCompositeFieldContainer[_attribute_pb2.AttributePrediction]
    def __init__(self, hits: _Optional[_Iterable[_Union[Hit, _Mapping]]] = ..., category: _Optional[_Union[_category_pb2.CategoryPrediction, _Mapping]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[_attribute_pb2.AttributePrediction, _Mapping]]] = ...) -> None: ...

class Hit(_message.Message):
    __slots__ = ("product_id", "score", "payload", "picture", "match_probability", "same_product_probability")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    MATCH_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SAME_PRODUCT_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    score: float
    payload: _struct_pb2.Struct
    picture: str
    match_probability: float
    same_product_probability: float
    def __init__(self, product_id: _Optional[str] = ..., score: _Optional[float] = ..., payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., picture: _Optional[str] = ..., match_probability: _Optional[float] = ..., same_product_probability: _Optional[float] = ...) -> None: ...

class BatchSearchRequest(_message.Message):
    __slots__ = ("queries",)
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    queries: _containers.RepeatedCompositeFieldContainer[SearchRequest]
    def __init__(self, queries: _Optional[_Iterable[_Union[SearchRequest, _Mapping]]] = ...) -> None: ...

class BatchSearchResponse(_message.Message):
    __slots__ = ("results", "meta")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchSearchResult]
    meta: _meta_pb2.ResponseMeta
    def __init__(self, results: _Optional[_Iterable[_Union[BatchSearchResult, _Mapping]]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...

class BatchSearchResult(_message.Message):
    __slots__ = ("response", "error")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    response: SearchResponse
    error: _status_pb2.Status
    def __init__(self, response: _Optional[_Union[SearchResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class RecommendRequest(_message.Message):
    __slots__ = ("catalog", "liked_product_ids", "disliked_product_ids", "strategy", "filter", "page_size", "read_mask")
    class Strategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STRATEGY_UNSPECIFIED: _ClassVar[RecommendRequest.Strategy]
        STRATEGY_AVERAGE: _ClassVar[RecommendRequest.Strategy]
        STRATEGY_BEST_SCORE: _ClassVar[RecommendRequest.Strategy]
    STRATEGY_UNSPECIFIED: RecommendRequest.Strategy
    STRATEGY_AVERAGE: RecommendRequest.Strategy
    STRATEGY_BEST_SCORE: RecommendRequest.Strategy
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    LIKED_PRODUCT_IDS_FIELD_NUMBER: _ClassVar[int]
    DISLIKED_PRODUCT_IDS_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    liked_product_ids: _containers.RepeatedScalarFieldContainer[str]
    disliked_product_ids: _containers.RepeatedScalarFieldContainer[str]
    strategy: RecommendRequest.Strategy
    filter: str
    page_size: int
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, catalog: _Optional[str] = ..., liked_product_ids: _Optional[_Iterable[str]] = ..., disliked_product_ids: _Optional[_Iterable[str]] = ..., strategy: _Optional[_Union[RecommendRequest.Strategy, str]] = ..., filter: _Optional[str] = ..., page_size: _Optional[int] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class RecommendResponse(_message.Message):
    __slots__ = ("hits", "meta")
    HITS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[Hit]
    meta: _meta_pb2.ResponseMeta
    def __init__(self, hits: _Optional[_Iterable[_Union[Hit, _Mapping]]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...
