"""The witnesses' own words about queries: the head's logits and the names' cosines, by a catalog's categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.recognition.category_model import Heard
from embedder.recognition.head import CategoryHead, Modality
from embedder.recognition.neighbor_vote import Neighbors


@dataclass(frozen=True, slots=True, eq=False)
class Witnesses:
    """Who is asked about a catalog's categories.

    Attributes:
        categories: c paths.
        head: the model's; None where it has none, or where it knows none of the categories.
        names: unit semantic embeddings of the categories' names, float32 (c, semantic dim); None: names are not asked.
    """

    categories: tuple[str, ...]
    head: CategoryHead | None
    names: npt.NDArray[np.float32] | None

    def hear(
        self,
        semantic: npt.NDArray[np.float32],
        vectors: npt.NDArray[np.float32] | None,
        modality: Modality,
        neighbors: Neighbors,
    ) -> Heard:
        """What is known of n queries.

        Args:
            semantic: unit semantic embeddings, float32 (n, semantic dim).
            vectors: index vectors of pictures, float32 (n, dim); None for texts.
            modality: of all n.
            neighbors: the nearest products of each.
        """
        logits = None
        if self.head is not None:
            logits = aligned(self.head.logits(semantic, modality, vectors), self.head.categories, self.categories)
        return Heard(logits, neighbors, None if self.names is None else semantic @ self.names.T)


def known_head(head: CategoryHead | None, categories: Sequence[str]) -> CategoryHead | None:
    """The head, where it knows at least one of the categories."""
    return head if head is not None and not set(head.categories).isdisjoint(categories) else None


def aligned(
    logits: npt.NDArray[np.floating], known: Sequence[str], categories: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Logits (n, known) by the categories asked about, float64 (n, c); NaN for those that are not known.

    What the head knows besides is struck out: a catalog's pictures are of its own categories.
    """
    place = {category: column for column, category in enumerate(known)}
    columns = np.asarray([place.get(category, -1) for category in categories])
    found = np.full((len(logits), len(categories)), np.nan)
    found[:, columns >= 0] = logits[:, columns[columns >= 0]]
    return found
