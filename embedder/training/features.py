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
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from embedder.catalogs.product import Product, Rejection
from embedder.encoder import Encoder
from embedder.errors import PictureError
from embedder.inputs.picture import Picture, PictureFile, PicturePixels, read_picture

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
    budget_s: float | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Features:
    """Features of the products' pictures, from the cache where it has them.

    Args:
        encoder: the model.
        products: whose pictures; with a budget, in an order of which every prefix is a fair sample.
        cache_dir: where chunks are kept.
        budget_s: stop after the chunk at which this many seconds have passed; None: never.
        on_progress: called with the number of products done since the last call.
    """
    folder = cache_dir / "features" / encoder.info.fingerprint[:16]
    folder.mkdir(parents=True, exist_ok=True)
    kept: list[Product] = []
    values: list[npt.NDArray[np.float32]] = []
    rejected: list[Rejection] = []
    deadline = None if budget_s is None else time.monotonic() + budget_s
    with ThreadPoolExecutor(max_workers=2) as pool:
        starts = list(range(0, len(products), CHUNK))
        pending: Future[_Prepared] | None = None
        for index, start in enumerate(starts):
            chunk = products[start : start + CHUNK]
            prepared = (pending or pool.submit(_prepare, encoder, chunk, folder)).result()
            following = products[starts[index + 1] : starts[index + 1] + CHUNK] if index + 1 < len(starts) else None
            # One chunk is decoded while the one before it is embedded.
            pending = pool.submit(_prepare, encoder, following, folder) if following else None
            values.append(_chunk_features(encoder, prepared))
            kept.extend(prepared.products)
            rejected.extend(prepared.rejected)
            on_progress(len(chunk))
            if deadline is not None and time.monotonic() >= deadline:
                _log.info("feature budget of %.0f s used after %d of %d products", budget_s, len(kept), len(products))
                if pending is not None:
                    pending.cancel()
                break
    width = next((part.shape[1] for part in values if len(part)), 0)
    parts = [part for part in values if len(part)]
    stacked = np.concatenate(parts) if parts else np.empty((0, width), dtype=np.float32)
    return Features(tuple(kept), stacked, tuple(rejected))


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A chunk that is either in the cache or decoded."""

    products: list[Product]
    rejected: list[Rejection]
    readable: npt.NDArray[np.bool_]
    cached: npt.NDArray[np.float32] | None
    pixels: npt.NDArray[np.float32]
    path: Path


def _prepare(encoder: Encoder, chunk: Sequence[Product], folder: Path) -> _Prepared:
    """Read a chunk's pictures; decode them unless the cache has the chunk."""
    found: list[tuple[Product, Picture]] = []
    rejected: list[Rejection] = []
    digest = hashlib.sha256()
    for product in chunk:
        try:
            picture, content = _content(product.pictures[0].source)
        except PictureError as error:
            rejected.append(Rejection(product.line, product.id, error.reason, str(error)))
            continue
        digest.update(hashlib.sha256(content).digest())
        found.append((product, picture))
    path = folder / f"{digest.hexdigest()[:32]}.npz"
    cached, readable = _load(path, len(found))
    images: list[Image.Image] = []
    for index, (product, picture) in enumerate(found):
        try:
            if cached is None or not readable[index]:
                images.append(encoder.decode(picture)[0])
        except PictureError as error:
            readable[index] = False
            rejected.append(Rejection(product.line, product.id, error.reason, str(error)))
    products = [product for (product, _), good in zip(found, readable, strict=True) if good]
    return _Prepared(products, rejected, readable, cached, encoder.preprocess(images), path)


def _load(path: Path, count: int) -> tuple[npt.NDArray[np.float32] | None, npt.NDArray[np.bool_]]:
    """A cached chunk's features and which of its pictures were readable; (None, all) where there is no sound one."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            features, readable = stored["features"], stored["readable"]
        if len(readable) == count and len(features) == int(readable.sum()):
            return features, readable
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        _log.debug("no cached chunk at %s", path)
    return None, np.ones(count, dtype=bool)


def _chunk_features(encoder: Encoder, prepared: _Prepared) -> npt.NDArray[np.float32]:
    if prepared.cached is not None:
        return prepared.cached
    batches = [prepared.pixels[start : start + BATCH] for start in range(0, len(prepared.pixels), BATCH)]
    parts = [encoder.pixel_features(batch) for batch in batches]
    features = np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)
    temporary = prepared.path.with_name(f".{prepared.path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        np.savez(file, readable=prepared.readable, features=features)
    temporary.replace(prepared.path)
    return features


def _content(picture: Picture) -> tuple[Picture, bytes]:
    """The picture in memory, and the bytes that identify it."""
    if isinstance(picture, PicturePixels):
        return picture, repr(picture.pixels.shape).encode() + picture.pixels.tobytes()
    loaded = read_picture(picture) if isinstance(picture, PictureFile) else picture
    return loaded, loaded.data
