"""The stage that turns pixels into vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from indexer.building.cached_encoder import CachedEncoder
from indexer.building.decoding import DecodedBatch
from indexer.building.stage import Stage


class Embedding(Stage):
    """Runs the encoder, which takes all cores it was given."""

    def __init__(self, encoder: CachedEncoder, batch_size: int) -> None:
        super().__init__("embed")
        self._encoder = encoder
        self._batch_size = batch_size

    def embed(self, batch: DecodedBatch) -> npt.NDArray[np.float32]:
        """Unit vectors of a batch's m pictures, float32 (m, dim); m is 1 or more."""
        with self.working():
            vectors = np.empty((len(batch.keys), self._encoder.dim), dtype=np.float32)
            new = [place for place in range(len(batch.keys)) if place not in batch.known]
            for start in range(0, len(new), self._batch_size):
                places = new[start : start + self._batch_size]
                keys = [batch.keys[place] for place in places]
                vectors[places] = self._encoder.embed_new(keys, batch.pixels[start : start + self._batch_size])
            for place, vector in batch.known.items():
                vectors[place] = vector
            return vectors
