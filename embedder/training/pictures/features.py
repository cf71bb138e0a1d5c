"""Features of a catalog's pictures, computed once for each model and kept on disk (`feature_cache`)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Product, Rejection
from embedder.encoder import Encoder
from embedder.errors import PictureError
from embedder.inputs.picture import PictureLimits
from embedder.inputs.pixels import PixelReader, Pixels, UnusablePicture, map_ahead
from embedder.inputs.street_views import training_view
from embedder.runtimes.protocol import Embedded
from embedder.training.pictures.feature_cache import ChunkCache, LookedUp, StoredChunk, load_shot, reject, source_of
from embedder.training.pictures.shots import Shot

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
        colors: float16 (n, palette and ground), of the products' pixels (see `inputs.product_colors`), where levels
            were asked for.
    """

    shots: tuple[Shot, ...]
    values: npt.NDArray[np.float32]
    rejected: tuple[Rejection, ...]
    levels: npt.NDArray[np.float16] | None = None
    colors: npt.NDArray[np.float16] | None = None

    @property
    def products(self) -> tuple[Product, ...]:
        """The product of each shot."""
        return tuple(shot.product for shot in self.shots)

    @property
    def product_ids(self) -> tuple[str, ...]:
        """Its id, of each shot."""
        return tuple(shot.product.id for shot in self.shots)

    def of_products(self, ids: Collection[str]) -> Features:
        """The shots of these products alone, in the same order."""
        rows = [row for row, shot in enumerate(self.shots) if shot.product.id in ids]
        if len(rows) == len(self.shots):
            return self
        levels, colors = (None if values is None else values[rows] for values in (self.levels, self.colors))
        return Features(tuple(self.shots[row] for row in rows), self.values[rows], self.rejected, levels, colors)


@dataclass(slots=True)
class Pace:
    """How fast pictures that no cache had were looked at.

    Attributes:
        pictures: how many there were.
        seconds: that they took.
    """

    pictures: int = 0
    seconds: float = 0.0

    @property
    def each_s(self) -> float | None:
        """Seconds a picture; None where there were too few to tell."""
        return self.seconds / self.pictures if self.pictures >= BATCH else None


def first_features(features: Features, count: int) -> Features:
    """The first `count` shots, or all of them where there are fewer."""
    levels, colors = (None if values is None else values[:count] for values in (features.levels, features.colors))
    return Features(features.shots[:count], features.values[:count], features.rejected, levels, colors)


def compute_features(
    encoder: Encoder,
    shots: Sequence[Shot],
    cache_dir: Path,
    *,
    with_levels: bool = False,
    limits: PictureLimits | None = None,
    decode_threads: int = 2,
    budget_s: float | None = None,
    pace: Pace | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Features:
    """Features of pictures, from the cache where it has them.

    Args:
        encoder: the model.
        shots: of which pictures; with a budget, in an order of which every prefix is a fair sample.
        cache_dir: where chunks are kept.
        with_levels: the tower's levels and the pixels' colours too, which take twice the space of the features.
        limits: what a picture may weigh; None: the default limits.
        decode_threads: how many pictures are decoded at once, 1 or more.
        budget_s: stop after the chunk at which this many seconds have passed; None: never.
        pace: what is computed is added to it.
        on_progress: called with the number of shots done since the last call.
    """
    folder = cache_dir / "features" / encoder.info.fingerprint[:16]
    cache = ChunkCache(folder, limits or PictureLimits(), encoder.info.level_widths if with_levels else None)
    reader = PixelReader(encoder.preprocessing, cache.limits)
    parts: list[Features] = []
    deadline = None if budget_s is None else time.monotonic() + budget_s
    chunks = (shots[start : start + CHUNK] for start in range(0, len(shots), CHUNK))
    # One chunk is looked up while the one before it is embedded.
    with closing(map_ahead(cache.look_up, chunks, threads=1, ahead=1)) as looked_up:
        for found in looked_up:
            part = _reuse(found, reader)
            if part is None:
                started = time.monotonic()
                part = _compute(encoder, found.chunk, cache, reader, decode_threads)
                if pace is not None:
                    pace.pictures += len(found.chunk)
                    pace.seconds += time.monotonic() - started
            parts.append(part)
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
    colors = [part.colors for part in filled if part.colors is not None]
    return Features(
        shots=tuple(shot for part in parts for shot in part.shots),
        values=np.concatenate([part.values for part in filled]) if filled else np.empty((0, 0), dtype=np.float32),
        rejected=tuple(rejection for part in parts for rejection in part.rejected),
        levels=np.concatenate(levels) if levels and len(levels) == len(filled) else None,
        colors=np.concatenate(colors) if colors and len(colors) == len(filled) else None,
    )


def _reuse(found: LookedUp, reader: PixelReader) -> Features | None:
    """A chunk's features as they are stored; None where they are not, or what was unreadable can be read now."""
    if found.stored is None:
        return None
    rejected = list(found.missing)
    for shot, readable in zip(found.found, found.stored.readable, strict=True):
        if not readable:
            outcome = reader.try_read(source_of(shot))
            if isinstance(outcome, Pixels):
                return None
            rejected.append(reject(shot, outcome))
    kept = tuple(shot for shot, readable in zip(found.found, found.stored.readable, strict=True) if readable)
    return Features(kept, found.stored.features, tuple(rejected), found.stored.levels, found.stored.colors)


def _compute(encoder: Encoder, chunk: Sequence[Shot], cache: ChunkCache, reader: PixelReader, threads: int) -> Features:
    """Decode and embed a chunk in batches, and store it."""
    with_levels = cache.level_widths is not None

    def read(shot: Shot) -> tuple[Shot, bytes | None, Pixels | UnusablePicture, npt.NDArray[np.float32] | None]:
        try:
            picture, digest = load_shot(shot, reader.limits)
        except PictureError as error:
            return shot, None, UnusablePicture(error.reason, str(error)), None
        seed = shot.view
        change = None if seed is None else (lambda image: training_view(image, seed))
        found = reader.try_read(picture, change)
        if not with_levels or isinstance(found, UnusablePicture):
            return shot, digest, found, None
        return shot, digest, found, encoder.product_colors(found.values[None])[0]

    kept: list[Shot] = []
    rejected: list[Rejection] = []
    digests: list[bytes] = []
    readable: list[bool] = []
    waiting: list[npt.NDArray[np.float32]] = []
    parts: list[Embedded] = []
    colors: list[npt.NDArray[np.float32]] = []
    with closing(map_ahead(read, chunk, threads, reader.ahead)) as outcomes:
        for shot, digest, outcome, measured in outcomes:
            if digest is not None:
                digests.append(digest)
                readable.append(isinstance(outcome, Pixels))
            if isinstance(outcome, UnusablePicture):
                rejected.append(reject(shot, outcome))
                continue
            kept.append(shot)
            waiting.append(outcome.values)
            if measured is not None:
                colors.append(measured)
            if len(waiting) == BATCH:
                parts.append(encoder.run_pixels(np.stack(waiting)))
                waiting.clear()
    if waiting:
        parts.append(encoder.run_pixels(np.stack(waiting)))
    stored = _together(parts, readable, colors if with_levels else None)
    cache.store(digests, stored)
    return Features(tuple(kept), stored.features, tuple(rejected), stored.levels, stored.colors)


def _together(
    parts: Sequence[Embedded], readable: Sequence[bool], colors: Sequence[npt.NDArray[np.float32]] | None
) -> StoredChunk:
    """One chunk of its batches; `colors` None: neither levels nor colours are kept."""
    marks = np.array(readable, dtype=bool)
    if not parts:
        empty = np.empty((0, 0), dtype=np.float32)
        further = None if colors is None else empty.astype(np.float16)
        return StoredChunk(marks, empty, further, further)
    features = np.concatenate([part.features for part in parts])
    levels = [part.levels.astype(np.float16) for part in parts if part.levels is not None]
    if colors is None or not levels:
        return StoredChunk(marks, features, None, None)
    return StoredChunk(marks, features, np.concatenate(levels), np.stack(colors).astype(np.float16))
