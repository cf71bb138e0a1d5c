from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CategoryPrediction(_message.Message):
    __slots__ = ("category", "probability", "candidates", "method")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[CategoryPrediction.Method]
        METHOD_HEAD: _ClassVar[CategoryPrediction.Method]
        METHOD_NEIGHBORS: _ClassVar[CategoryPrediction.Method]
    METHOD_UNSPECIFIED: CategoryPrediction.Method
    METHOD_HEAD: CategoryPrediction.Method
    METHOD_NEIGHBORS: CategoryPrediction.Method
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    category: str
    probability: float
    candidates: _containers.RepeatedCompositeFieldContainer[CategoryProbability]
    method: CategoryPrediction.Method
    def __init__(self, category: _Optional[str] = ..., probability: _Optional[float] = ..., candidates: _Optional[_Iterable[_Union[CategoryProbability, _Mapping]]] = ..., method: _Optional[_Union[CategoryPrediction.Method, str]] = ...) -> None: ...

class CategoryProbability(_message.Message):
    __slots__ = ("category", "probability")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    category: str
    probability: float
    def __init__(self, category: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...
