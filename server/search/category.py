"""Which category a query shows, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.recognition.head import CategoryHead, Modality
from embedder.recognition.neighbor_vote import NeighborVote
from indexer.stores.protocol import Scored
from indexer.versions.manifest import Manifest
from server.search.query import PredictedCategory

CANDIDATES = 5


class CategoryPredictor:
    """Predicts by the model's head where it knows the catalog's categories, else by the nearest products.

    Both give probabilities that were calibrated on products they had not seen: the head's on the training's held-out
    part, the neighbours' on the index itself, each product left out of its own vote.
    """

    def __init__(self, head: CategoryHead | None, manifest: Manifest) -> None:
        wanted = set(manifest.categories)
        self._head = head if head is not None and wanted and wanted <= set(head.categories) else None
        self._votes = dict(manifest.votes)
        self._any = bool(wanted)

    @property
    def needs_neighbors(self) -> bool:
        """Whether the nearest products are used; otherwise `predict` may be given none."""
        return self._any and self._head is None

    def predict(
        self, semantic: npt.NDArray[np.float32], modality: Modality, neighbors: Sequence[Scored]
    ) -> PredictedCategory | None:
        """Predict.

        Args:
            semantic: semantic embedding, float32 (semantic dim,), unit length; what the head looks at.
            modality: which calibration applies.
            neighbors: the nearest products of the whole catalog, nearest first, where `needs_neighbors`; a picture
                found them by both parts.

        Returns:
            None where the catalog has no categories.
        """
        if not self._any:
            return None
        if self._head is not None:
            probabilities = self._head.probabilities(semantic[None, :], modality)[0]
            order = np.argsort(-probabilities, kind="stable")[:CANDIDATES]
            pairs = tuple((self._head.categories[index], float(probabilities[index])) for index in order)
            return PredictedCategory(pairs, "head")
        found = [item for item in neighbors if "category" in item.payload]
        vote = self._votes.get(modality) or self._votes.get("image") or NeighborVote()
        shares = vote.probabilities([item.payload["category"] for item in found], [item.score for item in found])
        if not shares:
            return None
        return PredictedCategory(tuple(shares.items())[:CANDIDATES], "neighbors")
