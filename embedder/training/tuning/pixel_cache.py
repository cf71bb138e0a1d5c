"""Decoded pictures and their views at one size, kept in memory up to a limit."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from embedder.errors import PictureError
from embedder.inputs.pixels import PixelReader
from embedder.inputs.preprocess import Preprocessing
from embedder.inputs.street_views import training_view
from embedder.training.pictures.feature_cache import source_of
from embedder.training.pictures.shots import Shot


class PixelCache:
    """Shots as the tower's input shows them, before normalization. Calls from several threads are allowed.

    What fits is kept until the end: training takes all shots equally often, so none is worth more than another. What a
    shot's pixels are does not depend on what is kept.

    Attributes:
        side: of the squares, pixels.
        most: how many fit into memory.
    """

    def __init__(self, reader: PixelReader, side: int, most_bytes: int) -> None:
        """Take what decodes the pictures, the side of the squares in pixels, and the limit."""
        self.side = side
        self._reader = reader
        self._resize = _square(reader.preprocessing, side).resize
        self.most = most_bytes // (3 * side * side)
        self._kept: dict[tuple[str, int, int | None], npt.NDArray[np.uint8]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, shot: Shot) -> npt.NDArray[np.uint8] | None:
        """A shot's pixels, uint8 (3, side, side); None where its picture cannot be read."""
        key = (shot.product.id, shot.picture, shot.view)
        found = self._kept.get(key)
        if found is None:
            found = self._read(shot)
            if found is not None and len(self._kept) < self.most:
                with self._lock:
                    self._kept[key] = found
        return found

    def _read(self, shot: Shot) -> npt.NDArray[np.uint8] | None:
        try:
            decoded = self._reader.decode(source_of(shot))
        except PictureError:
            return None
        if shot.view is None:
            square = self._resize(decoded.image, decoded.box)
        else:
            square = self._resize(training_view(decoded.image, shot.view))
        return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))


def _square(preprocessing: Preprocessing, side: int) -> Preprocessing:
    return preprocessing if preprocessing.size == (side, side) else replace(preprocessing, size=(side, side))
