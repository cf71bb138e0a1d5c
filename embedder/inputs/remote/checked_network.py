"""Connections for fetching pictures: each goes to an address that was checked, and none outlasts its deadline.

This is httpcore's own seam, a network backend. A name is resolved here and connected to here, in one step: there is no
second look-up that could give another address than the one that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpcore2

from embedder.errors import PictureUrlRefused
from embedder.inputs.remote.addresses import Network, is_in, is_public

Resolve = Callable[[str, int], Sequence[str]]
"""From a host's name and a port to its IP addresses; raises OSError where it has none."""


def resolve_name(host: str, port: int) -> Sequence[str]:
    """The addresses of a host as the system knows them, the one to prefer first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class CheckedNetwork(httpcore2.NetworkBackend):
    """Connects to public addresses only, within the calling thread's deadline."""

    def __init__(self, permitted: Sequence[Network] = (), resolve: Resolve = resolve_name) -> None:
        """Prepare.

        Args:
            permitted: networks that may be connected to although they are not public.
            resolve: finds a host's addresses.
        """
        self._permitted = tuple(permitted)
        self._resolve = resolve
        self._backend = httpcore2.SyncBackend()
        self._thread = threading.local()

    @contextmanager
    def deadline(self, timeout_s: float) -> Iterator[None]:
        """Bound all that the calling thread does here meanwhile, seconds; afterwards it may do nothing."""
        self._thread.ends = time.monotonic() + timeout_s
        try:
            yield
        finally:
            self._thread.ends = 0.0

    def left_s(self) -> float:
        """What the calling thread has left, seconds.

        Raises:
            httpcore2.ReadTimeout: nothing.
        """
        left = float(getattr(self._thread, "ends", 0.0)) - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the time is over")
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve a host, check all of its addresses, and connect to the first that answers.

        Raises:
            PictureUrlRefused: one of the addresses is not public. A name that has both kinds is somebody's trick, or
                a mistake.
            httpcore2.ConnectError: no address, or none that answers.
        """
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"its host has no address: {error.strerror or error}") from error
        # A label of more than 63 characters.
        except UnicodeError as error:
            raise httpcore2.ConnectError(f"its host is no name: {error}") from error
        for address in addresses:
            self._check(host, address)
        failure: Exception = httpcore2.ConnectError("its host has no address")
        for address in addresses:
            try:
                stream = self._backend.connect_tcp(address, port, self.left_s(), local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            return _BoundedStream(stream, self)
        raise failure

    def sleep(self, seconds: float) -> None:
        """Wait; no longer than the deadline permits."""
        time.sleep(min(seconds, self.left_s()))

    def _check(self, host: str, address: str) -> None:
        if is_public(address) or is_in(address, self._permitted):
            return
        what = address if _is_address(host) else f"{address}, which the name stands for"
        raise PictureUrlRefused(
            f"picture on host {host!r}: {what}, is an address of a private or special network; permitted: public "
            "addresses; next step: download the pictures"
        )


class _BoundedStream(httpcore2.NetworkStream):
    """A connection whose every read and write ends with the deadline of the thread that asks."""

    def __init__(self, stream: httpcore2.NetworkStream, network: CheckedNetwork) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._network.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._network.left_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._network.left_s())
        return _BoundedStream(stream, self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
