"""Where a server listens."""

from __future__ import annotations

import ipaddress

from server.errors import StartupRefused


def to_target(host: str, port: int) -> str:
    """HOST:PORT as clients and gRPC take it: an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def is_local(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_host(host: str, insecure: bool) -> None:
    """Refuse to serve unencrypted, unauthenticated calls on an address that other machines can reach.

    Raises:
        StartupRefused: the address is not a loopback one, and `insecure` does not permit that.
    """
    if not (insecure or is_local(host)):
        raise StartupRefused(
            f"host {host!r} can be reached by others, and calls are neither encrypted nor authenticated; "
            "permitted: 127.0.0.1, ::1, localhost; next step: bind to one of these behind a proxy that does both, or "
            "give --insecure"
        )
