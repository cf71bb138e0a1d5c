"""The client: one channel, deadlines on every call, gRPC's own retries."""

from __future__ import annotations

import json
import operator
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import grpc

from merchlens.errors import REQUEST_ID_METADATA, Unavailable, from_rpc_error
from merchlens.request import (
    MAX_MESSAGE_BYTES,
    ImageSource,
    build_search_request,
    check_api_key,
    check_request_id,
    check_timeout,
    refuse,
)
from merchlens.results import SearchResult
from merchlens.v1 import search_service_pb2_grpc

_CLOSED = "the client is closed; next step: make a new one, and keep calls inside its `with` block"


class Client:
    """Asks one Merchlens server, or several behind one name. Calls from several threads are allowed.

    A call that fails with UNAVAILABLE is tried again by gRPC, after a growing, jittered pause or the one that the
    server asks for; all tries share the call's deadline. Make a client after forking, not before.
    """

    def __init__(
        self,
        target: str = "localhost:50051",
        *,
        timeout_s: float = 10.0,
        max_attempts: int = 4,
        credentials: grpc.ChannelCredentials | None = None,
        api_key: str | None = None,
    ) -> None:
        """Set up; the connection is made by the first call.

        Args:
            target: HOST:PORT, or another gRPC target such as "unix:PATH" or "dns:///NAME:PORT".
            timeout_s: deadline of a call that names none, over 0, at most 86,400 seconds.
            max_attempts: how often a call is tried in all, 1..5; 1 never tries again.
            credentials: for TLS, as from `grpc.ssl_channel_credentials`; None sends everything in clear.
            api_key: printable ASCII characters, sent with each call; in clear unless there are credentials.

        Raises:
            InvalidArgument: a value outside its range.
        """
        if not 1 <= operator.index(max_attempts) <= 5:
            refuse("MAX_ATTEMPTS_RANGE", "max_attempts", f"max_attempts {max_attempts}; permitted: 1 to 5")
        self._target = target
        self._timeout_s = check_timeout(timeout_s)
        self._metadata: tuple[tuple[str, str], ...] = ()
        if api_key is not None:
            check_api_key(api_key)
            self._metadata = (("authorization", f"Bearer {api_key}"),)
        options = _channel_options(max_attempts)
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options=options)
        else:
            self._channel = grpc.secure_channel(target, credentials, options=options)
        self._stub = search_service_pb2_grpc.SearchServiceStub(self._channel)
        self._closed = False

    def search(
        self,
        *,
        text: str | None = None,
        image: ImageSource | None = None,
        product_id: str | None = None,
        vector: Sequence[float] | None = None,
        top_k: int = 10,
        filter: str = "",
        catalog: str = "",
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> SearchResult:
        """Find the products nearest to exactly one of `text`, `image`, `product_id` and `vector`.

        Args:
            text: words, 1 to 4,096 characters.
            image: a picture's path, or its bytes, at most 10 MiB; a str is always a path.
            product_id: of an indexed product, which is not among its own hits.
            vector: an embedding from the server's model, of the index's dimension; scaled to length 1 by the server.
            top_k: how many hits at most, from 1; the server caps it at 1,000 with the warning PAGE_SIZE_CAPPED.
            filter: which products to consider, as in `price < 50 AND in_stock`; "" is all.
            catalog: which catalog to search; "" is the default one.
            timeout_s: deadline over all tries, over 0, at most 86,400 seconds; None is the client's.
            request_id: to find the call in the server's log, 1..128 printable ASCII characters without white space;
                None makes a new one.

        Raises:
            MerchlensError: whichever class the failure's gRPC status has; see `merchlens.errors`.
            InvalidArgument: also without a call being made, where the client can tell.
            OSError: the picture's file cannot be read.
            TypeError: an argument of a wrong type.
            RuntimeError: the client is closed.
        """
        timeout = self._timeout_s if timeout_s is None else check_timeout(timeout_s)
        identity = check_request_id(request_id)
        request = build_search_request(
            text=text,
            image=image,
            product_id=product_id,
            vector=vector,
            top_k=top_k,
            filter=filter,
            catalog=catalog,
        )
        return SearchResult.from_message(self._call(self._stub.Search, request, timeout, identity))

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Wait until a connection stands; whether the server is done loading its index shows in the first call.

        Args:
            timeout_s: seconds to wait at most, over 0, at most 86,400; None is the client's deadline.

        Raises:
            Unavailable: none did in time.
            RuntimeError: the client is closed.
        """
        timeout = self._timeout_s if timeout_s is None else check_timeout(timeout_s)
        if self._closed:
            raise RuntimeError(_CLOSED)
        ready = grpc.channel_ready_future(self._channel)
        try:
            ready.result(timeout=timeout)
        except grpc.FutureTimeoutError as error:
            raise Unavailable(f"{self._no_answer()} (waited {timeout:g} s)") from error
        finally:
            ready.cancel()

    def close(self) -> None:
        """Give the connection back; calls in progress fail with `Cancelled`. Closing twice is allowed."""
        self._closed = True
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Any, request: Any, timeout_s: float, request_id: str) -> Any:
        metadata = (*self._metadata, (REQUEST_ID_METADATA, request_id))
        try:
            return method(request, timeout=timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            unexplained = {
                grpc.StatusCode.UNAVAILABLE: self._no_answer(),
                grpc.StatusCode.DEADLINE_EXCEEDED: f"no answer from {self._target!r} within {timeout_s:g} s; "
                "next step: a larger timeout_s",
            }
            raise from_rpc_error(error, request_id=request_id, unexplained=unexplained) from error
        except ValueError as error:
            # gRPC's way to say that the channel is closed; asked afterwards, since another thread may close any time.
            if self._closed:
                raise RuntimeError(_CLOSED) from error
            raise

    def _no_answer(self) -> str:
        return (
            f"no answer from {self._target!r}; next step: see that a Merchlens server runs there and that both ends "
            "use TLS or neither does; wait_ready() waits for one that is starting"
        )


def _channel_options(max_attempts: int) -> list[tuple[str, int | str]]:
    options: list[tuple[str, int | str]] = [
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        # gRPC tries a call again only while it holds all that was sent, by default 256 KiB: no picture would be.
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
    method = {"name": [{"service": "merchlens.v1.SearchService"}], "retryPolicy": policy}
    return [*options, ("grpc.service_config", json.dumps({"methodConfig": [method]}))]
