"""The connection to a Qdrant server: where it leads, and what its failures mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from indexer.errors import StoreUnavailable, StoreUrlInvalid
from indexer.stores.qdrant.arguments import QdrantArguments

DEFAULT_CATALOG = "merchlens"

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
            StoreUnavailable: it failed, whatever way.
        """
        try:
            return function(*args, **kwargs)
        except (grpc.RpcError, ApiException, ResponseHandlingException, UnexpectedResponse, OSError) as error:
            detail = error.details() if isinstance(error, grpc.Call) else str(error)
            raise StoreUnavailable(
                f"Qdrant at {self.url} failed: {str(detail)[:300]}; next step: is it up, and is this its gRPC port?"
            ) from error


def connect(url: str, api_key: str | None, arguments: QdrantArguments) -> tuple[Connection, str]:
    """Connect to `qdrant://HOST[:PORT][/CATALOG]` over gRPC; `qdrants://` is with TLS.

    Returns:
        The connection, and the catalog's name.

    Raises:
        StoreUrlInvalid: not such a URL.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or 6334
    except ValueError as error:
        raise StoreUrlInvalid(f"store {url!r}: {error}; permitted: qdrant://HOST:6334/CATALOG") from error
    if parts.scheme not in ("qdrant", "qdrants") or not parts.hostname or parts.path.count("/") > 1:
        raise StoreUrlInvalid(f"store {url!r}; permitted: qdrant://HOST:6334/CATALOG, or qdrants:// with TLS")
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
