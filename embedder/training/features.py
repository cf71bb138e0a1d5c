"""Features of a catalog's pictures, computed once for each model and kept on disk.

The unit of the cache is a chunk of shots, keyed by the model's fingerprint, the pictures' bytes and the views' seeds:
an interrupted run goes on where it stopped, a changed picture is computed anew, another model never meets these.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Product, Rejection
from embedder.encoder import Encoder
from embedder.errors import PictureError
from embedder.inputs.picture import (
    DrawnPicture,
    Picture,
    PictureFile,
    PictureLimits,
    PicturePixels,
    read_picture,
)
from embedder.inputs.pixels import PixelReader, Pixels, UnusablePicture, map_ahead
from embedder.inputs.street_views import training_view
from embedder.runtimes.protocol import Embedded
from embedder.training.shots import Shot

_log = logging.getLogger(__name__)

CHUNK = 512
BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Image features of the shots whose pictures could be read.

    Attributes:
        shots: n of them, in the order asked.
        values: float32 (n, width).
        rejected: the others, with the reason.
        levels: float16 (n, sum of the levels' widths), where they were asked for.
    """

    shots: tuple[Shot, ...]
    values: npt.NDArray[np.float32]
    rejected: tuple[Rejection, ...]
    levels: npt.NDArray[np.float16] | None = None

    @property
    def products(self) -> tuple[Product, ...]:
        """The product of each shot."""
        return tuple(shot.product for shot in self.shots)


def first_features(features: Features, count: int) -> Features:
    """The first `count` shots, or all of them where there are fewer."""
    levels = None if features.levels is None else features.levels[:count]
    return Features(features.shots[:count], features.values[:count], features.rejected, levels)


def compute_features(
    encoder: Encoder,
    shots: Sequence[Shot],
    cache_dir: Path,
    *,
    with_levels: bool = False,
    limits: PictureLimits | None = None,
    decode_threads: int = 2,
    budget_s: float | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Features:
    """Features of pictures, from the cache where it has them.

    Args:
        encoder: the model.
        shots: of which pictures; with a budget, in an order of which every prefix is a fair sample.
        cache_dir: where chunks are kept.
        with_levels: the tower's levels too, which take twice the space of the features.
        limits: what a picture may weigh; None: the default limits.
        decode_threads: how many pictures are decoded at once, 1 or more.
        budget_s: stop after the chunk at which this many seconds have passed; None: never.
        on_progress: called with the number of shots done since the last call.
    """
    cache = _ChunkCache(cache_dir / "features" / encoder.info.fingerprint[:16], limits or PictureLimits(), with_levels)
    reader = PixelReader(encoder.preprocessing, cache.limits)
    parts: list[Features] = []
    deadline = None if budget_s is None else time.monotonic() + budget_s
    chunks = (shots[start : start + CHUNK] for start in range(0, len(shots), CHUNK))
    # One chunk is looked up while the one before it is embedded.
    with closing(map_ahead(cache.look_up, chunks, threads=1, ahead=1)) as looked_up:
        for found in looked_up:
            parts.append(_reuse(found, reader) or _compute(encoder, found.chunk, cache, reader, decode_threads))
            on_progress(len(found.chunk))
            if deadline is not None and time.monotonic() >= deadline:
                done = sum(len(part.shots) for part in parts)
                _log.info("feature budget of %.0f s used after %d of %d pictures", budget_s, done, len(shots))
                break
    return join_features(parts)


def join_features(parts: Sequence[Features]) -> Features:
    """Several one after the other; the levels stay where all have them."""
    filled = [part for part in parts if len(part.shots)]
    levels = [part.levels for part in filled if part.levels is not None]
    return Features(
        shots=tuple(shot for part in parts for shot in part.shots),
        values=np.concatenate([part.values for part in filled]) if filled else np.empty((0, 0), dtype=np.float32),
        rejected=tuple(rejection for part in parts for rejection in part.rejected),
        levels=np.concatenate(levels) if levels and len(levels) == len(filled) else None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    """A sound entry of the cache, of k readable pictures among n that were there.

    Attributes:
        readable: bool (n,), k of them set.
        features: float32 (k, width).
        levels: float16 (k, sum of the levels' widths); None where they were not asked for.
    """

    readable: npt.NDArray[np.bool_]
    features: npt.NDArray[np.float32]
    levels: npt.NDArray[np.float16] | None


@dataclass(frozen=True, slots=True, eq=False)
class _LookedUp:
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
    stored: _Stored | None


class _ChunkCache:
    """One model's chunks of features on disk."""

    def __init__(self, folder: Path, limits: PictureLimits, with_levels: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.limits = limits
        self.with_levels = with_levels
        self._folder = folder

    def look_up(self, chunk: Sequence[Shot]) -> _LookedUp:
        """Read the pictures' bytes, one picture at a time, and what is stored for them."""
        found: list[Shot] = []
        missing: list[Rejection] = []
        digests: list[bytes] = []
        for shot in chunk:
            try:
                digests.append(_load(shot, self.limits)[1])
                found.append(shot)
            except PictureError as error:
                missing.append(_rejection(shot, UnusablePicture(error.reason, str(error))))
        return _LookedUp(chunk, found, missing, self._stored(digests))

    def _stored(self, digests: Sequence[bytes]) -> _Stored | None:
        path = self._path(digests)
        try:
            with np.load(path, allow_pickle=False) as stored:
                features, readable = stored["features"], stored["readable"]
                levels = stored["levels"] if self.with_levels else None
            rows = int(readable.sum())
            if len(readable) == len(digests) and len(features) == rows and (levels is None or len(levels) == rows):
                return _Stored(readable, features, levels)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            _log.debug("no cached chunk at %s", path)
        return None

    def store(self, digests: Sequence[bytes], stored: _Stored) -> None:
        """Keep a chunk's features under the bytes of the pictures that they were computed from."""
        path = self._path(digests)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        arrays: dict[str, Any] = {"readable": stored.readable, "features": stored.features}
        if stored.levels is not None:
            arrays["levels"] = stored.levels
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
        temporary.replace(path)

    def _path(self, digests: Sequence[bytes]) -> Path:
        digest = hashlib.sha256(b"".join(digests))
        if self.limits.max_pixels != PictureLimits().max_pixels:
            # Which pictures of a chunk are readable depends on this limit; what is over the bytes' limit is read, and
            # so digested, in part.
            digest.update(str(self.limits.max_pixels).encode())
        if self.with_levels:
            digest.update(b"levels")
        return self._folder / f"{digest.hexdigest()[:32]}.npz"


def _reuse(found: _LookedUp, reader: PixelReader) -> Features | None:
    """A chunk's features as they are stored; None where they are not, or what was unreadable can be read now."""
    if found.stored is None:
        return None
    rejected = list(found.missing)
    for shot, readable in zip(found.found, found.stored.readable, strict=True):
        if not readable:
            outcome = reader.try_read(_source(shot))
            if isinstance(outcome, Pixels):
                return None
            rejected.append(_rejection(shot, outcome))
    kept = tuple(shot for shot, readable in zip(found.found, found.stored.readable, strict=True) if readable)
    return Features(kept, found.stored.features, tuple(rejected), found.stored.levels)


def _compute(
    encoder: Encoder, chunk: Sequence[Shot], cache: _ChunkCache, reader: PixelReader, threads: int
) -> Features:
    """Decode and embed a chunk in batches, and store it."""

    def read(shot: Shot) -> tuple[Shot, bytes | None, Pixels | UnusablePicture]:
        try:
            picture, digest = _load(shot, reader.limits)
        except PictureError as error:
            return shot, None, UnusablePicture(error.reason, str(error))
        seed = shot.view
        change = None if seed is None else (lambda image: training_view(image, seed))
        return shot, digest, reader.try_read(picture, change)

    kept: list[Shot] = []
    rejected: list[Rejection] = []
    digests: list[bytes] = []
    readable: list[bool] = []
    waiting: list[npt.NDArray[np.float32]] = []
    parts: list[Embedded] = []
    with closing(map_ahead(read, chunk, threads, reader.ahead)) as outcomes:
        for shot, digest, outcome in outcomes:
            if digest is not None:
                digests.append(digest)
                readable.append(isinstance(outcome, Pixels))
            if isinstance(outcome, UnusablePicture):
                rejected.append(_rejection(shot, outcome))
                continue
            kept.append(shot)
            waiting.append(outcome.values)
            if len(waiting) == BATCH:
                parts.append(encoder.run_pixels(np.stack(waiting)))
                waiting.clear()
    if waiting:
        parts.append(encoder.run_pixels(np.stack(waiting)))
    stored = _together(parts, readable, cache.with_levels)
    cache.store(digests, stored)
    return Features(tuple(kept), stored.features, tuple(rejected), stored.levels)


def _together(parts: Sequence[Embedded], readable: Sequence[bool], with_levels: bool) -> _Stored:
    marks = np.array(readable, dtype=bool)
    if not parts:
        empty = np.empty((0, 0), dtype=np.float32)
        return _Stored(marks, empty, empty.astype(np.float16) if with_levels else None)
    levels = [part.levels.astype(np.float16) for part in parts if part.levels is not None] if with_levels else []
    return _Stored(marks, np.concatenate([part.features for part in parts]), np.concatenate(levels) if levels else None)


def _source(shot: Shot) -> Picture:
    return shot.product.pictures[shot.picture].source


def _load(shot: Shot, limits: PictureLimits) -> tuple[Picture, bytes]:
    """A shot's picture with its bytes in memory, and the SHA-256 of what its features depend on."""
    picture = _source(shot)
    loaded: Picture = picture
    if isinstance(picture, DrawnPicture):
        content = picture.content.encode()
    elif isinstance(picture, PicturePixels):
        content = repr(picture.pixels.shape).encode() + picture.pixels.tobytes()
    else:
        loaded = read_picture(picture, limits) if isinstance(picture, PictureFile) else picture
        content = loaded.data
    digest = hashlib.sha256(content)
    if shot.view is not None:
        digest.update(f"view {shot.view}".encode())
    return loaded, digest.digest()


def _rejection(shot: Shot, picture: UnusablePicture) -> Rejection:
    # Named also where the catalog gives no name: a rejection without one is of the whole product.
    name = (shot.product.pictures[shot.picture].name or f"picture {shot.picture + 1}") if shot.picture else ""
    return Rejection(shot.product.line, shot.product.id, picture.reason, picture.detail, name)
