"""One table from exception to gRPC status; `google.rpc.Status` details are made here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

import embedder.errors as embedding
import indexer.errors as indexing
import indexer.filters.errors as filtering
import server.errors as serving

DOMAIN = "merchlens"
RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """What a caller is told about one exception class.

    Attributes:
        code: the gRPC status.
        reason: of ErrorInfo, where the exception brings none itself.
        for_caller: whether the caller is given the exception's message; otherwise it stays in the log.
        retry: whether the same call may go through later.
    """

    code: grpc.StatusCode
    reason: str
    for_caller: bool = True
    retry: bool = False


_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_INTERNAL = Row(grpc.StatusCode.INTERNAL, "INTERNAL", for_caller=False)
_STORE = Row(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", for_caller=False, retry=True)

TABLE: Mapping[type[BaseException], Row] = {
    # A request's own faults.
    serving.InvalidRequest: Row(_INVALID, "INVALID_REQUEST"),
    serving.ResourceMissing: Row(grpc.StatusCode.NOT_FOUND, "NOT_FOUND"),
    serving.RequestTooLarge: Row(grpc.StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE"),
    serving.VersionReplaced: Row(grpc.StatusCode.FAILED_PRECONDITION, "PAGE_TOKEN_VERSION"),
    serving.ReplyTooLarge: Row(grpc.StatusCode.RESOURCE_EXHAUSTED, "REPLY_TOO_LARGE"),
    serving.WritesRefused: Row(grpc.StatusCode.PERMISSION_DENIED, "WRITES_REFUSED"),
    serving.WritesUnsupported: Row(grpc.StatusCode.UNIMPLEMENTED, "WRITES_UNSUPPORTED"),
    serving.DecodeMemoryFull: Row(grpc.StatusCode.RESOURCE_EXHAUSTED, "DECODE_MEMORY_FULL", retry=True),
    serving.StreamsFull: Row(grpc.StatusCode.RESOURCE_EXHAUSTED, "STREAMS_FULL", retry=True),
    serving.DeadlineExpired: Row(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXPIRED"),
    serving.StreamIdle: Row(grpc.StatusCode.DEADLINE_EXCEEDED, "STREAM_IDLE"),
    serving.ServerStopping: Row(grpc.StatusCode.UNAVAILABLE, "SERVER_STOPPING", retry=True),
    embedding.PictureError: Row(_INVALID, "IMAGE_UNREADABLE"),
    embedding.PictureMissing: Row(_INVALID, "IMAGE_MISSING"),
    embedding.PictureOutside: Row(_INVALID, "IMAGE_OUTSIDE_CATALOG"),
    embedding.PictureUrlRefused: Row(_INVALID, "IMAGE_URL_REFUSED"),
    embedding.PictureFetchFailed: Row(_INVALID, "IMAGE_FETCH_FAILED"),
    embedding.PictureFetchTimeout: Row(_INVALID, "IMAGE_FETCH_TIMEOUT"),
    embedding.PictureEmpty: Row(_INVALID, "IMAGE_EMPTY"),
    embedding.PictureTooLarge: Row(_INVALID, "IMAGE_TOO_LARGE"),
    embedding.PictureTooManyPixels: Row(_INVALID, "IMAGE_TOO_MANY_PIXELS"),
    embedding.PictureSideTooLong: Row(_INVALID, "IMAGE_SIDE_TOO_LONG"),
    embedding.PictureUnreadable: Row(_INVALID, "IMAGE_UNREADABLE"),
    embedding.TextError: Row(_INVALID, "TEXT_EMPTY"),
    embedding.TextEmpty: Row(_INVALID, "TEXT_EMPTY"),
    embedding.TextTooLong: Row(_INVALID, "TEXT_TOO_LONG"),
    indexing.QueryVectorError: Row(_INVALID, "VECTOR_INVALID"),
    indexing.RequestIdReused: Row(_INVALID, "REQUEST_ID_REUSED"),
    filtering.FilterError: Row(_INVALID, "FILTER_INVALID"),
    filtering.FilterSyntaxError: Row(_INVALID, "FILTER_SYNTAX"),
    filtering.UnknownField: Row(_INVALID, "FILTER_UNKNOWN_FIELD"),
    filtering.FilterTypeError: Row(_INVALID, "FILTER_TYPE"),
    filtering.FilterTooDeep: Row(_INVALID, "FILTER_TOO_DEEP"),
    filtering.FilterTooLong: Row(_INVALID, "FILTER_TOO_LONG"),
    # The store's: a retry may succeed.
    indexing.StoreError: _STORE,
    indexing.StoreUnavailable: _STORE,
    indexing.StoreLocked: _STORE,
    indexing.StoreNotFound: Row(grpc.StatusCode.FAILED_PRECONDITION, "INDEX_MISSING", for_caller=False),
    indexing.VersionIncomplete: Row(grpc.StatusCode.FAILED_PRECONDITION, "INDEX_INCOMPLETE", for_caller=False),
    indexing.JournalDamaged: Row(grpc.StatusCode.FAILED_PRECONDITION, "JOURNAL_DAMAGED", for_caller=False),
    indexing.ModelMismatch: Row(grpc.StatusCode.FAILED_PRECONDITION, "MODEL_MISMATCH", for_caller=False),
    # What a caller can do nothing about.
    serving.ServerError: _INTERNAL,
    serving.StartupRefused: _INTERNAL,
    indexing.IndexerError: _INTERNAL,
    indexing.BuildError: _INTERNAL,
    indexing.VersionRefused: _INTERNAL,
    indexing.TransferError: _INTERNAL,
    indexing.StoreUrlInvalid: _INTERNAL,
    embedding.EmbedderError: _INTERNAL,
    embedding.SettingsError: _INTERNAL,
    embedding.CatalogError: _INTERNAL,
    embedding.ModelError: _INTERNAL,
    embedding.MissingExtra: _INTERNAL,
    embedding.BundleError: _INTERNAL,
    embedding.BundleNotFound: _INTERNAL,
    embedding.BundleCorrupt: _INTERNAL,
    embedding.TrainingError: _INTERNAL,
    embedding.TrainingLost: _INTERNAL,
    embedding.TrainingStopped: _INTERNAL,
    embedding.BudgetTooShort: _INTERNAL,
}


def row_of(error: BaseException) -> Row | None:
    """The row of the nearest class that has one; None for exceptions that are not ours."""
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), None)


def to_status(error: BaseException, request_id: str) -> tuple[grpc.StatusCode, status_pb2.Status, Row]:
    """What to tell the caller of an exception; of one that is not ours, nothing but the request's id."""
    row = row_of(error) or _INTERNAL
    reason = getattr(error, "reason", None)
    message = str(error) if row.for_caller else f"the request could not be answered; request id {request_id}"
    # Lone surrogates, which no protobuf string may hold, could come in through a name.
    message = message.encode("utf-8", "replace").decode("utf-8")
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=reason if row.for_caller and isinstance(reason, str) else row.reason,
            domain=DOMAIN,
            metadata={"request_id": request_id},
        )
    ]
    details += [detail for make in _DETAILS if (detail := make(error, message)) is not None]
    if row.retry:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(RETRY_AFTER_S * 1e9))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    packed = []
    for detail in details:
        item = any_pb2.Any()
        item.Pack(detail)
        packed.append(item)
    code = code_pb2.Code.Value(row.code.name)
    return row.code, status_pb2.Status(code=code, message=message, details=packed), row


def _bad_request(error: BaseException, message: str) -> Message | None:
    field = getattr(error, "field", None)
    if not isinstance(error, serving.InvalidRequest) or field is None:
        return None
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=message, reason=error.reason)
    made: Message = error_details_pb2.BadRequest(field_violations=[violation])
    return made


def _resource_info(error: BaseException, message: str) -> Message | None:
    if not isinstance(error, serving.ResourceMissing):
        return None
    name = error.name[:512].encode("utf-8", "replace").decode("utf-8")
    made: Message = error_details_pb2.ResourceInfo(
        resource_type=error.resource_type, resource_name=name, description=message
    )
    return made


def _precondition(error: BaseException, message: str) -> Message | None:
    row = row_of(error)
    if row is None or row.code is not grpc.StatusCode.FAILED_PRECONDITION:
        return None
    violation = error_details_pb2.PreconditionFailure.Violation(type=row.reason, subject="index", description=message)
    made: Message = error_details_pb2.PreconditionFailure(violations=[violation])
    return made


_DETAILS: tuple[Callable[[BaseException, str], Message | None], ...] = (_bad_request, _resource_info, _precondition)
