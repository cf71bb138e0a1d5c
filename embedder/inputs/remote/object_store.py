"""Files and pictures in object stores, and whatever else fsspec reaches by a URL: s3://, gs://, and so on."""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from embedder.errors import CatalogError, EmbedderError, MissingExtra, PictureFetchFailed, PictureMissing
from embedder.inputs.picture import PictureLimits, RemotePicture

STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss")
"""The schemes of object stores, whose objects a catalog's rows may name.

A catalog itself may be at any other URL that fsspec knows, and its pictures beside it. But rows that could choose any
scheme could make this machine connect anywhere.
"""

REMOTE_BUFFER_BYTES = 4 * 1024 * 1024
"""What one request for a part of a file asks for."""

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_LOCAL = ("file", "local")
_WEB = ("http", "https")


def scheme_of(location: str) -> str | None:
    """A URL's scheme in lower case; None for what is no URL."""
    found = _URL.match(location)
    return found["scheme"].lower() if found else None


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A catalog's folder at a URL, which pictures are relative to.

    Attributes:
        scheme: in lower case.
        path: what follows "scheme://", without ".", ".." and a "/" at its end.
    """

    scheme: str
    path: str

    @classmethod
    def around(cls, url: str) -> RemoteFolder:
        """The folder that the file at a URL lies in."""
        whole = cls.at(url)
        return cls(whole.scheme, posixpath.dirname(whole.path))

    @classmethod
    def at(cls, url: str) -> RemoteFolder:
        """The folder at a URL."""
        found = _URL.fullmatch(url)
        if found is None:
            raise ValueError(f"{url!r} is no URL")
        return cls(found["scheme"].lower(), _plain(found["rest"]))

    @property
    def url(self) -> str:
        """The whole again."""
        return f"{self.scheme}://{self.path}"

    def url_of(self, name: str) -> str:
        """The URL of a relative path, of one that begins with "/" (from the bucket on), or of a URL."""
        if scheme_of(name) is not None:
            return RemoteFolder.at(name).url
        bucket, _, below = self.path.partition("/")
        path = name if name.startswith("/") else f"{below}/{name}"
        return f"{self.scheme}://{_plain(bucket + '/' + _plain(path))}"

    def holds(self, url: str) -> bool:
        """Whether a URL, as `url_of` gives it, is of something in this folder or below it."""
        return url.startswith(f"{self.url}/" if self.path else f"{self.scheme}://")


def _plain(path: str) -> str:
    """A path without "." and ".." and doubled "/"; never leads above its beginning."""
    return posixpath.normpath("/" + path).strip("/")


class ObjectPictures:
    """Fetches pictures by fsspec, in any number of threads."""

    def fetch(self, url: str, limits: PictureLimits) -> bytes:
        """The bytes of one object, in one ranged request; at most one more than permitted.

        Raises:
            PictureMissing: it is not there, or may not be read.
            PictureFetchFailed: whatever else went wrong.
            MissingExtra: what reaches such URLs is not installed.
        """
        try:
            system, path = _find(url)
            data: bytes = system.cat_file(path, start=0, end=limits.max_bytes + 1)
        except EmbedderError:
            raise
        except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
            reason = "no such object" if isinstance(error, FileNotFoundError) else str(error) or type(error).__name__
            raise PictureMissing(f"picture {url!r} cannot be read: {reason}") from error
        # Each store's library has exceptions of its own.
        except Exception as error:
            raise PictureFetchFailed(
                f"picture {url!r} could not be fetched: {_said(error)}; next step: check that the store can be reached"
            ) from error
        return data

    def picture(self, url: str) -> RemotePicture:
        """A picture that is fetched when it is needed."""
        return RemotePicture(url, self)

    def check(self, url: str) -> None:
        """Check that what reaches a URL is installed; connects to nothing.

        Raises:
            MissingExtra: it is not.
            CatalogError: no such scheme is known.
        """
        _find(url)


def check_catalog_url(url: str) -> None:
    """Check that a catalog may be at a URL.

    Raises:
        CatalogError: a local file, a web server, or several URLs in one.
    """
    scheme = scheme_of(url)
    if scheme in _LOCAL:
        raise CatalogError(f"catalog {url!r}; permitted: a local file's path without {scheme}://")
    if scheme in _WEB:
        raise CatalogError(
            f"catalog {url!r} is on a web server; permitted: a local path, or an object store such as s3:// and gs://; "
            "next step: download it"
        )
    if "::" in url:
        raise CatalogError(f"catalog {url!r}; permitted: one URL, without '::'")


def open_remote(url: str) -> BinaryIO:
    """Open a file at a URL for reading; it can be searched, and is read in blocks.

    Raises:
        CatalogError: it is not there, or cannot be read. Reading raises it too.
        MissingExtra: what reaches such URLs is not installed.
    """
    with _reading(url):
        system, path = _find(url)
        # Reading ahead of a reader that goes from column to column would fetch most of a file several times.
        options = {"cache_type": "none"} if scheme_of(url) in STORES else {}
        file = system.open(path, "rb", **options)
    return io.BufferedReader(_Guarded(file, url), REMOTE_BUFFER_BYTES)


def list_remote(folder: RemoteFolder) -> list[str]:
    """The URLs of all files in a folder and below it, sorted.

    Raises:
        CatalogError: it cannot be listed.
        MissingExtra: what reaches such URLs is not installed.
    """
    with _reading(folder.url):
        system, path = _find(folder.url)
        # A listing that was kept may be of before the folder was written.
        system.invalidate_cache()
        return sorted(f"{folder.scheme}://{str(found).lstrip('/')}" for found in system.find(path))


def exists_remote(url: str) -> bool:
    """Whether there is a file at a URL.

    Raises:
        CatalogError: the store does not say.
        MissingExtra: what reaches such URLs is not installed.
    """
    with _reading(url):
        system, path = _find(url)
        return bool(system.isfile(path))


def _find(url: str) -> tuple[Any, str]:
    """The file system behind a URL, and the path in it; fsspec keeps one for each set of options."""
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(url)
    # The library for a scheme is imported only now.
    except ImportError as error:
        raise MissingExtra(
            f"{url!r} needs a package that is not installed ({error}); next step: pip install 'merchlens[remote]'"
        ) from error
    except ValueError as error:
        raise CatalogError(
            f"{url!r} cannot be reached: {error}; permitted: s3://, gs:// and what else fsspec knows"
        ) from error
    return system, str(path)


@contextmanager
def _reading(url: str) -> Iterator[None]:
    try:
        yield
    except EmbedderError:
        raise
    except FileNotFoundError as error:
        raise CatalogError(f"catalog {url!r}: no such file") from error
    # Each store's library has exceptions of its own.
    except Exception as error:
        raise CatalogError(
            f"catalog {url!r} cannot be read: {_said(error)}; next step: check the address, the credentials, and that "
            "the store can be reached"
        ) from error


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


class _Guarded(io.RawIOBase):
    """A file of fsspec's whose errors are ours."""

    def __init__(self, file: Any, url: str) -> None:
        super().__init__()
        self._file = file
        self._url = url

    def readinto(self, buffer: Any) -> int:
        with _reading(self._url):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _reading(self._url):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
