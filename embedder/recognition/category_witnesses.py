"""The witnesses' own words about queries: the head's logits and the names' cosines, by a catalog's categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.recognition.category_model import Heard
from embedder.recognition.head import CategoryHead, Modality
from embedder.recognition.neighbor_vote import Neighbors


class Witnesses:
    """Who is asked about a catalog's categories.

    Attributes:
        categories: c paths.
    """

    def __init__(
        self, categories: Sequence[str], head: CategoryHead | None, names: npt.NDArray[np.float32] | None
    ) -> None:
        """Take them in.

        Args:
            categories: c paths.
            head: the model's; None where it has none, or where it knows none of the categories.
            names: unit semantic embeddings of the categories' names, float32 (c, semantic dim); None: names are not
                asked.
        """
        self.categories = tuple(categories)
        self._head = head
        self._names = names
        self._columns = np.empty(0, dtype=np.intp) if head is None else columns_of(categories, head.categories)

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
        if self._head is not None:
            logits = aligned(self._head.logits(semantic, modality, vectors), self._columns)
        return Heard(logits, neighbors, None if self._names is None else semantic @ self._names.T)


def known_head(head: CategoryHead | None, categories: Sequence[str]) -> CategoryHead | None:
    """The head, where it knows at least one of the categories."""
    return head if head is not None and not set(head.categories).isdisjoint(categories) else None


def columns_of(categories: Sequence[str], known: Sequence[str]) -> npt.NDArray[np.intp]:
    """Where each of the categories stands among those that a head knows, (c,); -1 where it does not."""
    place = {category: column for column, category in enumerate(known)}
    return np.asarray([place.get(category, -1) for category in categories], dtype=np.intp)


def aligned(logits: npt.NDArray[np.floating], columns: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Logits (n, known) by the categories asked about, float64 (n, c); NaN for those that are not known.

    What the head knows besides is struck out: a catalog's pictures are of its own categories.
    """
    found = np.full((len(logits), len(columns)), np.nan)
    found[:, columns >= 0] = logits[:, columns[columns >= 0]]
    return found
