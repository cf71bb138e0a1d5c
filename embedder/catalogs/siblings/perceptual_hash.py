"""What tells a picture from others at a glance: a difference hash, and a thumbnail that guards it.

A difference hash (Krawetz 2013, "Kind of Like That") has a bit for each pair of neighbouring cells of a small grey
picture; copies of a picture, resized or compressed again, differ in few bits. Two changes make it fit for product
pictures, most of which are a thing on a plain ground. A bit is set only where the difference is worth mentioning:
else the noise of compression decides the bits of a plain ground. And two pictures whose hashes are near are compared
by their thumbnails, in colour, before they count as near-duplicates: the same shirt in red and in blue is not one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

from embedder.inputs.picture import (
    LoadedPicture,
    Picture,
    PictureLimits,
    content_digest,
    decode_picture,
    load_picture,
)

CELLS = 8
"""Rows of cells whose horizontal differences are hashed, columns of those whose vertical ones are."""

HASH_BYTES = 2 * CELLS * CELLS // 8
LEAST_STEP = 4
"""Grey levels of 255 by which two neighbouring cells must differ, for their bit to be set."""

THUMBNAIL_SIDE = 12
THUMBNAIL_BYTES = 3 * THUMBNAIL_SIDE**2
DIGEST_BYTES = 16
_SIDE = CELLS * (CELLS + 1)
_DRAFT_SIDE = 64


@dataclass(frozen=True, slots=True)
class PictureHash:
    """One picture's.

    Attributes:
        content: the first `DIGEST_BYTES` bytes of the SHA-256 of the file, of raw pixels and their shape, or of
            what names a drawn picture's content.
        bits: the difference hash, `HASH_BYTES` bytes.
        thumbnail: RGB, `THUMBNAIL_SIDE` rows of as many pixels, whatever the picture's proportions; `THUMBNAIL_BYTES`.
    """

    content: bytes
    bits: bytes
    thumbnail: bytes

    def to_bytes(self) -> bytes:
        """One string of a fixed length."""
        return self.content + self.bits + self.thumbnail

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Inverse of `to_bytes`; None for data of another length."""
        if len(data) != DIGEST_BYTES + HASH_BYTES + THUMBNAIL_BYTES:
            return None
        thumbnail_at = DIGEST_BYTES + HASH_BYTES
        return cls(data[:DIGEST_BYTES], data[DIGEST_BYTES:thumbnail_at], data[thumbnail_at:])


def hash_picture(picture: Picture, limits: PictureLimits) -> PictureHash:
    """Read, decode and hash one picture.

    Raises:
        PictureError: see `decode_picture`.
    """
    loaded = load_picture(picture, limits)
    return hash_image(content_of(loaded), decode_picture(loaded, limits, _DRAFT_SIDE).image)


def content_of(picture: LoadedPicture) -> bytes:
    """What identical pictures in memory have in common: the beginning of a SHA-256; draws nothing."""
    return content_digest(picture)[:DIGEST_BYTES]


def hash_image(content: bytes, image: Image.Image) -> PictureHash:
    """Hash a decoded RGB picture whose file's (or pixels') digest is `content`."""
    small = image.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    grey = small.convert("L")
    across = np.asarray(grey.reduce((CELLS, CELLS + 1)), dtype=np.int16)
    down = np.asarray(grey.reduce((CELLS + 1, CELLS)), dtype=np.int16)
    steps = np.concatenate([(across[:, :-1] - across[:, 1:]).ravel(), (down[:-1] - down[1:]).ravel()])
    bits = np.packbits((steps > LEAST_STEP)[_ORDER])
    return PictureHash(content, bits.tobytes(), small.reduce(_SIDE // THUMBNAIL_SIDE).tobytes())


# Neighbouring bits tell of the same part of the picture: spread, so that no run of them is all plain ground.
_ORDER = np.random.Generator(np.random.PCG64(0)).permutation(8 * HASH_BYTES)
