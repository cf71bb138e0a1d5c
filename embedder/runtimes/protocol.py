"""What every runtime does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A batch through one tower.

    Attributes:
        embeddings: float32 (n, dim), of length 1.
        features: float32 (n, width), what the tower's last projection starts from; not normalized.
    """

    embeddings: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]


class Runtime(Protocol):
    """Computes the two towers. Calls from several threads are allowed."""

    def embed_pixels(self, pixels: npt.NDArray[np.float32]) -> Embedded:
        """float32 (n, 3, height, width), preprocessed; n is 1 or more."""

    def embed_tokens(self, tokens: npt.NDArray[np.int64]) -> Embedded:
        """int64 (n, t); n is 1 or more."""
