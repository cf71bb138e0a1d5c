from merchlens.v1 import attribute_pb2 as _attribute_pb2
from merchlens.v1 import category_pb2 as _category_pb2
from merchlens.v1 import meta_pb2 as _meta_pb2
from merchlens.v1 import query_pb2 as _query_pb2
from merchlens.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClassifyRequest(_message.Message):
    __slots__ = ("catalog", "text", "image")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    text: str
    image: _query_pb2.Image
    def __init__(self, catalog: _Optional[str] = ..., text: _Optional[str] = ..., image: _Optional[_Union[_query_pb2.Image, _Mapping]] = ...) -> None: ...

class ClassifyResponse(_message.Message):
    __slots__ = ("category", "attributes", "meta")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    category: _category_pb2.CategoryPrediction
    attributes: _containers.RepeatedCompositeFieldContainer[_attribute_pb2.AttributePrediction]
    meta: _meta_pb2.ResponseMeta
    def __init__(self, category: _Optional[_Union[_category_pb2.CategoryPrediction, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[_attribute_pb2.AttributePrediction, _Mapping]]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...

class EmbedRequest(_message.Message):
    __slots__ = ("catalog", "inputs")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    inputs: _containers.RepeatedCompositeFieldContainer[EmbedInput]
    def __init__(self, catalog: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[EmbedInput, _Mapping]]] = ...) -> None: ...

class EmbedInput(_message.Message):
    __slots__ = ("text", "image")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    text: str
    image: _query_pb2.Image
    def __init__(self, text: _Optional[str] = ..., image: _Optional[_Union[_query_pb2.Image, _Mapping]] = ...) -> None: ...

class EmbedResponse(_message.Message):
    __slots__ = ("results", "meta")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[EmbedResult]
    meta: _meta_pb2.ResponseMeta
    def __init__(self, results: _Optional[_Iterable[_Union[EmbedResult, _Mapping]]] = ..., meta: _Optional[_Union[_meta_pb2.ResponseMeta, _Mapping]] = ...) -> None: ...

class EmbedResult(_message.Message):
    __slots__ = ("vector", "error")
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    vector: _query_pb2.Vector
    error: _status_pb2.Status
    def __init__(self, vector: _Optional[_Union[_query_pb2.Vector, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
