"""The stage that turns pixels into vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from indexer.building.stage import Stage


class Embedding(Stage):
    """Runs the encoder, which takes all cores it was given."""

    def __init__(self, encoder: Encoder, batch_size: int) -> None:
        super().__init__("embed")
        self._encoder = encoder
        self._batch_size = batch_size

    def embed(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Unit vectors, float32 (m, dim), of pixels (m, 3, height, width); m is 1 or more."""
        with self.working():
            starts = range(0, len(pixels), self._batch_size)
            parts = [self._encoder.embed_pixels(pixels[start : start + self._batch_size]) for start in starts]
            return parts[0] if len(parts) == 1 else np.concatenate(parts)
