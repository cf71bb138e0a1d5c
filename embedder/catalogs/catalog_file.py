"""The file behind a catalog, on this machine or at a URL, before anything is known of its format."""

from __future__ import annotations

import codecs
import io
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from embedder.errors import CatalogError
from embedder.inputs.regular_file import open_regular_file
from embedder.inputs.remote.object_store import RemoteFolder, check_catalog_url, open_remote, scheme_of

_CHUNK_BYTES = 1024 * 1024
_BUFFER_BYTES = 256 * 1024
"""Each read lets go of the interpreter, and decoding threads then keep it from the one that reads rows."""

Folder = Path | RemoteFolder
"""Where a catalog's relative paths begin."""


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """A file, by its absolute path or its URL.

    Attributes:
        path: on this machine; None for one at a URL.
        location: what to call it in messages.
    """

    path: Path | None
    location: str

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path.name if self.path is not None else posixpath.basename(self.location)

    @property
    def folder(self) -> Folder:
        """What it lies in."""
        return self.path.parent if self.path is not None else RemoteFolder.around(self.location)

    def __str__(self) -> str:
        """For messages."""
        return self.location


def catalog_file_at(location: str) -> CatalogFile:
    """A file by its path or URL, whether it is there or not.

    Raises:
        CatalogError: a URL that no catalog may be at.
    """
    is_chained = "::" in location and "://" in location
    if scheme_of(location) is None and not is_chained:
        path = Path(location).absolute()
        return CatalogFile(path, str(path))
    check_catalog_url(location)
    return CatalogFile(None, location)


def find_catalog_file(location: str) -> CatalogFile:
    """A catalog's file, which is there and holds something.

    Raises:
        CatalogError: no path, no such file, not a file, not readable, or empty.
        MissingExtra: what reaches its URL is not installed.
    """
    if not location:
        raise CatalogError("the catalog's path is empty; permitted: the path of a file, such as csv:shop/products.csv")
    file = catalog_file_at(location)
    path = file.path
    try:
        if path is not None and not path.is_file():
            raise CatalogError(f"catalog {location!r}: {'not a file' if path.exists() else 'no such file'}")
        with open_regular_file(path) if path is not None else open_remote(location) as opened:
            if not opened.read(1):
                raise CatalogError(f"catalog {location!r} is empty; permitted: a file with one product a row")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CatalogError(f"catalog {location!r} cannot be read: {reason}") from error
    return file


def open_catalog_file(file: CatalogFile) -> BinaryIO:
    """Open a catalog's file once more.

    Raises:
        CatalogError: it was removed, or may no longer be read.
    """
    if file.path is None:
        return open_remote(file.location)
    try:
        return open_regular_file(file.path, _BUFFER_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CatalogError(f"catalog {file.location!r} cannot be read: {reason}") from error


def open_catalog_text(file: CatalogFile) -> TextIO:
    """Open a catalog's file as UTF-8, with or without a byte order mark; line ends stay as they are.

    Raises:
        CatalogError: as `open_catalog_file`.
    """
    return io.TextIOWrapper(open_catalog_file(file), encoding="utf-8-sig", newline="")


def check_utf8(file: CatalogFile) -> None:
    """Check that a file is UTF-8 throughout, with or without a byte order mark.

    Raises:
        CatalogError: it is not; the message names the offset of the first byte that does not fit.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0
    with open_catalog_file(file) as opened:
        while True:
            chunk = opened.read(_CHUNK_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The decoder puts the bytes that it kept from the last chunk before this one.
                bad = error.object[error.start]
                raise CatalogError(
                    f"catalog {file.location!r} is not UTF-8: byte 0x{bad:02x} at offset "
                    f"{offset - pending + error.start:,}; next step: save it as 'CSV UTF-8', or convert it, for "
                    "example with iconv -f WINDOWS-1252 -t UTF-8 (spreadsheets' 'Unicode text' is UTF-16)"
                ) from error
            if not chunk:
                return
            offset += len(chunk)
