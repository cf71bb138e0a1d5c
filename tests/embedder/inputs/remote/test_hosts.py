"""Which URLs the operator's list permits."""

from __future__ import annotations

import pytest

from embedder.errors import PictureUrlRefused
from embedder.inputs.remote.addresses import is_public
from embedder.inputs.remote.hosts import PictureHosts, parse_url


def permits(entry: str, url: str) -> bool:
    try:
        PictureHosts.parse([entry]).check(parse_url(url))
    except PictureUrlRefused:
        return False
    return True


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("cdn.test", "https://cdn.test/a.png"),
        ("CDN.test", "HTTPS://cdn.TEST./a.png"),
        ("https://cdn.test/", "https://cdn.test:443/a.png"),
        ("cdn.test:8443", "https://cdn.test:8443/"),
        ("http://cdn.test", "http://cdn.test/a.png"),
        ("*.shop.test", "https://img.eu.shop.test/a.png"),
        ("bücher.test", "https://xn--bcher-kva.test/a.png"),
        ("203.0.113.7", "https://203.0.113.7/a.png"),
        ("[2001:db8::7]:8443", "https://[2001:DB8::7]:8443/a.png"),
    ],
)
def test_what_is_permitted(entry: str, url: str) -> None:
    assert permits(entry, url)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("cdn.test", "http://cdn.test/a.png"),
        ("http://cdn.test", "https://cdn.test/a.png"),
        ("cdn.test", "https://cdn.test:8443/a.png"),
        ("cdn.test", "https://evil-cdn.test/a.png"),
        ("cdn.test", "https://cdn.test.evil.test/a.png"),
        ("cdn.test", "https://a.cdn.test/a.png"),
        ("cdn.test", "https://evil.test/cdn.test"),
        ("cdn.test", "https://evil.test\\@cdn.test/"),
        ("cdn.test", "https://cdn.test@evil.test/"),
        ("*.shop.test", "https://shop.test/a.png"),
        ("*.shop.test", "https://evilshop.test/a.png"),
    ],
)
def test_what_is_not(entry: str, url: str) -> None:
    assert not permits(entry, url)


@pytest.mark.parametrize(
    "entry", ["", "*", "*.", "ftp://cdn.test", "cdn.test/path", "a b", "cdn.test:0", "cdn.test:99999"]
)
def test_what_is_no_entry(entry: str) -> None:
    with pytest.raises(ValueError, match=r"picture host .*; permitted: a host such as"):
        PictureHosts.parse([entry])


@pytest.mark.parametrize(
    "url", ["https://", "https:///a", "ftp://a/b", "https://a:b/c", "https://a:0/", "https://[x]/", "//a/b"]
)
def test_what_is_no_url_of_a_picture(url: str) -> None:
    with pytest.raises(PictureUrlRefused):
        parse_url(url)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["", "localhost", "127.1", "1.2.3", "fe80::1%eth0", "::", "255.255.255.255", "ff02::1"]
)
def test_what_is_no_public_address(address: str) -> None:
    assert not is_public(address)
