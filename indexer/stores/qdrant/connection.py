"""The connection to a Qdrant server: where it leads, and what its failures mean."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from indexer.errors import StoreError, StoreNotFound, StoreUnavailable, StoreUrlInvalid
from indexer.stores.qdrant.arguments import QdrantArguments

DEFAULT_CATALOG = "merchlens"

_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
}

_NEXT_STEPS: dict[grpc.StatusCode | None, str] = {
    grpc.StatusCode.UNAUTHENTICATED: "it wants an API key, or another one: set MERCHLENS_QDRANT_API_KEY",
    grpc.StatusCode.PERMISSION_DENIED: (
        "the API key may not do this: set one in MERCHLENS_QDRANT_API_KEY that may write, or read for a server"
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: "it took longer than qdrant.timeout_s: is it overloaded, or still indexing?",
}

_FULL = ("no space left", "disk is full", "not enough disk", "out of disk")

T = TypeVar("T")


class Connection:
    """A client, and the one place where what it raises becomes one of our errors.

    Attributes:
        client: to be called through `call` only.
        url: `qdrant://HOST:PORT/CATALOG`, without credentials.
    """

    def __init__(self, client: QdrantClient, url: str) -> None:
        self.client = client
        self.url = url

    def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call one of the client's methods.

        Raises:
            StoreNotFound: what was asked for is not there.
            StoreUnavailable: it failed another way; the message says what to do about it.
        """
        try:
            return function(*args, **kwargs)
        except (grpc.RpcError, ApiException, ResponseHandlingException, UnexpectedResponse, OSError) as error:
            raise self._meaning(error) from error

    def _meaning(self, error: Exception) -> StoreError:
        detail = str(error.details() if isinstance(error, grpc.Call) else error)[:300]
        code = error.code() if isinstance(error, grpc.Call) else _CODES.get(getattr(error, "status_code", 0))
        if code is grpc.StatusCode.NOT_FOUND:
            return StoreNotFound(
                f"Qdrant at {self.url} has it no longer: {detail}; next step: restart what still asks for it, or run "
                "python -m indexer build again"
            )
        next_step = _NEXT_STEPS.get(code, "is it up, and is this its gRPC port?")
        if any(sign in detail.casefold() for sign in _FULL):
            next_step = "its disk is full: free space there, or run python -m indexer gc"
        return StoreUnavailable(f"Qdrant at {self.url} failed: {detail}; next step: {next_step}")


def connect(url: str, api_key: str | None, arguments: QdrantArguments) -> tuple[Connection, str]:
    """Connect to `qdrant://HOST[:PORT][/CATALOG]` over gRPC; `qdrants://` is with TLS.

    Returns:
        The connection, and the catalog's name.

    Raises:
        StoreUrlInvalid: not such a URL, or one that would show the key to others.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or 6334
    except ValueError as error:
        raise StoreUrlInvalid(f"store {url!r}: {error}; permitted: qdrant://HOST:6334/CATALOG") from error
    if parts.scheme not in ("qdrant", "qdrants") or not parts.hostname or parts.path.count("/") > 1:
        raise StoreUrlInvalid(f"store {url!r}; permitted: qdrant://HOST:6334/CATALOG, or qdrants:// with TLS")
    if api_key and parts.scheme == "qdrant" and not (_is_this_machine(parts.hostname) or arguments.plain_text_key):
        raise StoreUrlInvalid(
            f"store {url!r} with an API key, which anyone on the way could read; permitted: qdrants://, which is with "
            "TLS, or this machine; next step: that, or plain_text_key = true in the table [qdrant] of the settings"
        )
    client = QdrantClient(
        host=parts.hostname,
        grpc_port=port,
        prefer_grpc=True,
        https=parts.scheme == "qdrants",
        api_key=api_key,
        timeout=arguments.timeout_s,
        check_compatibility=False,
    )
    catalog = parts.path.strip("/") or DEFAULT_CATALOG
    return Connection(client, f"{parts.scheme}://{parts.hostname}:{port}/{catalog}"), catalog


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold().rstrip(".") == "localhost"
