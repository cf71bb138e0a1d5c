"""Python client of Merchlens, self-hosted visual product search.

`Client` asks a server; answers are the types of `merchlens.results`, failures the exceptions of `merchlens.errors`.
Needs grpcio and protobuf, nothing else.
"""

from merchlens import catalog_results, hits, predictions, queries, recognition_results, results, writes

# Their `__all__` says what: a new type is exported by that alone.
from merchlens.catalog_results import *  # noqa: F403
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
from merchlens.hits import *  # noqa: F403
from merchlens.predictions import *  # noqa: F403
from merchlens.queries import *  # noqa: F403
from merchlens.recognition_results import *  # noqa: F403
from merchlens.results import *  # noqa: F403
from merchlens.status import FieldViolation, Precondition, Resource
from merchlens.writes import *  # noqa: F403

__all__ = [
    "Aborted",
    "AlreadyExists",
    "Cancelled",
    "Client",
    "DataLoss",
    "DeadlineExceeded",
    "FailedPrecondition",
    "FieldViolation",
    "Internal",
    "InvalidArgument",
    "MerchlensError",
    "NotFound",
    "OutOfRange",
    "PermissionDenied",
    "Precondition",
    "Resource",
    "ResourceExhausted",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Unknown",
]
_TYPES = (catalog_results, hits, predictions, queries, recognition_results, results, writes)
__all__ += [name for module in _TYPES for name in module.__all__]
__all__.sort()
