"""Which IP addresses are on the public internet: a picture's URL must not reach into the operator's own network."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Network = IPv4Network | IPv6Network

# Addresses that stand for an IPv4 address, which is what has to be looked at (RFC 6052, 4291, 3056).
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")


def is_public(text: str) -> bool:
    """Whether an IP address may be connected to: not private, loopback, link-local, multicast, reserved or unknown.

    An IPv6 address that carries an IPv4 address is public where that one is. False for what is no address.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        carried = _carried(address)
        if carried is not None:
            return is_public(str(carried))
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_unspecified
    )


def is_in(text: str, networks: tuple[Network, ...]) -> bool:
    """Whether an IP address lies in one of some networks."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks if network.version == address.version)


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in network for network in _NAT64) or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
