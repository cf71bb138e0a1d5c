"""What is kept of each picture once its pixels are gone: enough to tell copies of it, and whether it is too small."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

from embedder.catalogs.siblings.perceptual_hash import DIGEST_BYTES, HASH_BYTES, THUMBNAIL_BYTES, PictureHash

_SIZE = struct.Struct("<II")

TRAITS_BYTES = DIGEST_BYTES + HASH_BYTES + THUMBNAIL_BYTES + _SIZE.size
"""Of one picture."""

TRAITS_VERSION = 2
"""Raise when a picture's traits change: they are cached under it."""


@dataclass(frozen=True, slots=True)
class PictureTraits:
    """One picture's.

    Attributes:
        hash: content, difference hash, thumbnail.
        width, height: upright, in pixels; a large JPEG's may be a half, a quarter or an eighth of the file's.
    """

    hash: PictureHash
    width: int
    height: int

    def to_bytes(self) -> bytes:
        """`TRAITS_BYTES` bytes."""
        return self.hash.to_bytes() + _SIZE.pack(self.width, self.height)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Inverse of `to_bytes`; None for data of another length."""
        if len(data) != TRAITS_BYTES:
            return None
        hashed = PictureHash.from_bytes(data[: -_SIZE.size])
        return None if hashed is None else cls(hashed, *_SIZE.unpack(data[-_SIZE.size :]))
