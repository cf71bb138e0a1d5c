"""What can go wrong while serving.

ServerError
├── InvalidRequest     a request that breaks the contract; `reason` and `field` say where
├── ResourceMissing    something named in the request that is not there
├── RequestTooLarge    a message over the limit
├── ReplyTooLarge      an answer that would be one
├── VersionReplaced    a page token of an index version that is not served any more
├── WritesRefused      a write where anybody could write
├── WritesUnsupported  a write to an index that is not changed while it is served
├── DecodeMemoryFull   pictures being decoded leave no memory for another
├── StreamsFull        as many streams are open as are answered at once
├── DeadlineExpired    the caller no longer waits for the answer
│   └── StreamIdle     no query came for too long
├── ServerStopping     a call that came after the signal to stop
└── StartupRefused     a configuration that must not be used
"""

from __future__ import annotations


class ServerError(Exception):
    """Root of this package's errors; the message says what failed, the value, what is permitted, the next step."""


class InvalidRequest(ServerError):
    """A field outside its range.

    Attributes:
        reason: UPPER_SNAKE, stable; the contract lists them.
        field: path, as in "parts[0].text".
    """

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field


class ResourceMissing(ServerError):
    """Something that is not there.

    Attributes:
        reason: PRODUCT_NOT_FOUND or CATALOG_NOT_FOUND.
        field: path in the request.
        resource_type: "product" or "catalog".
        name: as the caller gave it.
    """

    def __init__(self, reason: str, field: str, resource_type: str, name: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field
        self.resource_type = resource_type
        self.name = name


class RequestTooLarge(ServerError):
    """More bytes than one message may have."""


class ReplyTooLarge(ServerError):
    """An answer of more bytes than one message may have."""


class VersionReplaced(ServerError):
    """A page token of an index version that is not served any more."""


class WritesRefused(ServerError):
    """A write on an address that others reach, whom nobody asks who they are."""


class WritesUnsupported(ServerError):
    """A write to an index whose engine takes no changes while it is served."""


class DecodeMemoryFull(ServerError):
    """Pictures being decoded leave no memory for another."""


class DeadlineExpired(ServerError):
    """The caller's deadline has passed, or it has cancelled."""


class StreamIdle(DeadlineExpired):
    """A stream without a deadline in which no query came for too long."""


class StreamsFull(ServerError):
    """As many streams are open as are answered at once."""


class ServerStopping(ServerError):
    """A call that came after the signal to stop."""


class StartupRefused(ServerError):
    """A configuration that must not be used."""
