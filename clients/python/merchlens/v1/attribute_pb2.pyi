from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttributePrediction(_message.Message):
    __slots__ = ("name", "value", "probability", "is_sure", "candidates", "method", "is_calibrated")
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        METHOD_UNSPECIFIED: _ClassVar[AttributePrediction.Method]
        METHOD_HEAD: _ClassVar[AttributePrediction.Method]
        METHOD_NAMES: _ClassVar[AttributePrediction.Method]
        METHOD_PIXELS: _ClassVar[AttributePrediction.Method]
        METHOD_WORDS: _ClassVar[AttributePrediction.Method]
    METHOD_UNSPECIFIED: AttributePrediction.Method
    METHOD_HEAD: AttributePrediction.Method
    METHOD_NAMES: AttributePrediction.Method
    METHOD_PIXELS: AttributePrediction.Method
    METHOD_WORDS: AttributePrediction.Method
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    IS_SURE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    IS_CALIBRATED_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    probability: float
    is_sure: bool
    candidates: _containers.RepeatedCompositeFieldContainer[AttributeValueProbability]
    method: AttributePrediction.Method
    is_calibrated: bool
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., probability: _Optional[float] = ..., is_sure: _Optional[bool] = ..., candidates: _Optional[_Iterable[_Union[AttributeValueProbability, _Mapping]]] = ..., method: _Optional[_Union[AttributePrediction.Method, str]] = ..., is_calibrated: _Optional[bool] = ...) -> None: ...

class AttributeValueProbability(_message.Message):
    __slots__ = ("value", "probability")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    value: str
    probability: float
    def __init__(self, value: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...
