"""Where the pictures of a row are: beside the catalog, in an object store, on a web server, or in the row itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from embedder.catalogs.rows.cell import CellError, has_control, shown
from embedder.errors import PictureError, PictureOutside
from embedder.inputs.picture import Picture, PictureFetcher, PictureFile, RemotePicture
from embedder.inputs.remote.hosts import parse_url
from embedder.inputs.remote.object_store import STORES, ObjectPictures, RemoteFolder, scheme_of

_DATA_URL = re.compile("data:", re.IGNORECASE)
_WEB = ("http", "https")


@dataclass(frozen=True, slots=True)
class EmbeddedPicture:
    """A picture that lies in its row: a file's bytes, and its name where that is known."""

    data: bytes
    name: str = ""


class PicturePlaces:
    """Turns what a row says of its pictures into pictures; opens none of them."""

    def __init__(self, folder: Path | RemoteFolder, *, allow_outside: bool, web: PictureFetcher | None) -> None:
        """Prepare.

        Args:
            folder: the catalog's, which relative paths are relative to.
            allow_outside: pictures may lie outside of it.
            web: fetches pictures from web servers; None: that was not permitted.
        """
        self.folder = folder
        self._limit = None if allow_outside or isinstance(folder, RemoteFolder) else folder
        self._allow_outside = allow_outside
        self._web = web
        self._objects = ObjectPictures()
        self._checked: set[str] = set()

    def find(self, name: str) -> Picture:
        """The picture of a name.

        Raises:
            CellError: it cannot be a picture's, or one that is not permitted.
            MissingExtra: what reaches its URL is not installed.
        """
        if has_control(name):
            raise CellError("IMAGE_MISSING", f"picture {shown(name)}; permitted: a path without control characters")
        scheme = scheme_of(name)
        if scheme in _WEB:
            return self._on_the_web(name)
        own = self.folder.scheme if isinstance(self.folder, RemoteFolder) else None
        if _DATA_URL.match(name) or (scheme is not None and scheme not in (*STORES, own)):
            raise CellError(
                "IMAGE_MISSING",
                f"picture {shown(name)} is a URL; permitted: a local file; next step: download the pictures and name "
                "their paths",
            )
        if scheme is None and not isinstance(self.folder, RemoteFolder):
            return PictureFile(self.folder / name, self._limit)
        return self._in_a_store(name)

    def _on_the_web(self, name: str) -> RemotePicture:
        if self._web is None:
            raise CellError(
                "IMAGE_MISSING",
                f"picture {shown(name)} is a URL; permitted: a local file; next step: permit its host with "
                "--picture-host HOST, or download the pictures and name their paths",
            )
        try:
            return RemotePicture(parse_url(name).url, self._web)
        except PictureError as error:
            raise CellError(error.reason, str(error)) from error

    def _in_a_store(self, name: str) -> RemotePicture:
        folder = self.folder if isinstance(self.folder, RemoteFolder) else None
        own = str(self.folder) if folder is None else folder.url
        url = folder.url_of(name) if folder is not None else RemoteFolder.at(name).url
        if not self._allow_outside and not (folder is not None and folder.holds(url)):
            raise CellError(
                PictureOutside.reason,
                f"picture {shown(name)} lies outside the catalog's folder {own!r}; next step: move it there, or permit "
                "it with --allow-outside-pictures",
            )
        scheme = url.partition(":")[0]
        if scheme not in self._checked:
            self._objects.check(url)
            self._checked.add(scheme)
        return self._objects.picture(url)
