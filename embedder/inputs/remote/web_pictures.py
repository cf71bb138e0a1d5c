"""Pictures from web servers: only permitted hosts, only public addresses, bounded in size, time and redirects."""

from __future__ import annotations

import random
import ssl
from collections.abc import Sequence

import httpcore2

from embedder.errors import PictureFetchFailed, PictureFetchTimeout, PictureMissing, PictureTooLarge
from embedder.inputs.picture import PictureLimits
from embedder.inputs.remote.addresses import Network
from embedder.inputs.remote.checked_network import CheckedNetwork, Resolve, resolve_name
from embedder.inputs.remote.hosts import PictureHosts, WebAddress, parse_url

MAX_REDIRECTS = 3
ATTEMPTS = 2
"""How often a picture is asked for where a connection broke, or the server said that it is busy."""

_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_BUSY = (429, 502, 503, 504)
_PAUSE_S = (0.2, 0.6)
_MAX_CONNECTIONS = 64
_HEADERS = (("User-Agent", "merchlens"), ("Accept", "image/*,*/*;q=0.1"), ("Accept-Encoding", "identity"))


class _Busy(Exception):
    """A status that may pass."""


class WebPictures:
    """Fetches pictures by their URLs, in any number of threads; connections are kept and used again.

    A proxy of the environment is not used: it would resolve names itself, and what it connects to could not be checked.
    """

    def __init__(
        self,
        hosts: PictureHosts,
        *,
        timeout_s: float = 10.0,
        permitted_networks: Sequence[Network] = (),
        resolve: Resolve = resolve_name,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare; connects to nothing.

        Args:
            hosts: the servers that are permitted, also as the target of a redirect.
            timeout_s: for one picture, from the first connection to the last byte, redirects and a second attempt
                included; above 0. Looking a name up is bounded by the system's resolver instead.
            permitted_networks: networks that may be connected to although they are not public. No command sets this.
            resolve: finds a host's addresses.
            ssl_context: what is trusted; None: what the system trusts.
        """
        self._hosts = hosts
        self._timeout_s = timeout_s
        self._network = CheckedNetwork(permitted_networks, resolve)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=_MAX_CONNECTIONS,
            keepalive_expiry=5.0,
            network_backend=self._network,
        )

    def close(self) -> None:
        """Close the connections that are kept."""
        self._pool.close()

    def fetch(self, url: str, limits: PictureLimits) -> bytes:
        """Fetch a picture.

        Returns:
            Its bytes; at most one more than `limits.max_bytes`, so that who decodes it sees that it is too large.

        Raises:
            PictureUrlRefused: a host that is not permitted or an address that is not public, also behind a redirect.
            PictureMissing: the server says that there is no such picture.
            PictureTooLarge: the server says that it is larger than permitted; nothing of it is read.
            PictureFetchTimeout: it took longer than permitted.
            PictureFetchFailed: no connection, a broken one, another status, or too many redirects.
        """
        address = parse_url(url)
        try:
            with self._network.deadline(self._timeout_s):
                return self._follow(address, limits)
        except httpcore2.TimeoutException as error:
            raise PictureFetchTimeout(
                f"picture {address.url[:200]!r} did not come within {self._timeout_s:g} s; next step: raise "
                "picture_timeout_s, or download the pictures"
            ) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError, _Busy) as error:
            raise PictureFetchFailed(
                f"picture {address.url[:200]!r} could not be fetched: {str(error) or type(error).__name__}; next step: "
                "try again later, or download the pictures"
            ) from error

    def _follow(self, address: WebAddress, limits: PictureLimits) -> bytes:
        first = address
        for _ in range(1 + MAX_REDIRECTS):
            self._hosts.check(address)
            found = self._ask_again(address, limits)
            if isinstance(found, bytes):
                return found
            address = found
        raise PictureFetchFailed(
            f"picture {first.url[:200]!r} is redirected more than {MAX_REDIRECTS} times; permitted: up to "
            f"{MAX_REDIRECTS}; next step: name the URL that it ends at"
        )

    def _ask_again(self, address: WebAddress, limits: PictureLimits) -> bytes | WebAddress:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._ask(address, limits)
            except (httpcore2.NetworkError, httpcore2.RemoteProtocolError, _Busy):
                # Not for secrets: so that threads do not come back all at once.
                self._network.sleep(random.uniform(*_PAUSE_S))  # noqa: S311
        return self._ask(address, limits)

    def _ask(self, address: WebAddress, limits: PictureLimits) -> bytes | WebAddress:
        url = httpcore2.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        wait = {"pool": self._network.left_s()}
        with self._pool.stream("GET", url, headers=list(_HEADERS), extensions={"timeout": wait}) as response:
            headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in _REDIRECTS and b"location" in headers:
                return address.redirected(headers[b"location"])
            if response.status in _GONE:
                raise PictureMissing(f"picture {address.url[:200]!r} is not there: status {response.status}")
            if response.status in _BUSY:
                raise _Busy(f"status {response.status}")
            if response.status != 200:
                raise PictureFetchFailed(
                    f"picture {address.url[:200]!r} could not be fetched: status {response.status}; permitted: 200"
                )
            length = headers.get(b"content-length", "")
            if length.isdigit() and len(length) < 20 and int(length) > limits.max_bytes:
                raise PictureTooLarge(
                    f"picture {address.url[:200]!r} of {int(length):,} bytes; permitted: up to {limits.max_bytes:,}; "
                    f"{limits.advice}"
                )
            return _read(response, limits.max_bytes)


def _read(response: httpcore2.Response, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_stream():
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            break
    return b"".join(chunks)[: max_bytes + 1]
