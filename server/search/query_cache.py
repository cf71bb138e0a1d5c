"""What texts and pictures were encoded to, for those that ask the same again: the next page, the same words."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from hashlib import blake2b

import cachetools

from server.search.encoded_part import EncodedPart
from server.search.query import PictureQuery, ServerWarning, TextQuery
from server.search.timings import StageTimings

_KEY_BYTES = 16
_OVERHEAD_BYTES = 1_000
"""Of an entry beside its arrays."""


class QueryCache:
    """The last encoded parts, up to a size. Calls from several threads are allowed.

    Nothing of a query can be read from it: keys are digests with a secret of this process, and neither texts nor
    pictures are kept.
    """

    def __init__(self, most_bytes: int) -> None:
        """Begin empty; 0 bytes: nothing is kept, and nothing found."""
        self._secret = secrets.token_bytes(_KEY_BYTES)
        self._lock = threading.Lock()
        self._parts: cachetools.LRUCache[bytes, EncodedPart] = cachetools.LRUCache(most_bytes, getsizeof=_size)
        self._is_on = most_bytes > 0

    def find(self, query: TextQuery | PictureQuery, field: str) -> EncodedPart | None:
        """A part as encoding it would give it, but for its timings; None where it is not known.

        Args:
            query: the part.
            field: its path in the request, for its warnings.
        """
        if not self._is_on:
            return None
        timings = StageTimings()
        with timings.stage("decode"):
            key = self._key(query)
            with self._lock:
                known = self._parts.get(key)
        if known is None:
            return None
        # As of any other part, so that callers find the stages that they know.
        timings.add({"encode": 0})
        return replace(
            known,
            timings_us=timings.measured_us,
            warnings=tuple(ServerWarning(item.code, field, item.text) for item in known.warnings),
            text=query.text if isinstance(query, TextQuery) else None,
        )

    def keep(self, query: TextQuery | PictureQuery, part: EncodedPart) -> None:
        """Keep what a query was encoded to; one that is larger than all there is room for is not kept."""
        if not self._is_on:
            return
        kept = replace(part.owned(), timings_us={}, text=None)
        with self._lock:
            if _size(kept) <= self._parts.maxsize:
                self._parts[self._key(query)] = kept

    def _key(self, query: TextQuery | PictureQuery) -> bytes:
        digest = blake2b(key=self._secret, digest_size=_KEY_BYTES)
        match query:
            case TextQuery(text):
                digest.update(b"text")
                digest.update(text.encode("utf-8", "surrogatepass"))
            case PictureQuery(data):
                digest.update(b"image")
                digest.update(data)
        return digest.digest()


def _size(part: EncodedPart) -> int:
    return _OVERHEAD_BYTES + part.nbytes
