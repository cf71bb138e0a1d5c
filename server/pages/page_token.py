"""Where a walk through pages is: what it walks through, and where it goes on."""

from __future__ import annotations

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from server.errors import InvalidRequest, VersionReplaced

MOST_POSITION_BYTES = 16_384
"""Of a position."""

_FORMAT = 2
_CHECK_BYTES = 8
_DIGEST_BYTES = 8
_HEAD = struct.Struct(f">B{_DIGEST_BYTES}sH")
"""The format, the digest of what is walked through, and how many bytes of the version's name follow."""

_MOST_CHARS = (MOST_POSITION_BYTES + 1024) * 4 // 3
_FIELD = "page_token"


@dataclass(frozen=True, slots=True)
class Walk:
    """What is walked through.

    Attributes:
        version: the index version.
        query: whatever says which products these are, and in which order; the same for all pages.
    """

    version: str
    query: Sequence[bytes]

    def to_token(self, position: bytes) -> str:
        """A token for the page that begins there.

        Raises:
            ValueError: the position is empty, or longer than `MOST_POSITION_BYTES`.
        """
        if not 1 <= len(position) <= MOST_POSITION_BYTES:
            raise ValueError(f"position of {len(position):,} bytes; permitted: 1 to {MOST_POSITION_BYTES:,}")
        version = self.version.encode()
        body = _HEAD.pack(_FORMAT, self._digest(), len(version)) + version + position
        return urlsafe_b64encode(_check(body) + body).rstrip(b"=").decode()

    def position_of(self, token: str) -> bytes:
        """Where the page of a token begins; b"": at the beginning.

        Raises:
            InvalidRequest: PAGE_TOKEN_INVALID, PAGE_TOKEN_OTHER_QUERY.
            VersionReplaced: of another version.
        """
        if not token:
            return b""
        version, digest, position = _read(token)
        if version != self.version:
            raise VersionReplaced(
                f"page_token is of index version {version[:80]!r}, and {self.version!r} is served now; next "
                "step: start again with the first page, without a page_token"
            )
        if digest != self._digest():
            raise InvalidRequest(
                "PAGE_TOKEN_OTHER_QUERY",
                _FIELD,
                "page_token is of another query; permitted: next_page_token of the page before, with all that says "
                "which products are given, and in which order, as it was",
            )
        return position

    def _digest(self) -> bytes:
        digest = blake2b(digest_size=_DIGEST_BYTES)
        for item in self.query:
            digest.update(len(item).to_bytes(8, "big"))
            digest.update(item)
        return digest.digest()


def token_invalid(token: str) -> InvalidRequest:
    """What a token that was not made here is refused with."""
    return InvalidRequest(
        "PAGE_TOKEN_INVALID",
        _FIELD,
        f"page_token {token[:40]!r} was not made here; permitted: next_page_token of the page before, unchanged",
    )


def _read(token: str) -> tuple[str, bytes, bytes]:
    try:
        if len(token) > _MOST_CHARS:
            raise ValueError
        data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        if _check(body) != check:
            raise ValueError
        form, digest, length = _HEAD.unpack_from(body)
        version, position = body[_HEAD.size : _HEAD.size + length], body[_HEAD.size + length :]
        if form != _FORMAT or len(version) != length or not position:
            raise ValueError
        return version.decode(), digest, position
    except (ValueError, struct.error, binascii.Error) as error:
        raise token_invalid(token) from error


def _check(body: bytes) -> bytes:
    """Against accidents; a token tells nothing that its maker may not know, and leads nowhere else."""
    return blake2b(body, digest_size=_CHECK_BYTES).digest()
