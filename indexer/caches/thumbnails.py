"""Thumbnails by what their pictures hold, so that a page of products decodes none of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from embedder.caches.table import CacheTable
from embedder.inputs.picture import Picture, PictureBytes, PictureLimits, content_digest, decode_picture, load_picture
from indexer.caches.thumbnail import SIDE, to_thumbnail

FILE_NAME = "thumbnails-1.sqlite"
"""Another number when a thumbnail's form changes."""


class ThumbnailCache(CacheTable):
    """JPEGs by the SHA-256 of a picture's bytes (see `content_digest`); see `CacheTable` for all that may go wrong."""

    def __init__(self, cache_dir: Path, most_bytes: int) -> None:
        """Take the folder, and how large the table may become; 0: nothing is kept, and nothing found."""
        super().__init__(cache_dir / FILE_NAME, most_bytes, "thumbnails")

    def read(self, content: bytes) -> bytes | None:
        """A picture's thumbnail, a JPEG; None where there is none, or a damaged one."""
        return self.find_bytes([content]).get(content)

    def keep(self, thumbnails: Mapping[bytes, bytes]) -> None:
        """Keep JPEGs that `to_thumbnail` made, by their pictures' `content_digest`."""
        self.store_bytes(thumbnails)

    def image_of(self, picture: Picture, limits: PictureLimits) -> Image.Image:
        """A picture, RGB, no smaller than its thumbnail: that itself, or else the picture, of which one is kept then.

        Raises:
            PictureError: the picture cannot be read; see `decode_picture`.
        """
        loaded = load_picture(picture, limits)
        content = content_digest(loaded)
        kept = self.read(content)
        if kept is not None:
            return decode_picture(PictureBytes(kept)).image
        image = decode_picture(loaded, limits, 2 * SIDE).image
        self.keep({content: to_thumbnail(image)})
        return image
