"""Pictures that came with their catalog's rows, on disk instead of in memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref

from embedder.errors import CatalogError
from embedder.inputs.picture import PictureLimits, RemotePicture


class PictureSpool:
    """One temporary file without a name, which goes away with the last picture that lies in it.

    The same bytes are in it once. Pictures are read from it by any number of threads.
    """

    def __init__(self) -> None:
        """Open the file, where the system keeps temporary ones (`TMPDIR`)."""
        self._file = tempfile.TemporaryFile(prefix="merchlens-pictures-")  # noqa: SIM115
        self._places: dict[str, tuple[int, int]] = {}
        self._size = 0
        weakref.finalize(self, self._file.close)

    def add(self, data: bytes) -> RemotePicture:
        """Put a picture's bytes there.

        Raises:
            CatalogError: there is no space left, or the file cannot be written.
        """
        # What a picture is called says what it shows, so that another run calls it the same.
        url = f"spooled:{hashlib.sha256(data).hexdigest()}"
        if url not in self._places:
            try:
                self._file.write(data)
                self._file.flush()
            except OSError as error:
                raise CatalogError(
                    f"the catalog's pictures, {self._size:,} bytes so far, cannot be kept in {tempfile.gettempdir()}: "
                    f"{error.strerror}; next step: free space there, or set TMPDIR to a folder on a larger disk"
                ) from error
            self._places[url] = (self._size, len(data))
            self._size += len(data)
        return RemotePicture(url, self)

    def fetch(self, url: str, limits: PictureLimits) -> bytes:
        """The bytes of a picture that was put there; at most one more than permitted."""
        offset, length = self._places[url]
        return os.pread(self._file.fileno(), min(length, limits.max_bytes + 1), offset)
