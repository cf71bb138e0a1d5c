"""Python client of Merchlens, self-hosted visual product search.

`Client` asks a server; answers are the types of `merchlens.results`, failures the exceptions of `merchlens.errors`.
Needs grpcio and protobuf, nothing else.
"""

from merchlens.client import Client
from merchlens.errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    MerchlensError,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Unknown,
)
from merchlens.results import CategoryPrediction, CategoryProbability, Hit, SearchResult, ServerWarning
from merchlens.status import FieldViolation, Precondition, Resource

__all__ = [
    "Aborted",
    "AlreadyExists",
    "Cancelled",
    "CategoryPrediction",
    "CategoryProbability",
    "Client",
    "DataLoss",
    "DeadlineExceeded",
    "FailedPrecondition",
    "FieldViolation",
    "Hit",
    "Internal",
    "InvalidArgument",
    "MerchlensError",
    "NotFound",
    "OutOfRange",
    "PermissionDenied",
    "Precondition",
    "Resource",
    "ResourceExhausted",
    "SearchResult",
    "ServerWarning",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Unknown",
]
