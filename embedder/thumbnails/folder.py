"""Thumbnails on disk, by what their pictures hold, so that a page of products decodes none of them."""

from __future__ import annotations

import logging
import os
import threading
import uuid
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from PIL import Image

from embedder.inputs.picture import Picture, PictureBytes, PictureLimits, content_digest, decode_picture, load_picture
from embedder.thumbnails.thumbnail import SIDE, to_thumbnail

_log = logging.getLogger(__name__)

FOLDER = "thumbnails-1"
"""Another number when a thumbnail's form changes."""

_KEPT_SHARE = 0.9
"""What is left once too much was kept: not one file is deleted for each that is written."""

_BLOCK_BYTES = 4096
"""What a file takes is a multiple of it, on most file systems."""

_CHECK_BYTES = 4
"""Behind the JPEG's end, where no reader of JPEGs looks: power loss may leave a file that is only half there."""


class ThumbnailFolder:
    """Files named by the SHA-256 of a picture's bytes (see `content_digest`), up to a size all together.

    What was not used for the longest time goes first, by the files' own times. A file appears whole or not at all,
    several processes may share the folder, and several threads one object. A folder that cannot be written costs its
    thumbnails, never the work that they are made beside: it is left alone, with a line in the log.
    """

    def __init__(self, cache_dir: Path, most_bytes: int) -> None:
        """Take where the folder lies, and how large it may become; 0: nothing is kept, and nothing found."""
        self._folder = cache_dir / FOLDER
        self._most_bytes = most_bytes
        self._held_bytes: int | None = None
        self._lock = threading.Lock()

    def path(self, content: bytes) -> Path:
        """Where the thumbnail of a picture is, if it is there.

        Args:
            content: the picture's `content_digest`.
        """
        name = content.hex()
        return self._folder / name[:2] / f"{name[2:]}.jpg"

    def note_used(self, content: bytes) -> bool:
        """Whether there is a thumbnail of a picture; it counts as used now."""
        if not self._most_bytes:
            return False
        try:
            os.utime(self.path(content))
        except OSError:
            return False
        return True

    def read(self, content: bytes) -> bytes | None:
        """A picture's thumbnail, a JPEG; None where there is none. A damaged one is deleted, and as good as none."""
        if not self.note_used(content):
            return None
        path = self.path(content)
        try:
            data = path.read_bytes()
            if data[-_CHECK_BYTES:] == _check(data[:-_CHECK_BYTES]):
                return data[:-_CHECK_BYTES]
            _log.warning("thumbnail %s is damaged; it is made again when it is asked for", path)
            path.unlink(missing_ok=True)
        except OSError:
            return None
        return None

    def keep(self, content: bytes, image: Image.Image) -> None:
        """Make and keep a picture's thumbnail, unless there is one.

        Args:
            content: the picture's `content_digest`.
            image: the decoded picture, RGB; it may be reduced, to no less than the thumbnail's size.
        """
        if not self._most_bytes or self.note_used(content):
            return
        data = to_thumbnail(image)
        data += _check(data)
        path = self.path(content)
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(data)
            size = _on_disk(beside.stat())
            beside.replace(path)
            self._count(size)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            self._give_up(error)

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
        self.keep(content, image)
        return image

    def _count(self, added: int) -> None:
        """One more was written; others go where all are too many."""
        with self._lock:
            if self._held_bytes is None:
                self._held_bytes = sum(size for _, size, _ in self._held())
            else:
                self._held_bytes += added
            if self._held_bytes > self._most_bytes:
                self._held_bytes = self._drop()

    def _drop(self) -> int:
        """Delete those that were not used for the longest time; returns what the others take, bytes."""
        # Looked at anew: another process may have written or deleted some.
        held = sorted(self._held())
        total = sum(size for _, size, _ in held)
        for _, size, path in held:
            if total <= _KEPT_SHARE * self._most_bytes:
                break
            Path(path).unlink(missing_ok=True)
            total -= size
        return total

    def _held(self) -> Iterator[tuple[int, int, str]]:
        """When each file was used, what it takes, and where it is; those too that a killed process did not finish."""
        for folder in self._folder.iterdir():
            with os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        found = entry.stat()
                        yield found.st_mtime_ns, _on_disk(found), entry.path

    def _give_up(self, error: OSError) -> None:
        _log.warning(
            "thumbnails are not kept: %s cannot be written (%s); next step: make room, or name another --cache-dir",
            self._folder,
            error.strerror or error,
        )
        self._most_bytes = 0


def _check(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(_CHECK_BYTES, "little")


def _on_disk(found: os.stat_result) -> int:
    return -(-found.st_size // _BLOCK_BYTES) * _BLOCK_BYTES
