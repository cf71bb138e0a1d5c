"""Which category a query shows, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedder.category_names import name_embeddings
from embedder.encoder import Encoder
from embedder.recognition.category_model import MAX_ERROR, Heard, Judged, QueryModel
from embedder.recognition.category_tree import CategoryTree, deepest
from embedder.recognition.category_witnesses import Witnesses, known_head
from embedder.recognition.neighbor_vote import NEIGHBORS, Neighbors, NeighborVote
from indexer.stores.protocol import Scored
from indexer.versions.manifest import Manifest
from server.search.encoded_part import EncodedPart
from server.search.query import Abstention, Candidate, PredictedCategory

CANDIDATES = 5


class CategoryPredictor:
    """Predicts by all witnesses, weighed as the index's manifest says.

    An index of an earlier release says nothing of that: then the head predicts where it knows the catalog's categories,
    else the nearest products do.
    """

    def __init__(self, encoder: Encoder, manifest: Manifest) -> None:
        self._categories = tuple(sorted(manifest.categories))
        self._tree = CategoryTree(self._categories)
        self._place = {category: label for label, category in enumerate(self._categories)}
        self._space = encoder.space
        self._models = dict(manifest.category_models)
        self._votes = dict(manifest.votes)
        head = known_head(encoder.head, self._categories)
        names = None
        if any(_asks_names(model) for model in self._models.values()):
            names = name_embeddings(encoder, self._categories)
        self._witnesses = Witnesses(self._categories, head, names)
        self._head_is_enough = not self._models and head is not None and set(head.categories) >= set(self._categories)

    @property
    def categories(self) -> tuple[str, ...]:
        """All of the catalog's, in the order of what is judged."""
        return self._categories

    @property
    def needs_neighbors(self) -> bool:
        """Whether the nearest products are used; otherwise `predict` may be given none."""
        return bool(self._categories) and not self._head_is_enough

    def predict(self, part: EncodedPart, neighbors: Sequence[Scored]) -> PredictedCategory | None:
        """Predict.

        Args:
            part: what was searched with.
            neighbors: the nearest products of the whole catalog, nearest first, where `needs_neighbors`; a picture
                found them by both parts.

        Returns:
            None where the catalog has no categories, or nothing is known of the query.
        """
        if not self._categories:
            return None
        model = self._models.get(part.modality)
        if model is None:
            return self._predict_as_before(part, neighbors)
        return self._to_prediction(self.judge(part, neighbors), model)

    def judge(self, part: EncodedPart, neighbors: Sequence[Scored]) -> Judged:
        """What each witness says, and all together, about one query of a kind that the manifest says how to judge.

        Args:
            part, neighbors: see `predict`.
        """
        return self._models[part.modality].judge(self._hear(part, neighbors), len(self._categories))

    def _hear(self, part: EncodedPart, neighbors: Sequence[Scored]) -> Heard:
        indexed, semantic = None, part.semantic[None, :]
        if part.indexed is not None:
            # As near as the index keeps it, since all is fitted on what an index has.
            indexed = part.indexed[None, :]
            semantic = self._space.semantic_of(indexed)
        return self._witnesses.hear(semantic, indexed, part.modality, self._to_neighbors(neighbors))

    def _to_prediction(self, judged: Judged, model: QueryModel) -> PredictedCategory:
        probabilities = judged.probabilities[0]
        order = np.argsort(-probabilities, kind="stable")[:CANDIDATES]
        head = judged.evidence.head
        names = judged.evidence.names if model.pool.weights.get("names", 0.0) > 0 else None
        candidates = tuple(
            Candidate(
                self._categories[place],
                float(probabilities[place]),
                head=None if head is None or np.isnan(head[0, place]) else float(np.exp(head[0, place])),
                neighbors=float(judged.votes[0, place]),
                names=None if names is None else float(names[0, place]),
            )
            for place in order
        )
        known = None if judged.known is None else float(judged.known[0])
        path = self._tree.branch(int(order[0]), probabilities)
        abstention: Abstention | None = None
        if known is not None and known < model.least_known:
            abstention = "not_in_catalog"
        elif candidates[0].probability < model.least_sure:
            abstention = "unsure"
        # Below its threshold a category's answers are the doubtful ones: what stands above it is taken at its word.
        sure = deepest(path[:-1], max(model.least_sure, 1.0 - MAX_ERROR)) if abstention else path[-1]
        return PredictedCategory(
            candidates,
            "fusion",
            known,
            abstention,
            path,
            "" if sure is None or abstention == "not_in_catalog" else sure.path,
            dict(zip(self._categories, probabilities.tolist(), strict=True)),
        )

    def _predict_as_before(self, part: EncodedPart, neighbors: Sequence[Scored]) -> PredictedCategory | None:
        """By the one witness that an earlier release's index speaks of."""
        heard = self._hear(part, neighbors)
        count = len(self._categories)
        if self._head_is_enough and heard.logits is not None:
            shares = np.exp(heard.logits[0] - heard.logits[0].max())
            shares /= shares.sum()
        else:
            vote = self._votes.get(part.modality) or self._votes.get("image") or NeighborVote()
            shares = vote.shares(heard.neighbors, count)[0]
        order = [int(place) for place in np.argsort(-shares, kind="stable")[:CANDIDATES] if shares[place] > 0]
        if not order:
            return None
        candidates = tuple(Candidate(self._categories[place], float(shares[place])) for place in order)
        return PredictedCategory(candidates, "head" if self._head_is_enough else "neighbors")

    def _to_neighbors(self, found: Sequence[Scored]) -> Neighbors:
        labels = np.full((1, NEIGHBORS), -1)
        scores = np.full((1, NEIGHBORS), -np.inf)
        for column, item in enumerate(found[:NEIGHBORS]):
            labels[0, column] = self._place.get(item.payload.get("category", ""), -1)
            scores[0, column] = item.score
        return Neighbors(labels, scores)


def _asks_names(model: QueryModel) -> bool:
    known = {} if model.known is None else dict(zip(model.known.features, model.known.weights, strict=True))
    return model.pool.weights.get("names", 0.0) > 0 or known.get("name", 0.0) > 0
