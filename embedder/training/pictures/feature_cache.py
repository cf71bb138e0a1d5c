"""The cache of features on disk: chunks of shots.

A chunk is keyed by the pictures' bytes and the views' seeds, in a folder of the model's fingerprint: an interrupted run
goes on where it stopped, a changed picture is computed anew, another model never meets these.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Rejection
from embedder.errors import PictureError
from embedder.inputs.picture import DrawnPicture, Picture, PictureLimits, PicturePixels, load_picture
from embedder.inputs.pixels import PIXELS_VERSION, UnusablePicture
from embedder.inputs.product_colors import width_of_colors
from embedder.training.pictures.shots import Shot

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class StoredChunk:
    """A sound entry of the cache, of k readable pictures among n that were there.

    Attributes:
        readable: bool (n,), k of them set.
        features: float32 (k, width).
        levels: float16 (k, sum of the levels' widths); None where they were not asked for.
        colors: float16 (k, palette and ground), of the products' pixels; None where the levels are.
    """

    readable: npt.NDArray[np.bool_]
    features: npt.NDArray[np.float32]
    levels: npt.NDArray[np.float16] | None
    colors: npt.NDArray[np.float16] | None


@dataclass(frozen=True, slots=True, eq=False)
class LookedUp:
    """What the cache has for a chunk.

    Attributes:
        chunk: the shots.
        found: those of them whose pictures are there, decodable or not.
        missing: the others.
        stored: their entry, if there is a sound one.
    """

    chunk: Sequence[Shot]
    found: Sequence[Shot]
    missing: Sequence[Rejection]
    stored: StoredChunk | None


class ChunkCache:
    """One model's chunks of features on disk.

    Attributes:
        limits: what a picture may weigh.
        level_widths: of the levels that are kept with the features; None: no levels are.
    """

    def __init__(self, folder: Path, limits: PictureLimits, level_widths: Sequence[int] | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.limits = limits
        self.level_widths = level_widths
        self._folder = folder

    def look_up(self, chunk: Sequence[Shot]) -> LookedUp:
        """Read the pictures' bytes, one picture at a time, and what is stored for them."""
        found: list[Shot] = []
        missing: list[Rejection] = []
        digests: list[bytes] = []
        for shot in chunk:
            try:
                digests.append(load_shot(shot, self.limits)[1])
                found.append(shot)
            except PictureError as error:
                missing.append(reject(shot, UnusablePicture(error.reason, str(error))))
        return LookedUp(chunk, found, missing, self._stored(digests))

    def _stored(self, digests: Sequence[bytes]) -> StoredChunk | None:
        path = self._path(digests)
        try:
            with np.load(path, allow_pickle=False) as stored:
                features, readable = stored["features"], stored["readable"]
                levels = None if self.level_widths is None else stored["levels"]
                colors = None if self.level_widths is None else stored["colors"]
            rows = int(readable.sum())
            further = [values for values in (levels, colors) if values is not None]
            if len(readable) == len(digests) and all(len(values) == rows for values in (features, *further)):
                return StoredChunk(readable, features, levels, colors)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            _log.debug("no cached chunk at %s", path)
        return None

    def store(self, digests: Sequence[bytes], stored: StoredChunk) -> None:
        """Keep a chunk's features under the bytes of the pictures that they were computed from."""
        path = self._path(digests)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        arrays: dict[str, Any] = {"readable": stored.readable, "features": stored.features}
        if stored.levels is not None and stored.colors is not None:
            arrays |= {"levels": stored.levels, "colors": stored.colors}
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
        temporary.replace(path)

    def _path(self, digests: Sequence[bytes]) -> Path:
        digest = hashlib.sha256(b"".join(digests))
        digest.update(f"pixels {PIXELS_VERSION}".encode())
        if self.limits.max_pixels != PictureLimits().max_pixels:
            # Which pictures of a chunk are readable depends on this limit; what is over the bytes' limit is read, and
            # so digested, in part.
            digest.update(str(self.limits.max_pixels).encode())
        if self.level_widths is not None:
            # Another release may take other levels of the same tower.
            digest.update(f"levels {list(self.level_widths)}, colors {width_of_colors()}".encode())
        return self._folder / f"{digest.hexdigest()[:32]}.npz"


def source_of(shot: Shot) -> Picture:
    """Where a shot's picture is."""
    return shot.product.pictures[shot.picture].source


def load_shot(shot: Shot, limits: PictureLimits) -> tuple[Picture, bytes]:
    """A shot's picture with its bytes in memory, and the SHA-256 of what its features depend on."""
    picture = source_of(shot)
    loaded = load_picture(picture, limits)
    if isinstance(loaded, DrawnPicture):
        content = loaded.content.encode()
    elif isinstance(loaded, PicturePixels):
        content = repr(loaded.pixels.shape).encode() + loaded.pixels.tobytes()
    else:
        content = loaded.data
    digest = hashlib.sha256(content)
    if shot.view is not None:
        digest.update(f"view {shot.view}".encode())
    return loaded, digest.digest()


def reject(shot: Shot, picture: UnusablePicture) -> Rejection:
    """Say why a shot cannot be used."""
    # Named also where the catalog gives no name: a rejection without one is of the whole product.
    name = (shot.product.pictures[shot.picture].name or f"picture {shot.picture + 1}") if shot.picture else ""
    return Rejection(shot.product.line, shot.product.id, picture.reason, picture.detail, name)
