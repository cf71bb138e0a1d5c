"""Where the stamps of Tux Paint are, or how to get them."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from embedder.datasets.debian_package import DebianPackage, FetchError
from embedder.errors import CatalogError

_log = logging.getLogger(__name__)

PACKAGE = DebianPackage("tuxpaint-stamps-default", "usr/share/tuxpaint/stamps")
INSTALLED_FOLDER = PACKAGE.installed_folder
LOCAL_FOLDER = Path("data/datasets/tuxpaint-stamps")
"""Relative to the working directory; fetched files go here."""

PACKAGE_TIMEOUT_S = 300.0
KEPT = (".png", ".txt")
"""What is kept of the package: the pictures and their captions, not the sounds."""


def has_stamps(folder: Path) -> bool:
    """Whether there is a picture with a caption anywhere below a folder."""
    return any(path.with_suffix(".txt").is_file() for path in folder.rglob("*.png"))


def find() -> Path | None:
    """The absolute path of the stamps, without fetching any; None: they are not here yet."""
    return next((folder.absolute() for folder in (INSTALLED_FOLDER, LOCAL_FOLDER) if has_stamps(folder)), None)


def find_or_fetch() -> Path:
    """Return the absolute path of the stamps: the Debian package's, else `LOCAL_FOLDER`.

    Where neither has them they are fetched into the second from Debian's archive (no root needed). The folder is put
    there in one step, so that a fetch that is killed leaves nothing half done behind.

    Raises:
        CatalogError: fetching failed; the message says why and what to do.
    """
    if (found := find()) is not None:
        return found
    target = LOCAL_FOLDER.absolute()
    _log.info("fetching the stamps of Tux Paint (about 160 MB) from Debian package %s", PACKAGE.name)
    try:
        _fetch_into(target)
    except (FetchError, OSError) as error:
        raise CatalogError(
            f"tuxpaint-stamps is neither in {str(INSTALLED_FOLDER)!r} nor in {str(target)!r}, and fetching it failed "
            f"(Debian package {PACKAGE.name}: {error}); next step: install the Debian package (apt-get install "
            f"{PACKAGE.name}), or put its folder {PACKAGE.folder} at {str(target)!r}"
        ) from error
    _log.info("the stamps of Tux Paint are in %s", target)
    return target


def _fetch_into(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that moving is renaming within one file system.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        folder = PACKAGE.unpack(Path(scratch), PACKAGE_TIMEOUT_S)
        for path in folder.rglob("*"):
            if path.is_symlink() or (path.is_file() and path.suffix not in KEPT):
                path.unlink()
        if not has_stamps(folder):
            raise FetchError("the package has no picture with a caption")
        folder.replace(target)
