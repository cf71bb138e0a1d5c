"""Where a walk through the products is: what it walks through, and where it goes on."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from server.errors import InvalidRequest, VersionReplaced

_FORMAT = 1
_CHECK_BYTES = 8
_MOST_CHARS = 1024
_FIELD = "page_token"


@dataclass(frozen=True, slots=True)
class Walk:
    """What is walked through.

    Attributes:
        version: the index version.
        query: whatever says which products these are; the same for all pages.
    """

    version: str
    query: tuple[str, ...]

    def to_token(self, start: str) -> str:
        """A token for the page that begins there (see `Page.next`)."""
        body = json.dumps([_FORMAT, self.version, self._digest(), start]).encode()
        return urlsafe_b64encode(_check(body) + body).rstrip(b"=").decode()

    def start_of(self, token: str) -> str:
        """Where the page of a token begins; "": at the beginning.

        Raises:
            InvalidRequest: PAGE_TOKEN_INVALID, PAGE_TOKEN_OTHER_QUERY.
            VersionReplaced: of another version.
        """
        if not token:
            return ""
        version, digest, start = _read(token)
        if version != self.version:
            raise VersionReplaced(
                f"page_token is of index version {version[:80]!r}, and {self.version!r} is served now; next "
                "step: start again with the first page, without a page_token"
            )
        if digest != self._digest():
            raise InvalidRequest(
                "PAGE_TOKEN_OTHER_QUERY",
                _FIELD,
                "page_token is of another catalog or filter; permitted: next_page_token of the page before, "
                "with all else as it was",
            )
        return start

    def _digest(self) -> str:
        return blake2b(json.dumps(self.query).encode(), digest_size=8).hexdigest()


def _read(token: str) -> tuple[str, str, str]:
    try:
        if len(token) > _MOST_CHARS:
            raise ValueError
        data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        if _check(body) != check:
            raise ValueError
        form, version, digest, start = json.loads(body)
        if form != _FORMAT or not all(isinstance(item, str) for item in (version, digest, start)):
            raise ValueError
        return version, digest, str(UUID(start))
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise InvalidRequest(
            "PAGE_TOKEN_INVALID",
            _FIELD,
            f"page_token {token[:40]!r} was not made here; permitted: next_page_token of the page before, unchanged",
        ) from error


def _check(body: bytes) -> bytes:
    """Against accidents; a token tells nothing that its maker may not know, and leads nowhere else."""
    return blake2b(body, digest_size=_CHECK_BYTES).digest()
