from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResponseMeta(_message.Message):
    __slots__ = ("model_fingerprint", "index_version", "request_id", "timings", "warnings", "coverage")
    MODEL_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    model_fingerprint: str
    index_version: str
    request_id: str
    timings: _containers.RepeatedCompositeFieldContainer[StageTiming]
    warnings: _containers.RepeatedCompositeFieldContainer[Warning]
    coverage: Coverage
    def __init__(self, model_fingerprint: _Optional[str] = ..., index_version: _Optional[str] = ..., request_id: _Optional[str] = ..., timings: _Optional[_Iterable[_Union[StageTiming, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[Warning, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ...) -> None: ...

class Coverage(_message.Message):
    __slots__ = ("complete", "searched_fraction", "reasons")
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    SEARCHED_FRACTION_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    complete: bool
    searched_fraction: float
    reasons: _containers.RepeatedCompositeFieldContainer[CoverageReason]
    def __init__(self, complete: _Optional[bool] = ..., searched_fraction: _Optional[float] = ..., reasons: _Optional[_Iterable[_Union[CoverageReason, _Mapping]]] = ...) -> None: ...

class CoverageReason(_message.Message):
    __slots__ = ("code", "text")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: str
    def __init__(self, code: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class StageTiming(_message.Message):
    __slots__ = ("stage", "duration_us")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DURATION_US_FIELD_NUMBER: _ClassVar[int]
    stage: str
    duration_us: int
    def __init__(self, stage: _Optional[str] = ..., duration_us: _Optional[int] = ...) -> None: ...

class Warning(_message.Message):
    __slots__ = ("code", "field", "text")
    CODE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: str
    field: str
    text: str
    def __init__(self, code: _Optional[str] = ..., field: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...
