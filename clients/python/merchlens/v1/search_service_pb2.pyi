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

class Ranking(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RANKING_UNSPECIFIED: _ClassVar[Ranking]
    RANKING_HYBRID: _ClassVar[Ranking]
    RANKING_PICTURES: _ClassVar[Ranking]
    RANKING_WORDS: _ClassVar[Ranking]
RANKING_UNSPECIFIED: Ranking
RANKING_HYBRID: Ranking
RANKING_PICTURES: Ranking
RANKING_WORDS: Ranking

class SearchRequest(_message.Message):
    __slots__ = ("catalog", "parts", "filter", "page_size", "page_token", "group_by", "facets", "diversity", "min_match_probability", "ranking", "read_mask", "accuracy", "count_total", "keep_duplicates", "include_parts")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    FACETS_FIELD_NUMBER: _ClassVar[int]
    DIVERSITY_FIELD_NUMBER: _ClassVar[int]
    MIN_MATCH_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    RANKING_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    COUNT_TOTAL_FIELD_NUMBER: _ClassVar[int]
    KEEP_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PARTS_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    parts: _containers.RepeatedCompositeFieldContainer[_query_pb2.QueryPart]
    filter: str
    page_size: int
    page_token: str
    group_by: GroupBy
    facets: _containers.RepeatedCompositeFieldContainer[FacetRequest]
    diversity: Diversity
    min_match_probability: float
    ranking: Ranking
    read_mask: _field_mask_pb2.FieldMask
    accuracy: Accuracy
    count_total: bool
    keep_duplicates: bool
    include_parts: bool
    def __init__(self, catalog: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[_query_pb2.QueryPart, _Mapping]]] = ..., filter: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., group_by: _Optional[_Union[GroupBy, _Mapping]] = ..., facets: _Optional[_Iterable[_Union[FacetRequest, _Mapping]]] = ..., diversity: _Optional[_Union[Diversity, _Mapping]] = ..., min_match_probability: _Optional[float] = ..., ranking: _Optional[_Union[Ranking, str]] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., accuracy: _Optional[_Union[Accuracy, _Mapping]] = ..., count_total: _Optional[bool] = ..., keep_duplicates: _Optional[bool] = ..., include_parts: _Optional[bool] = ...) -> None: ...

class GroupBy(_message.Message):
    __slots__ = ("field", "hits_per_group")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    HITS_PER_GROUP_FIELD_NUMBER: _ClassVar[int]
    field: str
    hits_per_group: int
    def __init__(self, field: _Optional[str] = ..., hits_per_group: _Optional[int] = ...) -> None: ...

class FacetRequest(_message.Message):
    __slots__ = ("field", "max_values", "scope")
    class Scope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SCOPE_UNSPECIFIED: _ClassVar[FacetRequest.Scope]
        SCOPE_CANDIDATES: _ClassVar[FacetRequest.Scope]
        SCOPE_FILTER: _ClassVar[FacetRequest.Scope]
    SCOPE_UNSPECIFIED: FacetRequest.Scope
    SCOPE_CANDIDATES: FacetRequest.Scope
    SCOPE_FILTER: FacetRequest.Scope
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MAX_VALUES_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    field: str
    max_values: int
    scope: FacetRequest.Scope
    def __init__(self, field: _Optional[str] = ..., max_values: _Optional[int] = ..., scope: _Optional[_Union[FacetRequest.Scope, str]] = ...) -> None: ...

class Diversity(_message.Message):
    __slots__ = ("relevance",)
    RELEVANCE_FIELD_NUMBER: _ClassVar[int]
    relevance: float
    def __init__(self, relevance: _Optional[float] = ...) -> None: ...

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
    __slots__ = ("hits", "category", "meta", "attributes", "groups", "facets", "total_size", "next_page_token")
    HITS_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    FACETS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[Hit]
    category: _category_pb2.CategoryPrediction
    meta: _meta_pb2.ResponseMeta
    attributes: _containers.RepeatedCompositeFieldContainer[_attribute_pb2.AttributePrediction]
    groups: _containers.RepeatedCompositeFieldContainer[HitGroup]
    facets: _containers.RepeatedCompositeFieldContainer[Facet]
    total_size: TotalSize
    next_page_token: str
    def __init__(self, hits: _Optional[_Iterable[_Union[Hit, _Mapping]]] = ..., category: _Optional[_Union[_category_pb2.CategoryPrediction, _Mapping]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[_attribute_pb2.AttributePrediction, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[HitGroup, _Mapping]]] = ..., facets: _Optional[_Iterable[_Union[Facet, _Mapping]]] = ..., total_size: _Optional[_Union[TotalSize, _Mapping]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class HitGroup(_message.Message):
    __slots__ = ("value", "hits", "candidate_count")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    value: str
    hits: _containers.RepeatedCompositeFieldContainer[Hit]
    candidate_count: int
    def __init__(self, value: _Optional[str] = ..., hits: _Optional[_Iterable[_Union[Hit, _Mapping]]] = ..., candidate_count: _Optional[int] = ...) -> None: ...

class Facet(_message.Message):
    __slots__ = ("field", "values", "has_more_values", "product_count", "without_value_count", "numbers")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_VALUES_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_COUNT_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_VALUE_COUNT_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    field: str
    values: _containers.RepeatedCompositeFieldContainer[FacetValue]
    has_more_values: bool
    product_count: int
    without_value_count: int
    numbers: NumberRange
    def __init__(self, field: _Optional[str] = ..., values: _Optional[_Iterable[_Union[FacetValue, _Mapping]]] = ..., has_more_values: _Optional[bool] = ..., product_count: _Optional[int] = ..., without_value_count: _Optional[int] = ..., numbers: _Optional[_Union[NumberRange, _Mapping]] = ...) -> None: ...

class FacetValue(_message.Message):
    __slots__ = ("value", "count")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    value: str
    count: int
    def __init__(self, value: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class NumberRange(_message.Message):
    __slots__ = ("min", "max")
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    min: float
    max: float
    def __init__(self, min: _Optional[float] = ..., max: _Optional[float] = ...) -> None: ...

class TotalSize(_message.Message):
    __slots__ = ("value", "is_exact")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    IS_EXACT_FIELD_NUMBER: _ClassVar[int]
    value: int
    is_exact: bool
    def __init__(self, value: _Optional[int] = ..., is_exact: _Optional[bool] = ...) -> None: ...

class Hit(_message.Message):
    __slots__ = ("product_id", "score", "payload", "picture", "match_probability", "same_product_probability", "duplicate_product_ids", "parts")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    MATCH_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SAME_PRODUCT_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_PRODUCT_IDS_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    score: float
    payload: _struct_pb2.Struct
    picture: str
    match_probability: float
    same_product_probability: float
    duplicate_product_ids: _containers.RepeatedScalarFieldContainer[str]
    parts: HitParts
    def __init__(self, product_id: _Optional[str] = ..., score: _Optional[float] = ..., payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., picture: _Optional[str] = ..., match_probability: _Optional[float] = ..., same_product_probability: _Optional[float] = ..., duplicate_product_ids: _Optional[_Iterable[str]] = ..., parts: _Optional[_Union[HitParts, _Mapping]] = ...) -> None: ...

class HitParts(_message.Message):
    __slots__ = ("picture", "title", "words")
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    picture: float
    title: float
    words: float
    def __init__(self, picture: _Optional[float] = ..., title: _Optional[float] = ..., words: _Optional[float] = ...) -> None: ...

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

class StreamSearchRequest(_message.Message):
    __slots__ = ("query_id", "query")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    query: SearchRequest
    def __init__(self, query_id: _Optional[str] = ..., query: _Optional[_Union[SearchRequest, _Mapping]] = ...) -> None: ...

class StreamSearchResponse(_message.Message):
    __slots__ = ("query_id", "response", "error")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    response: SearchResponse
    error: _status_pb2.Status
    def __init__(self, query_id: _Optional[str] = ..., response: _Optional[_Union[SearchResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class RecommendRequest(_message.Message):
    __slots__ = ("catalog", "liked_product_ids", "disliked_product_ids", "strategy", "filter", "page_size", "read_mask", "keep_duplicates")
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
    KEEP_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    liked_product_ids: _containers.RepeatedScalarFieldContainer[str]
    disliked_product_ids: _containers.RepeatedScalarFieldContainer[str]
    strategy: RecommendRequest.Strategy
    filter: str
    page_size: int
    read_mask: _field_mask_pb2.FieldMask
    keep_duplicates: bool
    def __init__(self, catalog: _Optional[str] = ..., liked_product_ids: _Optional[_Iterable[str]] = ..., disliked_product_ids: _Optional[_Iterable[str]] = ..., strategy: _Optional[_Union[RecommendRequest.Strategy, str]] = ..., filter: _Optional[str] = ..., page_size: _Optional[int] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., keep_duplicates: _Optional[bool] = ...) -> None: ...

class RecommendResponse(_message.Message):
    __slots__ = ("hits", "meta")
    HITS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[Hit]
    meta: _meta_pb2.ResponseMeta
    def __init__(self, hits: _Optional[_Iterable[_Union[Hit, _Mapping]]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...
