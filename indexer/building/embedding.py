"""The stage that turns pixels into vectors."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from indexer.building.cached_encoder import CachedEncoder
from indexer.building.decoding import AHEAD, DecodedBatch
from indexer.building.stage import Stage


class Embedding(Stage):
    """Runs the encoder, which takes all cores it was given.

    A picture that many products share may be in several batches that were decoded before the cache knew of it: it goes
    through the encoder once.
    """

    def __init__(self, encoder: CachedEncoder, batch_size: int) -> None:
        super().__init__("embed")
        self._encoder = encoder
        self._batch_size = batch_size
        # Of the batches that were under way together: the one that is embedded, those that wait, one being decoded.
        self._latest: deque[dict[bytes, npt.NDArray[np.float32]]] = deque(maxlen=AHEAD + 2)

    def embed(self, batch: DecodedBatch) -> npt.NDArray[np.float32]:
        """Unit vectors of a batch's m pictures, float32 (m, dim); m is 1 or more."""
        with self.working():
            found: dict[bytes, npt.NDArray[np.float32]] = {}
            for latest in self._latest:
                found |= latest
            new = [row for row, place in enumerate(batch.decoded) if batch.keys[place] not in found]
            for start in range(0, len(new), self._batch_size):
                rows = new[start : start + self._batch_size]
                keys = [batch.keys[batch.decoded[row]] for row in rows]
                found.update(zip(keys, self._encoder.embed_new(keys, batch.pixels[rows]), strict=True))
            self._latest.append({key: found[key] for key in (batch.keys[place] for place in batch.decoded)})
            known = batch.known
            return np.stack([known[place] if place in known else found[key] for place, key in enumerate(batch.keys)])
