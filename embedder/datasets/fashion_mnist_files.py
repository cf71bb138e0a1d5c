"""Where the four files of Fashion-MNIST are, or how to get them."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import logging
import tempfile
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path

from embedder.datasets.debian_package import DebianPackage, FetchError
from embedder.errors import CatalogError

_log = logging.getLogger(__name__)

# SHA-256 of what is in the files, unpacked. The MD5 sums that the project publishes are of the packed files and hold
# for its own copies only: Debian's package stores the same compressed data behind gzip headers without name and time.
CONTENT_SHA256 = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
FILE_NAMES = tuple(CONTENT_SHA256)

PACKAGE = DebianPackage("dataset-fashion-mnist", "usr/share/datasets/fashion-mnist")
INSTALLED_FOLDER = PACKAGE.installed_folder
LOCAL_FOLDER = Path("data/datasets/fashion-mnist")
"""Relative to the working directory; fetched files go here."""

URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

CONNECTION_TIMEOUT_S = 20.0
PACKAGE_TIMEOUT_S = 300.0
MAX_DOWNLOAD_BYTES = 64 * 1024 * 1024
_MAX_CONTENT_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


def lacks(folder: Path) -> list[str]:
    """The names of the files that a folder does not have."""
    return [name for name in FILE_NAMES if not (folder / name).is_file()]


def find() -> Path | None:
    """The absolute path of a folder that has all files, without fetching any; None: they are not here yet."""
    return next((folder.absolute() for folder in (INSTALLED_FOLDER, LOCAL_FOLDER) if not lacks(folder)), None)


def find_or_fetch() -> Path:
    """Return the absolute path of a folder that has all files: the Debian package's, else `LOCAL_FOLDER`.

    Where neither has them they are fetched into the second: from Debian's archive (no root needed), else from the
    project's URL. Only files with the right content are put there, each in one step, so that a fetch that is
    killed leaves nothing half done behind.

    Raises:
        CatalogError: no way worked; the message says why each failed and what to do.
    """
    if (found := find()) is not None:
        return found
    target = LOCAL_FOLDER.absolute()
    failures = []
    ways: tuple[tuple[str, Callable[[Path], Path]], ...] = (
        (f"Debian package {PACKAGE.name}", _fetch_package),
        (URL, _fetch_from_url),
    )
    for origin, fetch in ways:
        _log.info("fetching Fashion-MNIST (about 30 MB) from %s", origin)
        try:
            _fetch_into(target, fetch)
        except (FetchError, OSError) as error:
            _log.info("fetching Fashion-MNIST from %s failed: %s", origin, error)
            failures.append(f"{origin}: {error}")
        else:
            _log.info("Fashion-MNIST is in %s", target)
            return target
    raise CatalogError(
        f"fashion-mnist is neither in {str(INSTALLED_FOLDER)!r} nor in {str(target)!r}, and fetching it failed "
        f"({'; '.join(failures)}); next step: install the Debian package (apt-get install {PACKAGE.name}), or put "
        f"{', '.join(FILE_NAMES)} into {str(target)!r}"
    )


def _fetch_into(target: Path, fetch: Callable[[Path], Path]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that moving is renaming within one file system.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        folder = fetch(Path(scratch))
        for name, digest in CONTENT_SHA256.items():
            found = _content_sha256(folder / name)
            if found != digest:
                raise FetchError(f"{name} has content of SHA-256 {found}; permitted: {digest}")
        target.mkdir(exist_ok=True)
        for name in FILE_NAMES:
            (folder / name).replace(target / name)


def _fetch_package(scratch: Path) -> Path:
    folder = PACKAGE.unpack(scratch, PACKAGE_TIMEOUT_S)
    if missing := lacks(folder):
        raise FetchError(f"the package lacks {', '.join(missing)}")
    return folder


def _fetch_from_url(scratch: Path) -> Path:
    for name in FILE_NAMES:
        try:
            _download(URL + name, scratch / name)
        except (OSError, http.client.HTTPException) as error:
            raise FetchError(f"{name}: {error}") from error
    return scratch


def _download(url: str, path: Path) -> None:
    left = MAX_DOWNLOAD_BYTES
    # The scheme is fixed above; that it is not https matters little, as the content is checked.
    with urllib.request.urlopen(url, timeout=CONNECTION_TIMEOUT_S) as reply, path.open("wb") as file:  # noqa: S310
        while chunk := reply.read(_CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise FetchError(f"{url} sends more than {MAX_DOWNLOAD_BYTES:,} bytes")
            file.write(chunk)


def _content_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    left = _MAX_CONTENT_BYTES
    try:
        with gzip.open(path, "rb") as file:
            while left > 0 and (chunk := file.read(_CHUNK_BYTES)):
                digest.update(chunk)
                left -= len(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise FetchError(f"{path.name} cannot be unpacked: {error}") from error
    return digest.hexdigest()
