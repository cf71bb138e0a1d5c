"""How much pictures, titles and words count in a text query's ranking: what finds most in the catalog itself.

The queries are its own: titles with a word left out, which ask for the very product, and names of categories, of which
many stand in no title, and which pictures and what titles mean must answer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product as combinations
from math import log2

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import category_words
from embedder.encoder import Encoder
from indexer.building.calibration.held_out_queries import held_out_places, partial_titles
from indexer.building.calibration.product_sample import ProductSample
from indexer.building.calibration.sample_texts import SampleTexts, fuse
from indexer.versions.layout import Part
from indexer.words.text_index import TextIndex

QUERIES = 200
"""Of each kind, at most."""

FEWEST = 10
"""Queries in all; with fewer the weights are the defaults."""

_CHOICES = (0.0, 0.1, 0.25, 0.5, 1.0)
"""Weights of the parts, the largest of them 1; pictures always count: they alone answer for what no title says."""

_DEPTH = 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One query: its lists of places by part, and which products are right.

    Attributes:
        kind: "title" or "category".
    """

    kind: str
    lists: Mapping[Part, npt.NDArray[np.intp]]
    right: npt.NDArray[np.bool_]

    def score(self, weights: Mapping[Part, float]) -> float:
        """0..1: for a title half for the first place and half for the first ten; for a category the share of ten."""
        found = self.right[fuse(self.lists, weights)[:_DEPTH]]
        if self.kind == "title":
            return 0.5 * float(found[:1].any()) + 0.5 * float(found.any())
        return float(found.sum()) / min(_DEPTH, int(self.right.sum()))


def fit_ranking(encoder: Encoder, sample: ProductSample, texts: TextIndex | None) -> TextIndex | None:
    """What a version holds of its titles, with the weights that its text queries are ranked by.

    Args:
        encoder: the model.
        sample: of the products that were indexed.
        texts: what the version holds; None: nothing.
    """
    if texts is None:
        return None
    held: list[Part] = ["image"]
    held += ["title"] if texts.title_dim else []
    held += ["words"] if texts.bm25 else []
    equal: dict[Part, float] = dict.fromkeys(held, 1.0)
    asked = _queries(encoder, sample, texts) if len(sample) else []
    if len(asked) < FEWEST:
        return replace(texts, weights=equal)
    best = max(_weightings(held), key=lambda weights: (_mean(asked, weights), -_distance(weights, equal)))
    found = {"fused": _mean(asked, best)} | {part: _mean(asked, {part: 1.0}) for part in held}
    _log.info(
        "text queries are ranked by %s: %s of 1 by %d held-out queries (%s)",
        ", ".join(f"{part} {weight:g}" for part, weight in best.items()),
        f"{found['fused']:.3f}",
        len(asked),
        ", ".join(f"{part} alone {found[part]:.3f}" for part in held),
    )
    return replace(texts, weights=best, asked=len(asked), found=found)


def _weightings(held: Sequence[Part]) -> list[dict[Part, float]]:
    weightings: list[dict[Part, float]] = [
        dict(zip(held, chosen, strict=True)) for chosen in combinations(_CHOICES, repeat=len(held))
    ]
    return [weights for weights in weightings if weights["image"] > 0 and max(weights.values()) == 1.0]


def _mean(asked: Sequence[_Asked], weights: Mapping[Part, float]) -> float:
    """Mean score, both kinds of queries counting alike."""
    kinds = {query.kind for query in asked}
    return float(np.mean([np.mean([query.score(weights) for query in asked if query.kind == kind]) for kind in kinds]))


def _distance(weights: Mapping[Part, float], others: Mapping[Part, float]) -> float:
    """How far weights are from others; one that is 0 is as far as one that is a sixteenth."""
    return sum(abs(log2(max(weights[part], 1 / 16)) - log2(others[part])) for part in others)


def _queries(encoder: Encoder, sample: ProductSample, texts: TextIndex) -> list[_Asked]:
    searching = SampleTexts(encoder, sample, texts)
    random = np.random.default_rng(0)
    titles = np.asarray([title.casefold() for title in sample.titles])
    spoken, owners = partial_titles(sample, held_out_places(encoder, sample).tolist(), QUERIES, random)
    rights: list[npt.NDArray[np.bool_]] = [titles == titles[place] for place in owners]
    kinds = ["title"] * len(spoken)
    categories = np.asarray([category or "" for category in sample.categories])
    named = sorted({category for category in sample.categories if category and category_words(category)})
    for category in random.permutation(np.asarray(named, dtype=object))[:QUERIES]:
        spoken.append(category_words(str(category)))
        rights.append(categories == str(category))
        kinds.append("category")
    if not spoken:
        return []
    scores = searching.search(spoken, encoder.semantic_texts(spoken))
    return [_Asked(kind, found.lists(), right) for kind, found, right in zip(kinds, scores, rights, strict=True)]
