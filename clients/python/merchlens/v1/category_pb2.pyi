from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CategoryPrediction(_message.Message):
    __slots__ = ("category", "probability", "candidates", "method", "in_catalog_probability", "abstention", "branch", "sure_category")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[CategoryPrediction.Method]
        METHOD_HEAD: _ClassVar[CategoryPrediction.Method]
        METHOD_NEIGHBORS: _ClassVar[CategoryPrediction.Method]
        METHOD_FUSION: _ClassVar[CategoryPrediction.Method]
    METHOD_UNSPECIFIED: CategoryPrediction.Method
    METHOD_HEAD: CategoryPrediction.Method
    METHOD_NEIGHBORS: CategoryPrediction.Method
    METHOD_FUSION: CategoryPrediction.Method
    class Abstention(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ABSTENTION_UNSPECIFIED: _ClassVar[CategoryPrediction.Abstention]
        ABSTENTION_NOT_IN_CATALOG: _ClassVar[CategoryPrediction.Abstention]
        ABSTENTION_UNSURE: _ClassVar[CategoryPrediction.Abstention]
    ABSTENTION_UNSPECIFIED: CategoryPrediction.Abstention
    ABSTENTION_NOT_IN_CATALOG: CategoryPrediction.Abstention
    ABSTENTION_UNSURE: CategoryPrediction.Abstention
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    IN_CATALOG_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    ABSTENTION_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    SURE_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    category: str
    probability: float
    candidates: _containers.RepeatedCompositeFieldContainer[CategoryProbability]
    method: CategoryPrediction.Method
    in_catalog_probability: float
    abstention: CategoryPrediction.Abstention
    branch: _containers.RepeatedCompositeFieldContainer[CategoryNode]
    sure_category: str
    def __init__(self, category: _Optional[str] = ..., probability: _Optional[float] = ..., candidates: _Optional[_Iterable[_Union[CategoryProbability, _Mapping]]] = ..., method: _Optional[_Union[CategoryPrediction.Method, str]] = ..., in_catalog_probability: _Optional[float] = ..., abstention: _Optional[_Union[CategoryPrediction.Abstention, str]] = ..., branch: _Optional[_Iterable[_Union[CategoryNode, _Mapping]]] = ..., sure_category: _Optional[str] = ...) -> None: ...

class CategoryProbability(_message.Message):
    __slots__ = ("category", "probability", "head_probability", "neighbor_share", "name_cosine")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    HEAD_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOR_SHARE_FIELD_NUMBER: _ClassVar[int]
    NAME_COSINE_FIELD_NUMBER: _ClassVar[int]
    category: str
    probability: float
    head_probability: float
    neighbor_share: float
    name_cosine: float
    def __init__(self, category: _Optional[str] = ..., probability: _Optional[float] = ..., head_probability: _Optional[float] = ..., neighbor_share: _Optional[float] = ..., name_cosine: _Optional[float] = ...) -> None: ...

class CategoryNode(_message.Message):
    __slots__ = ("category", "probability")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    category: str
    probability: float
    def __init__(self, category: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...
