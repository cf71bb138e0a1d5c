"""What categories are called, as the model understands it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import category_words
from embedder.encoder import Encoder

MOST_NAMED = 1_000
"""Categories; of more, the names are not compared: embedding them all would hold up a server's start."""


def name_embeddings(encoder: Encoder, categories: Sequence[str]) -> npt.NDArray[np.float32] | None:
    """Semantic embeddings of the categories' names, float32 (c, semantic dim), unit.

    Returns:
        None where there are more than `MOST_NAMED`, or a category has no words.
    """
    words = [category_words(category) for category in categories]
    if len(words) > MOST_NAMED or not all(words):
        return None
    return encoder.semantic_texts(words)
