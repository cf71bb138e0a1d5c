"""Features of a catalog's pictures, computed once for each model and kept on disk.

The unit of the cache is a chunk of pictures, keyed by the model's fingerprint and the pictures' bytes: an interrupted
run goes on where it stopped, a changed picture is computed anew, another model never meets these features.
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

_log = logging.getLogger(__name__)

CHUNK = 512
BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Image features of the products whose pictures could be read.

    Attributes:
        products: n of them, in the order asked.
        values: float32 (n, width).
        rejected: the others, with the reason.
    """

    products: tuple[Product, ...]
    values: npt.NDArray[np.float32]
    rejected: tuple[Rejection, ...]


def compute_features(
    encoder: Encoder,
    products: Sequence[Product],
    cache_dir: Path,
    *,
    limits: PictureLimits | None = None,
    decode_threads: int = 2,
    budget_s: float | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Features:
    """Features of the products' main pictures, from the cache where it has them.

    Args:
        encoder: the model.
        products: whose pictures; with a budget, in an order of which every prefix is a fair sample.
        cache_dir: where chunks are kept.
        limits: what a picture may weigh; None: the default limits.
        decode_threads: how many pictures are decoded at once, 1 or more.
        budget_s: stop after the chunk at which this many seconds have passed; None: never.
        on_progress: called with the number of products done since the last call.
    """
    cache = _ChunkCache(cache_dir / "features" / encoder.info.fingerprint[:16], limits or PictureLimits())
    reader = PixelReader(encoder.preprocessing, cache.limits)
    parts: list[Features] = []
    deadline = None if budget_s is None else time.monotonic() + budget_s
    chunks = (products[start : start + CHUNK] for start in range(0, len(products), CHUNK))
    # One chunk is looked up while the one before it is embedded.
    with closing(map_ahead(cache.look_up, chunks, threads=1, ahead=1)) as looked_up:
        for found in looked_up:
            parts.append(_reuse(found, reader) or _compute(encoder, found.chunk, cache, reader, decode_threads))
            on_progress(len(found.chunk))
            if deadline is not None and time.monotonic() >= deadline:
                done = sum(len(part.products) for part in parts)
                _log.info("feature budget of %.0f s used after %d of %d products", budget_s, done, len(products))
                break
    values = [part.values for part in parts if len(part.values)]
    return Features(
        products=tuple(product for part in parts for product in part.products),
        values=np.concatenate(values) if values else np.empty((0, 0), dtype=np.float32),
        rejected=tuple(rejection for part in parts for rejection in part.rejected),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _LookedUp:
    """What the cache has for a chunk.

    Attributes:
        chunk: the products.
        found: those of them whose pictures are there, decodable or not.
        missing: the others.
        features, readable: of a sound entry, else None; float32 (k, width) and bool (len(found),) with k set.
    """

    chunk: Sequence[Product]
    found: Sequence[Product]
    missing: Sequence[Rejection]
    features: npt.NDArray[np.float32] | None
    readable: npt.NDArray[np.bool_] | None


class _ChunkCache:
    """One model's chunks of features on disk."""

    def __init__(self, folder: Path, limits: PictureLimits) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.limits = limits
        self._folder = folder

    def look_up(self, chunk: Sequence[Product]) -> _LookedUp:
        """Read the pictures' bytes, one picture at a time, and what is stored for them."""
        found: list[Product] = []
        missing: list[Rejection] = []
        digests: list[bytes] = []
        for product in chunk:
            try:
                digests.append(_load(product, self.limits)[1])
                found.append(product)
            except PictureError as error:
                missing.append(_rejection(product, UnusablePicture(error.reason, str(error))))
        path = self._path(digests)
        try:
            with np.load(path, allow_pickle=False) as stored:
                features, readable = stored["features"], stored["readable"]
            if len(readable) == len(found) and len(features) == int(readable.sum()):
                return _LookedUp(chunk, found, missing, features, readable)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            _log.debug("no cached chunk at %s", path)
        return _LookedUp(chunk, found, missing, None, None)

    def store(self, digests: Sequence[bytes], readable: Sequence[bool], features: npt.NDArray[np.float32]) -> None:
        """Keep a chunk's features under the bytes of the pictures that they were computed from."""
        path = self._path(digests)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with temporary.open("wb") as file:
            np.savez(file, readable=np.array(readable, dtype=bool), features=features)
        temporary.replace(path)

    def _path(self, digests: Sequence[bytes]) -> Path:
        digest = hashlib.sha256(b"".join(digests))
        if self.limits.max_pixels != PictureLimits().max_pixels:
            # Which pictures of a chunk are readable depends on this limit; what is over the bytes' limit is read, and
            # so digested, in part.
            digest.update(str(self.limits.max_pixels).encode())
        return self._folder / f"{digest.hexdigest()[:32]}.npz"


def _reuse(found: _LookedUp, reader: PixelReader) -> Features | None:
    """A chunk's features as they are stored; None where they are not, or what was unreadable can be read now."""
    if found.features is None or found.readable is None:
        return None
    rejected = list(found.missing)
    for product, readable in zip(found.found, found.readable, strict=True):
        if not readable:
            outcome = reader.try_read(product.pictures[0].source)
            if isinstance(outcome, Pixels):
                return None
            rejected.append(_rejection(product, outcome))
    kept = tuple(product for product, readable in zip(found.found, found.readable, strict=True) if readable)
    return Features(kept, found.features, tuple(rejected))


def _compute(
    encoder: Encoder, chunk: Sequence[Product], cache: _ChunkCache, reader: PixelReader, threads: int
) -> Features:
    """Decode and embed a chunk in batches, and store it."""

    def read(product: Product) -> tuple[Product, bytes | None, Pixels | UnusablePicture]:
        try:
            picture, digest = _load(product, reader.limits)
        except PictureError as error:
            return product, None, UnusablePicture(error.reason, str(error))
        return product, digest, reader.try_read(picture)

    kept: list[Product] = []
    rejected: list[Rejection] = []
    digests: list[bytes] = []
    readable: list[bool] = []
    waiting: list[npt.NDArray[np.float32]] = []
    parts: list[npt.NDArray[np.float32]] = []
    with closing(map_ahead(read, chunk, threads, reader.ahead)) as outcomes:
        for product, digest, outcome in outcomes:
            if digest is not None:
                digests.append(digest)
                readable.append(isinstance(outcome, Pixels))
            if isinstance(outcome, UnusablePicture):
                rejected.append(_rejection(product, outcome))
                continue
            kept.append(product)
            waiting.append(outcome.values)
            if len(waiting) == BATCH:
                parts.append(encoder.pixel_features(np.stack(waiting)))
                waiting.clear()
    if waiting:
        parts.append(encoder.pixel_features(np.stack(waiting)))
    features = np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)
    cache.store(digests, readable, features)
    return Features(tuple(kept), features, tuple(rejected))


def _load(product: Product, limits: PictureLimits) -> tuple[Picture, bytes]:
    """A product's main picture with its bytes in memory, and their SHA-256."""
    picture = product.pictures[0].source
    if isinstance(picture, DrawnPicture):
        return picture, hashlib.sha256(picture.content.encode()).digest()
    if isinstance(picture, PicturePixels):
        content = repr(picture.pixels.shape).encode() + picture.pixels.tobytes()
        return picture, hashlib.sha256(content).digest()
    loaded = read_picture(picture, limits) if isinstance(picture, PictureFile) else picture
    return loaded, hashlib.sha256(loaded.data).digest()


def _rejection(product: Product, picture: UnusablePicture) -> Rejection:
    return Rejection(product.line, product.id, picture.reason, picture.detail)
