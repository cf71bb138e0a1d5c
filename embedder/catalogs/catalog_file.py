"""The file behind a catalog, before anything is known of its format."""

from __future__ import annotations

import codecs
import io
from pathlib import Path
from typing import BinaryIO, TextIO

from embedder.errors import CatalogError
from embedder.inputs.regular_file import open_regular_file

_CHUNK_BYTES = 1024 * 1024


def find_catalog_file(location: str) -> Path:
    """The absolute path of a catalog's file.

    Raises:
        CatalogError: no path, no such file, not a file, not readable, or empty.
    """
    if not location:
        raise CatalogError("the catalog's path is empty; permitted: the path of a file, such as csv:shop/products.csv")
    path = Path(location).absolute()
    try:
        if not path.is_file():
            raise CatalogError(f"catalog {location!r}: {'not a file' if path.exists() else 'no such file'}")
        with open_regular_file(path) as file:
            if not file.read(1):
                raise CatalogError(f"catalog {location!r} is empty; permitted: a file with one product a row")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CatalogError(f"catalog {location!r} cannot be read: {reason}") from error
    return path


def open_catalog_file(path: Path) -> BinaryIO:
    """Open a catalog's file once more.

    Raises:
        CatalogError: it was removed, or may no longer be read.
    """
    try:
        return open_regular_file(path)
    except OSError as error:
        raise CatalogError(f"catalog {str(path)!r} cannot be read: {error.strerror}") from error


def open_catalog_text(path: Path) -> TextIO:
    """Open a catalog's file as UTF-8, with or without a byte order mark; line ends stay as they are.

    Raises:
        CatalogError: as `open_catalog_file`.
    """
    return io.TextIOWrapper(open_catalog_file(path), encoding="utf-8-sig", newline="")


def check_utf8(path: Path) -> None:
    """Check that a file is UTF-8 throughout, with or without a byte order mark.

    Raises:
        CatalogError: it is not; the message names the offset of the first byte that does not fit.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0
    with open_catalog_file(path) as file:
        while True:
            chunk = file.read(_CHUNK_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The decoder puts the bytes that it kept from the last chunk before this one.
                bad = error.object[error.start]
                raise CatalogError(
                    f"catalog {str(path)!r} is not UTF-8: byte 0x{bad:02x} at offset {offset - pending + error.start:,}"
                    "; next step: save it as 'CSV UTF-8', or convert it, for example with "
                    "iconv -f WINDOWS-1252 -t UTF-8 (spreadsheets' 'Unicode text' is UTF-16)"
                ) from error
            if not chunk:
                return
            offset += len(chunk)
