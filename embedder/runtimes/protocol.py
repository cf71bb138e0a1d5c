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
        embeddings: the semantic part, float32 (n, semantic dim), of length 1.
        features: float32 (n, width), what the tower's last projection starts from; not normalized.
        levels: of pictures, float32 (n, sum of the levels' widths), what the instance map starts from; None where the
            model's graph does not give them.
        instance: of pictures, the instance part, float32 (n, instance dim), of length 1; None where there is none.
    """

    embeddings: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    levels: npt.NDArray[np.float32] | None = None
    instance: npt.NDArray[np.float32] | None = None


class Runtime(Protocol):
    """Computes the two towers. Calls from several threads are allowed."""

    def embed_pixels(self, pixels: npt.NDArray[np.float32]) -> Embedded:
        """float32 (n, 3, height, width), preprocessed; n is 1 or more."""

    def embed_tokens(self, tokens: npt.NDArray[np.int64]) -> Embedded:
        """int64 (n, t); n is 1 or more."""
