"""Pictures from a real web server: permitted hosts, public addresses, bounded size, time and redirects."""

from __future__ import annotations

import io
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from embedder.errors import (
    PictureFetchFailed,
    PictureFetchTimeout,
    PictureMissing,
    PictureTooLarge,
    PictureUrlRefused,
)
from embedder.inputs.picture import PictureLimits, RemotePicture, decode_picture
from embedder.inputs.remote.hosts import PictureHosts
from embedder.inputs.remote.web_pictures import MAX_REDIRECTS, WebPictures
from tests.embedder.inputs.remote.web_server import (
    Server,
    drips_body,
    drips_headers,
    hangs_up,
    redirects,
    sends,
    status,
    without_end,
)

LOOPBACK = (ip_network("127.0.0.0/8"),)
LIMITS = PictureLimits(max_bytes=100_000)


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (5, 3), "red").save(file, "PNG")
    return file.getvalue()


class Names:
    """A resolver that gives what a test says, one answer after the other, and counts how often it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server().running() as running:
        running.pages["/a.png"] = sends(png())
        yield running


def fetcher(server: Server, *, hosts: Sequence[str] = (), names: Any = None, **options: Any) -> WebPictures:
    """One that may fetch from a server on this machine, called pictures.test."""
    options = {"permitted_networks": LOOPBACK, "timeout_s": 5.0} | options
    permitted = hosts or [f"http://pictures.test:{server.port}"]
    return WebPictures(PictureHosts.parse(permitted), resolve=names or Names(["127.0.0.1"]), **options)


def url(server: Server, path: str, host: str = "pictures.test") -> str:
    return f"http://{host}:{server.port}{path}"


def test_a_picture_is_fetched_and_decoded(server: Server) -> None:
    picture = RemotePicture(url(server, "/a.png"), fetcher(server))
    assert decode_picture(picture).image.size == (5, 3)
    assert server.hosts == [f"pictures.test:{server.port}"], "the server is told the name, not the address"


def test_a_connection_is_used_again(server: Server) -> None:
    web = fetcher(server)
    for _ in range(3):
        assert web.fetch(url(server, "/a.png"), LIMITS) == png()
    assert (len(server.asked), server.connections) == (3, 1)


def test_what_a_url_must_not_hold_is_escaped(server: Server) -> None:
    server.pages["/red%20b%C3%A4r.png?size=%3C1%3E&q=a%2Fb"] = sends(png())
    assert fetcher(server).fetch(url(server, "/red bär.png?size=<1>&q=a%2Fb"), LIMITS) == png()


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            *("127.0.0.1", "10.0.0.5", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
            *("224.0.0.1", "240.0.0.1", "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"),
            "2002:7f00:1::",
        ],
    )
    def test_a_name_that_stands_for_a_private_address_is_refused_and_nothing_is_asked(
        self, server: Server, address: str
    ) -> None:
        web = fetcher(server, names=Names([address]), permitted_networks=())
        with pytest.raises(PictureUrlRefused, match="private or special network") as refused:
            web.fetch(url(server, "/a.png"), LIMITS)
        assert refused.value.reason == "IMAGE_URL_REFUSED"
        assert server.connections == 0

    def test_one_private_address_among_public_ones_is_enough(self, server: Server) -> None:
        web = fetcher(server, names=Names(["93.184.215.14", "127.0.0.1"]), permitted_networks=())
        with pytest.raises(PictureUrlRefused, match=r"127\.0\.0\.1"):
            web.fetch(url(server, "/a.png"), LIMITS)

    def test_a_host_on_the_list_is_no_way_into_the_own_network(self, server: Server) -> None:
        web = fetcher(
            server, hosts=[f"http://127.0.0.1:{server.port}"], names=Names(["127.0.0.1"]), permitted_networks=()
        )
        with pytest.raises(PictureUrlRefused, match="special network"):
            web.fetch(url(server, "/a.png", "127.0.0.1"), LIMITS)
        assert server.connections == 0

    def test_the_address_that_was_checked_is_the_one_that_is_connected_to(self, server: Server) -> None:
        """A name that changes its mind between check and connection (DNS rebinding) finds no gap: it is asked once."""
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        assert fetcher(server, names=names).fetch(url(server, "/a.png"), LIMITS) == png()
        assert names.asked == ["pictures.test"]

    def test_a_further_connection_is_checked_anew(self, server: Server) -> None:
        server.pages["/hang"] = hangs_up
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        with pytest.raises(PictureUrlRefused, match=r"10\.0\.0\.1"):
            fetcher(server, names=names).fetch(url(server, "/hang"), LIMITS)

    def test_the_next_address_is_tried_where_one_does_not_answer(self, server: Server) -> None:
        with socket.socket() as unused:
            # Bound, and nobody listens: connections are refused.
            unused.bind(("127.0.0.2", server.port))
            web = fetcher(server, names=Names(["127.0.0.2", "127.0.0.1"]))
            assert web.fetch(url(server, "/a.png"), LIMITS) == png()


class TestHosts:
    def test_another_host_is_refused_before_its_name_is_looked_up(self, server: Server) -> None:
        names = Names(["127.0.0.1"])
        with pytest.raises(PictureUrlRefused, match=rf"--picture-host http://other\.test:{server.port}"):
            fetcher(server, names=names).fetch(url(server, "/a.png", "other.test"), LIMITS)
        assert names.asked == []

    def test_http_is_refused_unless_the_list_says_http(self, server: Server) -> None:
        web = fetcher(server, hosts=[f"pictures.test:{server.port}"])
        with pytest.raises(PictureUrlRefused):
            web.fetch(url(server, "/a.png"), LIMITS)

    def test_user_names_in_a_url_are_refused_and_not_repeated(self, server: Server) -> None:
        with pytest.raises(PictureUrlRefused, match="user name") as refused:
            fetcher(server).fetch(f"http://me:secret@pictures.test:{server.port}/a.png", LIMITS)
        assert "secret" not in str(refused.value)


class TestRedirects:
    def test_they_are_followed_also_relative_ones(self, server: Server) -> None:
        server.pages |= {"/1": redirects("/x/2", 301), "/x/2": redirects("../a.png", 307)}
        assert fetcher(server).fetch(url(server, "/1"), LIMITS) == png()

    def test_not_to_a_host_that_is_not_permitted(self, server: Server) -> None:
        server.pages["/1"] = redirects(url(server, "/a.png", "other.test"))
        with pytest.raises(PictureUrlRefused, match="host that is not permitted"):
            fetcher(server).fetch(url(server, "/1"), LIMITS)
        assert server.asked == ["/1"]

    def test_not_to_a_private_address(self, server: Server) -> None:
        inner = f"http://inner.test:{server.port}"
        server.pages["/1"] = redirects(f"{inner}/a.png")
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        web = fetcher(server, hosts=[f"http://pictures.test:{server.port}", inner], names=names)
        with pytest.raises(PictureUrlRefused, match=r"10\.0\.0\.1"):
            web.fetch(url(server, "/1"), LIMITS)

    @pytest.mark.parametrize(
        "target", ["file:///etc/passwd", "ftp://pictures.test/a", "https://", "http://[::1", "data:,x"]
    )
    def test_not_to_anything_but_the_web(self, server: Server, target: str) -> None:
        server.pages["/1"] = redirects(target)
        with pytest.raises(PictureUrlRefused):
            fetcher(server).fetch(url(server, "/1"), LIMITS)

    def test_not_for_ever(self, server: Server) -> None:
        server.pages["/1"] = redirects("/1")
        with pytest.raises(PictureFetchFailed, match=f"more than {MAX_REDIRECTS} times"):
            fetcher(server).fetch(url(server, "/1"), LIMITS)
        assert len(server.asked) == 1 + MAX_REDIRECTS


class TestLimits:
    def test_what_says_that_it_is_too_large_is_not_read(self, server: Server) -> None:
        server.pages["/large"] = sends(b"x", length=LIMITS.max_bytes + 1)
        with pytest.raises(PictureTooLarge, match="100,001 bytes; permitted: up to 100,000"):
            fetcher(server).fetch(url(server, "/large"), LIMITS)

    def test_of_what_does_not_end_no_more_than_permitted_is_read(self, server: Server) -> None:
        server.pages["/endless"] = without_end
        assert len(fetcher(server).fetch(url(server, "/endless"), LIMITS)) == LIMITS.max_bytes + 1
        with pytest.raises(PictureTooLarge):
            decode_picture(RemotePicture(url(server, "/endless"), fetcher(server)), LIMITS)

    @pytest.mark.parametrize("page", [drips_headers, drips_body])
    def test_who_sends_byte_by_byte_gets_no_more_time_than_others(self, server: Server, page: Any) -> None:
        server.pages["/slow"] = page
        with pytest.raises(PictureFetchTimeout, match=r"within 0\.3 s; next step: raise picture_timeout_s"):
            fetcher(server, timeout_s=0.3).fetch(url(server, "/slow"), LIMITS)


class TestFailures:
    @pytest.mark.parametrize("code", [404, 410])
    def test_what_is_gone_is_missing(self, server: Server, code: int) -> None:
        server.pages["/gone"] = status(code)
        with pytest.raises(PictureMissing, match=f"status {code}"):
            fetcher(server).fetch(url(server, "/gone"), LIMITS)

    @pytest.mark.parametrize("code", [204, 403, 500])
    def test_another_status_is_a_failure_and_is_not_asked_for_again(self, server: Server, code: int) -> None:
        server.pages["/bad"] = status(code)
        with pytest.raises(PictureFetchFailed, match=f"status {code}; permitted: 200"):
            fetcher(server).fetch(url(server, "/bad"), LIMITS)
        assert len(server.asked) == 1

    @pytest.mark.parametrize("first", [status(503), status(429), hangs_up], ids=["busy", "too many", "hung up"])
    def test_what_may_pass_is_asked_for_once_more(self, server: Server, first: Any) -> None:
        server.pages["/shy"] = lambda handler: (first if len(server.asked) == 1 else sends(png()))(handler)
        assert fetcher(server).fetch(url(server, "/shy"), LIMITS) == png()

    def test_what_stays_is_a_failure(self, server: Server) -> None:
        server.pages["/busy"] = status(503)
        with pytest.raises(PictureFetchFailed, match="status 503"):
            fetcher(server).fetch(url(server, "/busy"), LIMITS)
        assert len(server.asked) == 2

    def test_a_body_that_ends_early_is_a_failure(self, server: Server) -> None:
        server.pages["/cut"] = sends(png()[:20], length=len(png()))
        with pytest.raises(PictureFetchFailed):
            fetcher(server).fetch(url(server, "/cut"), LIMITS)

    def test_a_name_without_an_address_is_a_failure(self, server: Server) -> None:
        def unknown(host: str, port: int) -> Sequence[str]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        with pytest.raises(PictureFetchFailed, match="no address: Name or service not known"):
            fetcher(server, names=unknown).fetch(url(server, "/a.png"), LIMITS)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of a server called pictures.test, which is its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the Debian package openssl")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=pictures.test", "-addext", "subjectAltName=DNS:pictures.test"]
    subprocess.run([*new, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


class TestTls:
    @pytest.fixture
    def secure(self, certificate: tuple[Path, Path]) -> Iterator[Server]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[1], certificate[0])
        with Server(context).running() as running:
            running.pages["/a.png"] = sends(png())
            yield running

    def ask(self, secure: Server, host: str, trusted: Path | None) -> bytes:
        context = ssl.create_default_context(cafile=trusted)
        web = fetcher(secure, hosts=[f"{host}:{secure.port}"], ssl_context=context)
        return web.fetch(f"https://{host}:{secure.port}/a.png", LIMITS)

    def test_the_certificate_is_checked_against_the_name(self, secure: Server, certificate: tuple[Path, Path]) -> None:
        assert self.ask(secure, "pictures.test", certificate[1]) == png()
        with pytest.raises(PictureFetchFailed, match=r"(?i)hostname mismatch"):
            self.ask(secure, "other.test", certificate[1])

    def test_a_certificate_of_nobody_is_refused(self, secure: Server) -> None:
        with pytest.raises(PictureFetchFailed, match=r"(?i)certificate"):
            self.ask(secure, "pictures.test", None)
