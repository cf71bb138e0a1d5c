"""How likely each hit is to be what was asked for, and whether anything good was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from embedder.recognition.logistic import log_odds
from embedder.recognition.match_model import HITS, HitEvidence, hit_probabilities
from embedder.recognition.word_share import words_of
from indexer.stores.protocol import Scored
from indexer.versions.manifest import Manifest
from server.search.encoded_part import EncodedPart
from server.search.query import Match, PredictedCategory


@dataclass(frozen=True, slots=True)
class Anything:
    """Whether there is anything in the catalog of what was asked for.

    Attributes:
        probability: that there is, 0..1; None where that was not fitted.
        found: whether that is enough to say nothing about it.
    """

    probability: float | None
    found: bool


class Matcher:
    """Judges hits as the index's manifest says; an index of an earlier release says nothing."""

    def __init__(self, manifest: Manifest) -> None:
        self._models = dict(manifest.match_models)
        self._words = manifest.words

    @property
    def needs_neighbors(self) -> bool:
        """Whether the nearest products of the whole catalog are used; otherwise none need be given."""
        return bool(self._models)

    def judge(
        self,
        part: EncodedPart,
        hits: Sequence[Scored],
        nearest: Sequence[Scored],
        category: PredictedCategory | None,
        is_product: bool = False,
    ) -> list[Match]:
        """Of each hit; a filter changes nothing about it.

        Args:
            part: what was searched with.
            hits: as they are ranked.
            nearest: the nearest products of the whole catalog, highest score first.
            category: of the query.
            is_product: whether the query is an indexed product, which is none of its own hits.
        """
        model = self._models.get(part.modality)
        if model is None or not hits:
            return [Match()] * len(hits)
        leaders = np.asarray([[item.score for item in nearest[:2]]], dtype=np.float64)
        evidence = replace(self._evidence(hits, category, part.text), leaders=leaders)
        relevant = None if model.relevant is None else hit_probabilities(model.relevant, evidence)[0]
        same = None if model.same is None or is_product else hit_probabilities(model.same, evidence)[0]
        return [
            Match(None if relevant is None else float(relevant[place]), None if same is None else float(same[place]))
            for place in range(len(hits))
        ]

    def anything(self, part: EncodedPart, nearest: Sequence[Scored], category: PredictedCategory | None) -> Anything:
        """Whether there is anything here of what was asked for.

        Args:
            part: what was searched with.
            nearest: the best products of the whole catalog, as hits are ranked.
            category: of the query.
        """
        model = self._models.get(part.modality)
        if model is not None and model.anything is not None:
            evidence = self._evidence(nearest[:HITS], category, part.text)
            probability = float(model.anything.probabilities(evidence.of_queries())[0])
            return Anything(probability, probability >= model.least_anything)
        if category is None:
            return Anything(None, True)
        return Anything(category.known, category.abstention != "not_in_catalog")

    def _evidence(self, hits: Sequence[Scored], category: PredictedCategory | None, text: str | None) -> HitEvidence:
        shape = (1, len(hits))
        words, likely = np.full(shape, np.nan), np.full(shape, np.nan)
        if text is not None and self._words is not None:
            words[0] = self._words.shares(words_of(text), [_words_of_product(_described(hit)) for hit in hits])
        known = np.nan
        if category is not None and category.probabilities:
            known = np.nan if category.known is None else float(log_odds(np.asarray(category.known)))
            said = [category.probabilities.get(hit.payload.get("category", ""), np.nan) for hit in hits]
            likely[0] = log_odds(np.asarray(said))
        scores = np.asarray([[hit.score for hit in hits]], dtype=np.float64)
        titles = np.asarray([[np.nan if hit.title is None else hit.title for hit in hits]], dtype=np.float64)
        return HitEvidence(scores, words, likely, np.asarray([known]), titles=titles)


def _described(hit: Scored) -> str:
    return f"{hit.payload.get('title', '')} {hit.payload.get('category', '')}"


@lru_cache(maxsize=8192)
def _words_of_product(described: str) -> frozenset[str]:
    """A query asks twice for most of its hits, and many queries have the same ones."""
    return words_of(described)
