"""The client."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc

from merchlens.errors import FieldViolation, InvalidArgument, Unavailable, from_rpc_error
from merchlens.results import SearchResult
from merchlens.v1 import query_pb2, search_service_pb2, search_service_pb2_grpc

_MAX_MESSAGE_BYTES = 17 * 1024 * 1024
_INT32_MAX = 2**31 - 1

ImageSource = str | os.PathLike[str] | bytes | bytearray | memoryview


class Client:
    """A connection to a Merchlens server. Safe to share between threads; close it, or use it as a context manager.

    Every call has a deadline. Calls that end with UNAVAILABLE are repeated up to `max_attempts` times in all, with
    growing, jittered pauses, within the same deadline; gRPC itself does that, and obeys a server that asks to wait.
    Nothing else is repeated.
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
        """Make a client; connects with the first call.

        Args:
            target: HOST:PORT, or any other gRPC target.
            timeout_s: deadline of a call, seconds, above 0.
            max_attempts: 1 (never repeat) to 5.
            credentials: of TLS; None is plain text.
            api_key: sent as `authorization: Bearer`.

        Raises:
            ValueError: an argument outside its range.
        """
        if not timeout_s > 0:
            raise ValueError(f"timeout_s {timeout_s}; permitted: above 0")
        if not 1 <= max_attempts <= 5:
            raise ValueError(f"max_attempts {max_attempts}; permitted: 1 to 5")
        self._target = target
        self._timeout_s = timeout_s
        self._metadata: tuple[tuple[str, str], ...] = (("authorization", f"Bearer {api_key}"),) if api_key else ()
        options = [
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            # A server that comes back is found within seconds, not after gRPC's two minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
            ("grpc.service_config", json.dumps(_service_config(max_attempts))),
        ]
        self._channel = (
            grpc.insecure_channel(target, options)
            if credentials is None
            else grpc.secure_channel(target, credentials, options)
        )
        self._search = search_service_pb2_grpc.SearchServiceStub(self._channel)

    def search(
        self,
        *,
        text: str | None = None,
        image: ImageSource | None = None,
        product_id: str | None = None,
        vector: Sequence[float] | None = None,
        top_k: int = 10,
        filter: str = "",  # noqa: A002  (the contract's name)
        catalog: str = "",
        timeout_s: float | None = None,
        request_id: str | None = None,
    ) -> SearchResult:
        """Find the nearest products.

        Args:
            text: words, 1 to 4,096 characters.
            image: a path (str or PathLike), or one picture file's bytes, up to 10 MiB.
            product_id: an indexed product; it is not among its own hits.
            vector: an embedding of the same model.
            top_k: hits at most, 1 to 1,000; the server caps more, with a warning.
            filter: as in `category:"shoes/boots" AND price < 50 AND in_stock`.
            catalog: "" for the default one.
            timeout_s: this call's deadline, above 0; None is the client's.
            request_id: 1 to 128 printable ASCII characters, to find the call in logs; None lets the server choose.

        Returns:
            The hits, nearest first, the predicted category, and what the reply says of itself.

        Raises:
            InvalidArgument: not exactly one of text, image, product_id, vector (no call is made then), or whatever
                else the server refuses.
            OSError: a path that cannot be read.
            MerchlensError: see `merchlens.errors`.
        """
        if top_k < 1 or top_k > _INT32_MAX:
            raise _invalid("PAGE_SIZE_NEGATIVE", "page_size", f"top_k {top_k}; permitted: 1 to 1000")
        part = _to_part(text, image, product_id, vector)
        metadata = self._metadata if request_id is None else (*self._metadata, ("x-request-id", request_id))
        try:
            request = search_service_pb2.SearchRequest(catalog=catalog, parts=[part], filter=filter, page_size=top_k)
        except (ValueError, TypeError) as error:
            raise _invalid("REQUEST_INVALID", "", f"the request cannot be encoded: {error}") from error
        try:
            response = self._search.Search(request, timeout=timeout_s or self._timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self._target) from error
        return SearchResult.from_message(response)

    def wait_ready(self, timeout_s: float = 10.0) -> None:
        """Wait until the server can be reached.

        Raises:
            Unavailable: it could not within `timeout_s` seconds.
        """
        try:
            grpc.channel_ready_future(self._channel).result(timeout=timeout_s)
        except grpc.FutureTimeoutError as error:
            raise Unavailable(
                f"no connection to {self._target} within {timeout_s} s; next step: is the server up, and is this its "
                "address?"
            ) from error

    def close(self) -> None:
        """Close the connection; calls in flight end as Cancelled."""
        self._channel.close()

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


def _to_part(
    text: str | None, image: ImageSource | None, product_id: str | None, vector: Sequence[float] | None
) -> query_pb2.QueryPart:
    given = [
        name
        for name, value in (("text", text), ("image", image), ("product_id", product_id), ("vector", vector))
        if value is not None
    ]
    if len(given) != 1:
        raise _invalid(
            "QUERY_PARTS",
            "parts",
            f"{' and '.join(given) or 'nothing'} given to search for; permitted: exactly one of text, image, "
            "product_id, vector",
        )
    data = None if image is None else _read(image)
    try:
        if data is not None:
            return query_pb2.QueryPart(image=query_pb2.Image(data=data))
        if vector is not None:
            return query_pb2.QueryPart(vector=query_pb2.Vector(values=vector))
        return query_pb2.QueryPart(text=text) if text is not None else query_pb2.QueryPart(product_id=product_id)
    except (ValueError, TypeError) as error:
        raise _invalid("QUERY_INVALID", f"parts[0].{given[0]}", f"{given[0]} cannot be sent: {error}") from error


def _read(image: ImageSource) -> bytes:
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    return Path(image).read_bytes()


def _invalid(reason: str, field: str, message: str) -> InvalidArgument:
    return InvalidArgument(message, reason=reason, field_violations=[FieldViolation(field, message)])


def _service_config(max_attempts: int) -> dict[str, object]:
    """gRPC's own retry policy (gRFC A6); its pauses are jittered, and servers' push-back is obeyed."""
    method: dict[str, object] = {"name": [{"service": "merchlens.v1.SearchService"}]}
    if max_attempts > 1:
        method["retryPolicy"] = {
            "maxAttempts": max_attempts,
            "initialBackoff": "0.1s",
            "maxBackoff": "2s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
    return {"methodConfig": [method]}
