"""What pictures say of products' categories, each product left out of its own neighbours' vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.category_names import name_embeddings
from embedder.encoder import Encoder
from embedder.recognition.category_model import QueryModel
from embedder.recognition.category_witnesses import Witnesses, known_head
from indexer.building.calibration.held_out_queries import Searched

_MOST_CELLS = 4_000_000
"""Products times categories: probabilities that are in memory at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Opinions:
    """Of n products.

    Attributes:
        top: the likeliest category by the picture, int (n,).
        top_probability: its probability, float (n,).
        own: probability of the category that the catalog gives; NaN where it gives none.
        suggested: of the category that was asked about; NaN where none was.
    """

    top: npt.NDArray[np.intp]
    top_probability: npt.NDArray[np.float64]
    own: npt.NDArray[np.float64]
    suggested: npt.NDArray[np.float64]


def judge_pictures(
    encoder: Encoder,
    model: QueryModel,
    categories: Sequence[str],
    vectors: npt.NDArray[np.float16],
    near: Searched,
    labels: npt.NDArray[np.intp],
    suggestions: npt.NDArray[np.intp],
) -> Opinions:
    """Judge products as picture queries are judged: by the head, the nearest products, the categories' names.

    Args:
        encoder: the model.
        model: how much each of them counts, as the build fitted it.
        categories: c paths.
        vectors: of the products' main pictures, float16 (n, dim); may lie on disk.
        near: the nearest products of each, itself and what shows the same left out.
        labels: the catalog's categories, int (n,); -1: none.
        suggestions: categories to ask about besides, int (n,); -1: none.
    """
    witnesses = Witnesses(categories, known_head(encoder.head, categories), name_embeddings(encoder, categories))
    total, count = len(vectors), len(categories)
    top = np.zeros(total, dtype=np.intp)
    top_probability, own, suggested = np.zeros(total), np.full(total, np.nan), np.full(total, np.nan)
    step = max(1, _MOST_CELLS // max(1, count))
    for start in range(0, total, step):
        rows = slice(start, start + step)
        some = vectors[rows].astype(np.float32)
        neighbors = Searched(near.places[rows], near.scores[rows]).neighbors(labels)
        heard = witnesses.hear(encoder.space.semantic_of(some), some, "image", neighbors)
        found = model.judge(heard, count).probabilities
        lines = np.arange(len(found))
        top[rows] = found.argmax(axis=1)
        top_probability[rows] = found[lines, top[rows]]
        for asked, into in ((labels, own), (suggestions, suggested)):
            there = asked[rows]
            into[rows] = np.where(there >= 0, found[lines, there], np.nan)
    return Opinions(top, top_probability, own, suggested)
