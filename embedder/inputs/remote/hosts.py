"""Which web servers pictures may be fetched from: the operator's list, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, urljoin, urlsplit

from embedder.errors import PictureUrlRefused

DEFAULT_PORTS: Mapping[str, int] = MappingProxyType({"https": 443, "http": 80})

_ENTRY = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<wild>\*\.)?(?P<host>\[[0-9a-f:.]+\]|[^\s/:?#@*\[\]]+)(?::(?P<port>[0-9]{1,5}))?/?",
    re.IGNORECASE,
)
# What a path may hold as it is; everything else is escaped, and what is escaped already stays.
_PLAIN_IN_PATH = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A URL taken apart once, so that what is checked is what is asked for.

    Attributes:
        scheme: "https" or "http".
        host: a name in lower case (IDNA) or an IP address, without brackets.
        port: 1 to 65,535.
        target: path and query, escaped; begins with "/".
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def url(self) -> str:
        """The whole again, for messages and for what a redirect is relative to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"

    def redirected(self, location: str) -> WebAddress:
        """Where a redirect leads.

        Raises:
            PictureUrlRefused: nowhere that a picture could be.
        """
        try:
            target = urljoin(self.url, location)
        except ValueError as error:
            raise PictureUrlRefused(
                f"picture {self.url[:200]!r} is redirected to {location[:200]!r}, which is no URL: {error}"
            ) from error
        return parse_url(target)


def parse_url(url: str) -> WebAddress:
    """Take a picture's URL apart.

    Raises:
        PictureUrlRefused: another scheme, no host, a user name or password in it, or not a URL at all.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
        host = _plain_host(host)
    except ValueError as error:
        raise PictureUrlRefused(f"picture {url[:200]!r} is not a URL: {error}; permitted: https://HOST/PATH") from error
    if scheme not in DEFAULT_PORTS or not host or port == 0:
        raise PictureUrlRefused(f"picture {url[:200]!r}; permitted: https://HOST/PATH")
    if "@" in parts.netloc:
        raise PictureUrlRefused(f"picture at {host!r} has a user name in its URL; permitted: none")
    target = quote(parts.path, safe=_PLAIN_IN_PATH) or "/"
    if parts.query:
        target += "?" + quote(parts.query, safe=_PLAIN_IN_PATH + "?")
    return WebAddress(scheme, host, port or DEFAULT_PORTS[scheme], target)


@dataclass(frozen=True, slots=True)
class HostRule:
    """One entry of the list.

    Attributes:
        scheme: "https", or "http" where the entry says so.
        host: as `WebAddress.host`.
        port: the one that is permitted.
        with_subdomains: names that end in ".host" are permitted, and the host itself is not.
    """

    scheme: str
    host: str
    port: int
    with_subdomains: bool

    def permits(self, address: WebAddress) -> bool:
        """Whether an address is this entry's."""
        if (address.scheme, address.port) != (self.scheme, self.port):
            return False
        if self.with_subdomains:
            return address.host.endswith(f".{self.host}")
        return address.host == self.host

    @classmethod
    def parse(cls, entry: str) -> HostRule:
        """Read an entry: `cdn.shop.example`, `*.shop.example`, `cdn.shop.example:8443`, `http://cdn.shop.example`.

        Raises:
            ValueError: anything else.
        """
        match = _ENTRY.fullmatch(entry.strip())
        port = int(match["port"]) if match and match["port"] else None
        host = ""
        if match:
            try:
                host = _plain_host(match["host"].strip("[]"))
            except ValueError:
                host = ""
        if match is None or not host or (port is not None and not 1 <= port <= 65_535):
            raise ValueError(
                f"picture host {entry!r}; permitted: a host such as cdn.shop.example, *.shop.example for those below "
                "it, with a port where it is not 443 (cdn.shop.example:8443), or http://HOST for one without TLS"
            )
        scheme = (match["scheme"] or "https").lower()
        return cls(scheme, host, port or DEFAULT_PORTS[scheme], with_subdomains=bool(match["wild"]))


@dataclass(frozen=True, slots=True)
class PictureHosts:
    """The list of permitted servers; an empty one permits none."""

    rules: tuple[HostRule, ...]

    @classmethod
    def parse(cls, entries: Iterable[str]) -> PictureHosts:
        """Read entries; see `HostRule.parse`."""
        return cls(tuple(HostRule.parse(entry) for entry in entries))

    def check(self, address: WebAddress) -> None:
        """Check that a picture may be fetched from there.

        Raises:
            PictureUrlRefused: it is nobody's on the list.
        """
        if not any(rule.permits(address) for rule in self.rules):
            origin = address.url.removesuffix(address.target)
            entry = origin if address.scheme == "http" else origin.removeprefix("https://")
            raise PictureUrlRefused(
                f"picture {address.url[:200]!r} is on a host that is not permitted; next step: permit it with "
                f"--picture-host {entry}, or download the pictures"
            )


def _plain_host(host: str) -> str:
    """A host in one spelling.

    Raises:
        ValueError: a name that DNS cannot have.
    """
    host = host.lower().removesuffix(".")
    # UnicodeError is a ValueError.
    return host if host.isascii() else host.encode("idna").decode("ascii")
