"""What the suite needs of a model, whatever runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.inputs.preprocess import Preprocessing

EmbedPixels = Callable[[npt.NDArray[np.float32]], tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]]
"""Preprocessed pixels, float32 (n, 3, height, width), to semantic embeddings, float32 (n, dim) of length 1, and levels,
float32 (n, sum of their widths), or None."""

EmbedTexts = Callable[[list[str]], npt.NDArray[np.float32]]
"""Texts, 1 or more, to semantic embeddings, float32 (n, dim) of length 1."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredModel:
    """A model as two functions.

    Attributes:
        preprocessing: how its pictures become pixels.
        level_widths: length of each level; empty where `embed_pixels` gives none.
        embed_pixels, embed_texts: see their types.
    """

    preprocessing: Preprocessing
    level_widths: Sequence[int]
    embed_pixels: EmbedPixels
    embed_texts: EmbedTexts

    @classmethod
    def of_encoder(cls, encoder: Encoder) -> Self:
        """A model that was opened, on any runtime."""

        def embed_pixels(
            pixels: npt.NDArray[np.float32],
        ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
            found = encoder.run_pixels(pixels)
            return found.embeddings, found.levels

        def embed_texts(texts: list[str]) -> npt.NDArray[np.float32]:
            return encoder.run_tokens(encoder.tokenize(texts)).embeddings

        return cls(encoder.preprocessing, encoder.info.level_widths, embed_pixels, embed_texts)
