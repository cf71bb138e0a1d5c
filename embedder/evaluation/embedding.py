"""Pictures to vectors, as the figures compare them: what an index would hold, and what a query would search with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from embedder.catalogs.product import Product
from embedder.encoder import Encoder
from embedder.inputs.picture import Picture
from embedder.inputs.pixels import PixelReader, UnusablePicture

_log = logging.getLogger(__name__)

Item = TypeVar("Item")

BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Products with the unit embeddings of their main pictures, float32 (n, dim)."""

    products: Sequence[Product]
    embeddings: npt.NDArray[np.float32]


def picture_vectors(encoder: Encoder, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Preprocessed pixels (n, 3, height, width) to what an index holds of them: unit vectors, float32 (n, dim)."""
    return encoder.embed_pixels(pixels)


def picture_queries(encoder: Encoder, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What pictures with these vectors (n, dim) search an index with, float32 (n, dim): the parts weighed."""
    return encoder.space.queries(vectors)[0]


def embed_pictures(
    encoder: Encoder,
    pictures: Iterable[tuple[Item, Picture]],
    reader: PixelReader,
    *,
    decode_threads: int,
    name_of: Callable[[Item], str],
    on_progress: Callable[[int], None] = lambda done: None,
) -> tuple[list[Item], npt.NDArray[np.float32]]:
    """Embed pictures; unreadable ones are left out, with a line in the log.

    Args:
        encoder: the model.
        pictures: each with whatever tells the caller which one it is.
        reader: decodes and preprocesses them.
        decode_threads: how many pictures are decoded at once, 1 or more.
        name_of: how the log calls one.
        on_progress: called with the number of pictures done since the last call.

    Returns:
        Which pictures were read, in order, and their vectors, float32 (n, dim).
    """
    kept: list[Item] = []
    waiting: list[npt.NDArray[np.float32]] = []
    parts = [np.empty((0, encoder.dim), dtype=np.float32)]
    with closing(reader.read_each(pictures, decode_threads)) as outcomes:
        for item, outcome in outcomes:
            if isinstance(outcome, UnusablePicture):
                _log.warning("%s left out: %s", name_of(item), outcome.detail)
            else:
                kept.append(item)
                waiting.append(outcome.values)
            if len(waiting) == BATCH:
                parts.append(picture_vectors(encoder, np.stack(waiting)))
                waiting.clear()
            on_progress(1)
    if waiting:
        parts.append(picture_vectors(encoder, np.stack(waiting)))
    return kept, np.concatenate(parts)
