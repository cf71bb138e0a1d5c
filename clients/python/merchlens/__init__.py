"""Python client of Merchlens, self-hosted visual product search.

    from merchlens import Client

    with Client("localhost:50051") as client:
        for hit in client.search(text="ankle boot", top_k=10):
            print(hit.score, hit.title)
"""

from merchlens.client import Client
from merchlens.errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    FieldViolation,
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
    "ResourceExhausted",
    "SearchResult",
    "ServerWarning",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Unknown",
]
