"""Perceptual hashes on disk, so that a catalog's pictures are decoded for them once."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from embedder.catalogs.siblings.perceptual_hash import PictureHash, content_of
from embedder.inputs.picture import Picture, PictureFile, RemotePicture

_log = logging.getLogger(__name__)

FILE_NAME = "picture-hashes-1.sqlite"
"""Another number when a picture's hash changes."""

_MOST_ASKED = 500


class HashCache:
    """A table of hashes: of files by path, size and time of change, of pictures in memory by their content.

    A cache that cannot be opened, read or written costs time, never the run: it is left alone, with a line in the log.
    Several processes may share it. Used as a context manager.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._path = cache_dir / FILE_NAME
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path)
            self._connection.execute("CREATE TABLE IF NOT EXISTS hashes (key BLOB PRIMARY KEY, value BLOB)")
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def find(self, keys: Sequence[bytes]) -> dict[bytes, PictureHash]:
        """The stored ones of `keys`."""
        found: dict[bytes, PictureHash] = {}
        for start in range(0, len(keys), _MOST_ASKED):
            if self._connection is None:
                break
            asked = keys[start : start + _MOST_ASKED]
            marks = ",".join("?" * len(asked))
            try:
                # The marks are all that is put into the text.
                rows = self._connection.execute(f"SELECT key, value FROM hashes WHERE key IN ({marks})", asked)  # noqa: S608
                for key, value in rows:
                    if (stored := PictureHash.from_bytes(value)) is not None:
                        found[key] = stored
            except sqlite3.Error as error:
                self._give_up(error)
        return found

    def store(self, hashes: Mapping[bytes, PictureHash]) -> None:
        """Keep hashes by their keys."""
        if self._connection is None or not hashes:
            return
        rows: Iterable[tuple[bytes, bytes]] = ((key, hashed.to_bytes()) for key, hashed in hashes.items())
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO hashes VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        _log.warning(
            "picture hashes are not kept: %s cannot be used (%s); next step: delete it, or name another --cache-dir",
            self._path,
            error,
        )
        if self._connection is not None:
            self._connection.close()
            self._connection = None


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
