"""Vectors on disk, so that what did not change is never embedded twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from embedder.caches.table import CacheTable

FILE_NAME = "embeddings-1.sqlite"
"""Another number when an entry's form changes."""

Vector = npt.NDArray[np.float32]

_KEY_BYTES = 20


def cache_key(*parts: str | bytes) -> bytes:
    """What a vector is stored under: all that it depends on, each part with its length, as a digest of 20 bytes."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.digest()[:_KEY_BYTES]


class EmbeddingCache(CacheTable):
    """Vectors of all models, and what else was computed from a picture or a text."""

    def __init__(self, cache_dir: Path, most_bytes: int) -> None:
        """Take the folder, and how large the table may become; 0: nothing is kept, and nothing found."""
        super().__init__(cache_dir / FILE_NAME, most_bytes, "embeddings")

    def find(self, keys: Sequence[bytes], length: int) -> dict[bytes, Vector]:
        """The stored and sound ones of `keys`, each float32 (length,)."""
        return {key: _to_vector(data) for key, data in self.find_bytes(keys, 4 * length).items()}

    def store(self, vectors: Mapping[bytes, Vector]) -> None:
        """Keep vectors, float32 (length,), by their keys; drops others where they do not fit."""
        self.store_bytes({key: _to_bytes(vector) for key, vector in vectors.items()})


def _to_bytes(vector: Vector) -> bytes:
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def _to_vector(data: bytes) -> Vector:
    return np.frombuffer(data, dtype="<f4").astype(np.float32)
