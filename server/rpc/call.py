"""What belongs to one call besides its request: id, deadline, whether the caller still waits."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

import grpc

from server.errors import DeadlineExpired, ServerStopping

REQUEST_ID = "x-request-id"
_PERMITTED_ID = re.compile(r"[\x21-\x7e]{1,128}")

logged_request_id: ContextVar[str] = ContextVar("logged_request_id", default="-")
"""Request id of the call that this thread works on, for lines that a library logs; our own code is passed the call."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call in progress; servicers' methods take it in place of gRPC's context.

    Attributes:
        request_id: the caller's, or a new one.
        deadline: on the monotonic clock, seconds; infinite where there is none.
        is_active: whether the caller is still there.
        method: in full, as in "/merchlens.v1.SearchService/Search"; for the log.
        started: on the monotonic clock, seconds.
        is_stopping: whether the server is about to stop, so that a stream should end.
    """

    request_id: str
    deadline: float
    is_active: Callable[[], bool]
    method: str = ""
    started: float = field(default_factory=time.monotonic)
    is_stopping: Callable[[], bool] = lambda: False

    @classmethod
    def begin(
        cls,
        context: grpc.ServicerContext,
        default_timeout_s: float,
        method: str,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> Call:
        """Record a call that is about to be handled; the default is for callers without a deadline."""
        given = next((value for key, value in context.invocation_metadata() or () if key == REQUEST_ID), "")
        remaining = context.time_remaining()
        # Without a deadline gRPC gives None, or a practically endless time.
        timeout = default_timeout_s if remaining is None or remaining > 1e6 else remaining
        request_id = given if isinstance(given, str) and _PERMITTED_ID.fullmatch(given) else str(uuid.uuid4())
        return cls(request_id, time.monotonic() + timeout, context.is_active, method, is_stopping=is_stopping)

    def check_goes_on(self) -> None:
        """Raise where a stream is to end before its caller ends it: see `check_alive`, or ServerStopping."""
        self.check_alive()
        if self.is_stopping():
            raise ServerStopping(
                "the server is stopping; next step: ask again for what was not answered, another one may take its place"
            )

    def check_alive(self) -> None:
        """Raise DeadlineExpired where the caller no longer waits, so that no more work is spent on it."""
        if time.monotonic() >= self.deadline:
            raise DeadlineExpired("the call's deadline passed before the work was done; next step: give it more time")
        if not self.is_active():
            raise DeadlineExpired("the caller cancelled")
