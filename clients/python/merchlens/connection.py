"""One channel to a server, for every service: deadlines, gRPC's own retries, named errors."""

from __future__ import annotations

import json
import operator
import random
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc

from merchlens.errors import REQUEST_ID_METADATA, Unavailable, from_rpc_error
from merchlens.request import MAX_MESSAGE_BYTES, check_api_key, check_timeout, refuse

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0
"""Between two attempts of a call that a stopping server dropped; doubled each time.

A server that stops drops many calls in a row, and the next one needs a moment to start.
"""

_CLOSED = "the client is closed; next step: make a new one, and keep calls inside its `with` block"

Method = Callable[..., Any]
"""A method of a generated stub, of any of gRPC's four kinds."""


Stub = TypeVar("Stub")


class Connection:
    """Makes calls of any service's methods. Calls from several threads are allowed.

    A call waits for a connection while its deadline lasts, so that it survives a server's restart, and is sent again
    for as long where a stopping server drops it; one that fails with UNAVAILABLE nevertheless is retried by gRPC. With
    `max_attempts` 1 none of this happens.
    """

    def __init__(
        self,
        target: str,
        *,
        timeout_s: float,
        max_attempts: int,
        credentials: grpc.ChannelCredentials | None,
        api_key: str | None,
    ) -> None:
        """Set up, as `Client` describes; the connection is made by the first call."""
        if not 1 <= operator.index(max_attempts) <= 5:
            refuse("MAX_ATTEMPTS_RANGE", "max_attempts", f"max_attempts {max_attempts}; permitted: 1 to 5")
        self._target = target
        self._timeout_s = check_timeout(timeout_s)
        self._waits = max_attempts > 1
        self._metadata: tuple[tuple[str, str], ...] = ()
        if api_key is not None:
            check_api_key(api_key)
            self._metadata = (("authorization", f"Bearer {api_key}"),)
        options = _channel_options(max_attempts)
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options=options)
        else:
            self._channel = grpc.secure_channel(target, credentials, options=options)
        self._closed = False

    def stub(self, kind: Callable[[grpc.Channel], Stub]) -> Stub:
        """A service's generated stub on this channel; its methods are what `unary` and `stream` take."""
        return kind(self._channel)

    def timeout(self, timeout_s: float | None) -> float:
        """A call's deadline in seconds: the one given, checked, or the client's.

        Raises:
            InvalidArgument: it is outside its range.
        """
        return self._timeout_s if timeout_s is None else check_timeout(timeout_s)

    def unary(self, method: Method, request: Any, *, timeout_s: float, request_id: str) -> Any:
        """Call a method that gives one reply.

        Args:
            method: of a stub.
            request: a message, or a list of messages where the method takes a stream.
            timeout_s: deadline for all attempts together.
            request_id: under which the server logs the call.

        Raises:
            MerchlensError: the class of the failure's status.
            RuntimeError: the client is closed.
        """
        until = time.monotonic() + timeout_s
        pause = _FIRST_PAUSE_S
        with self._named_errors(timeout_s, request_id):
            while True:
                left = max(0.0, until - time.monotonic())
                # Each attempt sends all of them.
                sent = iter(request) if isinstance(request, list) else request
                try:
                    return method(sent, timeout=left, metadata=self._sent(request_id), wait_for_ready=self._waits)
                except grpc.RpcError as error:
                    # gRPC's own retries do not cover this case.
                    if not self._waits or not self._was_cut_off(error):
                        raise
                    if time.monotonic() + pause >= until:
                        raise Unavailable(f"{self._no_answer()} (tried for {timeout_s:g} s)") from error
                time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
                pause = min(2 * pause, _LONGEST_PAUSE_S)

    def stream(self, method: Method, request: Any, *, timeout_s: float, request_id: str) -> Generator[Any, None, None]:
        """Call a method that gives a stream of replies; arguments and errors are those of `unary`.

        gRPC retries a stream only as long as no reply has come. Closing the iterator cancels the call.
        """
        with self._named_errors(timeout_s, request_id):
            replies = method(request, timeout=timeout_s, metadata=self._sent(request_id), wait_for_ready=self._waits)
            try:
                yield from replies
            finally:
                replies.cancel()

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until there is a connection.

        Raises:
            Unavailable: none did in time.
            RuntimeError: the client is closed.
        """
        if self._closed:
            raise RuntimeError(_CLOSED)
        ready = grpc.channel_ready_future(self._channel)
        try:
            ready.result(timeout=timeout_s)
        except grpc.FutureTimeoutError as error:
            raise Unavailable(f"{self._no_answer()} (waited {timeout_s:g} s)") from error
        finally:
            ready.cancel()

    def close(self) -> None:
        """Close the channel; calls in progress fail with `Cancelled`. Closing twice is allowed."""
        self._closed = True
        self._channel.close()

    def _sent(self, request_id: str) -> tuple[tuple[str, str], ...]:
        return (*self._metadata, (REQUEST_ID_METADATA, request_id))

    @contextmanager
    def _named_errors(self, timeout_s: float, request_id: str) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            code = error.code() if isinstance(error, grpc.Call) else None
            if code is grpc.StatusCode.DEADLINE_EXCEEDED and self._waits and not self._is_connected():
                # All of the time was spent waiting for a server: to the caller, there is none.
                raise Unavailable(f"{self._no_answer()} (waited {timeout_s:g} s)", request_id=request_id) from error
            unexplained = {
                grpc.StatusCode.UNAVAILABLE: self._no_answer(),
                grpc.StatusCode.DEADLINE_EXCEEDED: f"no answer from {self._target!r} within {timeout_s:g} s; "
                "next step: a larger timeout_s",
            }
            raise from_rpc_error(error, request_id=request_id, unexplained=unexplained) from error
        except ValueError as error:
            # gRPC's way to say that the channel is closed; checked afterwards, since another thread may close it.
            if self._closed:
                raise RuntimeError(_CLOSED) from error
            raise

    def _was_cut_off(self, error: grpc.RpcError) -> bool:
        """Whether a stopping server has dropped the call before any of its code saw it.

        gRPC's servers do that with calls that arrive while they shut down. The status is CANCELLED, without the message
        and metadata of a call that somebody cancelled.
        """
        return (
            not self._closed
            and isinstance(error, grpc.Call)
            and error.code() is grpc.StatusCode.CANCELLED
            and not error.initial_metadata()
            and not error.trailing_metadata()
            and error.details() in ("", "CANCELLED")
        )

    def _is_connected(self) -> bool:
        """Whether there is a connection at this moment."""
        states: list[grpc.ChannelConnectivity] = []
        noted = threading.Event()

        def note(state: grpc.ChannelConnectivity) -> None:
            states.append(state)
            noted.set()

        try:
            # The first state comes at once.
            self._channel.subscribe(note)
            noted.wait(1.0)
            self._channel.unsubscribe(note)
        except ValueError:
            return False
        return states[:1] == [grpc.ChannelConnectivity.READY]

    def _no_answer(self) -> str:
        return (
            f"no answer from {self._target!r}; next step: see that a Merchlens server runs there and that both ends "
            "use TLS or neither does; wait_ready() waits for one that is starting"
        )


def _channel_options(max_attempts: int) -> list[tuple[str, int | str]]:
    options: list[tuple[str, int | str]] = [
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        # gRPC retries a call only while it buffers all that was sent, by default 256 KiB: too little for pictures.
        ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES + 2**20),
        # By default a restarted server may stay unnoticed for two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    if max_attempts == 1:
        # A policy of one attempt is not valid; without one gRPC resends only what no server has seen.
        return options
    policy = {
        "maxAttempts": max_attempts,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    # An empty name stands for every method of every service.
    method = {"name": [{}], "retryPolicy": policy}
    return [*options, ("grpc.service_config", json.dumps({"methodConfig": [method]}))]
