"""Perceptual hashes on disk, so that a catalog's pictures are decoded for them once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedder.caches.table import CacheTable
from embedder.catalogs.siblings.perceptual_hash import PictureHash, content_of
from embedder.inputs.picture import Picture, PictureFile, RemotePicture

FILE_NAME = "picture-hashes-2.sqlite"
"""Another number when a picture's hash changes, or an entry's form."""

MOST_BYTES = 1 << 30
"""Of the table: about two million pictures."""


class HashCache(CacheTable):
    """Hashes of files by path, size and time of change, of pictures in memory by their content; see `CacheTable`."""

    def __init__(self, cache_dir: Path) -> None:
        """Take the folder."""
        super().__init__(cache_dir / FILE_NAME, MOST_BYTES, "picture hashes")

    def find(self, keys: Sequence[bytes]) -> dict[bytes, PictureHash]:
        """The stored and sound ones of `keys`."""
        found = {key: PictureHash.from_bytes(data) for key, data in self.find_bytes(keys).items()}
        return {key: hashed for key, hashed in found.items() if hashed is not None}

    def store(self, hashes: Mapping[bytes, PictureHash]) -> None:
        """Keep hashes by their keys."""
        self.store_bytes({key: hashed.to_bytes() for key, hashed in hashes.items()})


def is_kept(picture: Picture) -> bool:
    """Whether a picture's hash may be stored: not of one at a URL, which may show something else next time."""
    return not isinstance(picture, RemotePicture)


def key_of(picture: Picture) -> bytes | None:
    """What tells a picture's hash from others', and what it is stored under; None where the file is not there."""
    if isinstance(picture, RemotePicture):
        return hashlib.sha256(b"url\0" + picture.url.encode("utf-8", "surrogatepass")).digest()[:16]
    if not isinstance(picture, PictureFile):
        return content_of(picture)
    try:
        status = picture.path.stat()
        name = str(picture.path.absolute()).encode("utf-8", "surrogatepass")
    # A path with a NUL character is a ValueError.
    except (OSError, ValueError):
        return None
    return hashlib.sha256(b"%b\0%d\0%d" % (name, status.st_size, status.st_mtime_ns)).digest()[:16]
