"""Fitting what an index's answers are worth: how categories are judged, and how likely hits are to be right."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from embedder.category_names import name_embeddings
from embedder.encoder import Encoder
from embedder.recognition.category_model import HeldOut, Judged, QueryModel, fit_query_model
from embedder.recognition.category_witnesses import Witnesses, known_head
from embedder.recognition.logistic import LogisticModel, log_odds
from embedder.recognition.match_model import (
    HITS,
    HitEvidence,
    MatchModel,
    fit_anything,
    fit_hits,
)
from embedder.recognition.word_share import WordWeights, words_of
from indexer.building.calibration.held_out_queries import (
    FEWEST,
    Answers,
    HeldOutQueries,
    Searched,
    held_out_places,
    nearest,
    picture_queries,
    stacked,
    title_queries,
)
from indexer.building.calibration.meaningless_texts import meaningless_texts
from indexer.building.calibration.product_sample import ProductSample
from indexer.building.calibration.product_views import ProductViews
from indexer.building.calibration.sample_texts import SampleTexts, fuse
from indexer.words.text_index import TextIndex

QUERIES = 1_000
TITLES = 400
MEANINGLESS = (50, 200)
"""Texts that mean nothing here: as many as titles, but no fewer and no more than these."""

_MOST_CELLS = 4_000_000
"""Queries times categories: the witnesses' tables are held in memory."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a manifest keeps.

    Attributes:
        category_models, match_models: by kind of query, "image" and "text"; empty where nothing could be fitted.
        words: what words weigh in this catalog; None where it has no titles.
    """

    category_models: dict[str, QueryModel] = field(default_factory=dict)
    match_models: dict[str, MatchModel] = field(default_factory=dict)
    words: WordWeights | None = None


def fit_recognition(
    encoder: Encoder,
    sample: ProductSample,
    categories: Sequence[str],
    views: ProductViews,
    texts: TextIndex | None = None,
) -> Recognition:
    """Fit on a sample of the products that were indexed.

    Args:
        encoder: the model.
        sample: of the products.
        categories: all of the index's, sorted; may be empty.
        views: of some of them, for how sure it is that the very product was found; none: that is not fitted.
        texts: how text queries are ranked; None: by pictures alone.
    """
    return _Fitting(encoder, sample, categories, views, texts).run() if len(sample) else Recognition()


class _Fitting:
    """What all kinds of queries of one index have in common."""

    def __init__(
        self,
        encoder: Encoder,
        sample: ProductSample,
        categories: Sequence[str],
        views: ProductViews,
        texts: TextIndex | None,
    ) -> None:
        self._encoder = encoder
        self._texts = texts or TextIndex()
        self._searching = SampleTexts(encoder, sample, self._texts)
        self._sample = sample
        self._views = views
        self._pool = np.stack(sample.vectors)
        place = {category: label for label, category in enumerate(categories)}
        self._labels = np.asarray([place.get(category or "", -1) for category in sample.categories], dtype=np.intp)
        self._count = len(categories)
        self._witnesses = None
        if categories:
            names = name_embeddings(encoder, categories)
            self._witnesses = Witnesses(tuple(categories), known_head(encoder.head, categories), names)
        self._asking = held_out_places(encoder, sample)
        if encoder.seen is not None:
            new = sum(encoder.seen.status(product_id) == "new" for product_id in sample.ids)
            if new < FEWEST:
                _log.warning(
                    "only %d of the sampled products were not trained on, %d are needed: probabilities are calibrated "
                    "on all of them, which makes them look surer than they are",
                    new,
                    FEWEST,
                )
        self._words = WordWeights.of(sample.titles) if any(sample.titles) else None
        described = zip(sample.titles, sample.categories, strict=True)
        self._spoken = [words_of(f"{title} {category or ''}") for title, category in described]

    def run(self) -> Recognition:
        """Pictures, then titles."""
        most = max(200, _MOST_CELLS // max(1, self._count))
        # Where some products have a category, those without have nothing to say of it.
        asking = [row for row in self._asking if self._labels[row] >= 0] or list(self._asking)
        places = np.asarray(asking[: min(QUERIES, most)], dtype=np.intp)
        pictures = picture_queries(self._encoder, self._pool, places)
        with_title = [row for row in asking if self._sample.titles[row]]
        titled = np.asarray(with_title[: min(TITLES, most)], dtype=np.intp)
        models: dict[str, QueryModel] = {}
        matches: dict[str, MatchModel] = {}
        self._fit(pictures, models, matches)
        if len(titled):
            titles = [self._sample.titles[row] for row in titled]
            self._fit(title_queries(self._encoder, titles, titled), models, matches)
        return Recognition(models, matches, self._words)

    def _fit(self, queries: HeldOutQueries, models: dict[str, QueryModel], matches: dict[str, MatchModel]) -> None:
        found = queries.search(self._pool, self._labels)
        near, strange = found.near, found.strange
        judged = None
        if self._witnesses is not None:
            known = self._labels[queries.places] >= 0
            if known.any():
                model = self._fit_categories(queries, near, strange, known)
                models[queries.modality] = model
                judged = self._judge(model, queries, near)
        matches[queries.modality] = self._fit_matches(queries, found, models.get(queries.modality), judged)

    def _fit_categories(
        self, queries: HeldOutQueries, near: Searched, strange: Searched, known: npt.NDArray[np.bool_]
    ) -> QueryModel:
        assert self._witnesses is not None
        indexed = None if queries.indexed is None else queries.indexed[known]
        of_known = Searched(near.places[known], near.scores[known]).neighbors(self._labels)
        heard = self._witnesses.hear(queries.semantic[known], indexed, queries.modality, of_known)
        strangers = Searched(strange.places[known], strange.scores[known]).neighbors(self._labels)
        return fit_query_model(HeldOut(heard, self._labels[queries.places][known], strangers, self._count))

    def _judge(self, model: QueryModel, queries: HeldOutQueries, near: Searched) -> Judged:
        assert self._witnesses is not None
        heard = self._witnesses.hear(queries.semantic, queries.indexed, queries.modality, near.neighbors(self._labels))
        return model.judge(heard, self._count)

    def _fit_matches(
        self, queries: HeldOutQueries, found: Answers, model: QueryModel | None, judged: Judged | None
    ) -> MatchModel:
        texts = None if queries.modality == "image" else [self._sample.titles[place] for place in queries.places]
        ranked = found.near if texts is None else self._ranked(queries, texts, queries.places)
        leaders = np.where(np.isfinite(found.near.scores), found.near.scores, np.nan)[:, :2]
        evidence = replace(self._evidence(ranked, judged, texts, queries.semantic), leaders=leaders)
        deep = replace(self._evidence(found.deep, judged, texts, queries.semantic), leaders=leaders)
        own = self._labels[queries.places]
        # A product without a category is of the kind of none.
        asked = own >= 0
        relevant = None
        if asked.any():
            relevant = fit_hits(
                *(
                    (_rows(item, asked), self._is_of(searched, own)[asked])
                    for item, searched in ((evidence, ranked), (deep, found.deep))
                )
            )
        if queries.modality == "image":
            return MatchModel(relevant, self._fit_same(), None, 0.0, len(queries))
        anything, least = fit_anything(evidence, self._meaningless(model, len(queries)))
        return MatchModel(relevant, None, anything, least, len(queries))

    def _ranked(
        self, queries: HeldOutQueries, texts: Sequence[str], places: npt.NDArray[np.intp] | None = None
    ) -> Searched:
        """What n texts find as the engines rank it, with the scores of the products' pictures.

        Args:
            queries: the texts'.
            texts: themselves.
            places: products that are left out of their own answers, (n,); None: none are.
        """
        rows = []
        for row, found in enumerate(self._searching.search(texts, queries.semantic)):
            own = None if places is None else int(places[row])
            order = fuse(found.lists(own), self._texts.weights)
            scores = found.scores["image"] * np.float32(queries.queries[row].scale)
            # `nearest` takes the order as it is given, and what is not in it for missing.
            there = np.full(len(scores), -np.inf, dtype=np.float32)
            there[order] = scores[order]
            rows.append(nearest(there, order))
        return stacked(rows)

    def _fit_same(self) -> LogisticModel | None:
        """From views of products, which ask for the very product among all of the sample."""
        own, found = [], []
        for place, vector in self._views.at_places(self._encoder).items():
            query = self._encoder.space.query(vector)
            found.append(nearest(self._pool @ query.vector * np.float32(query.scale)))
            own.append(place)
        if not found:
            return None
        near = stacked(found)
        evidence = self._evidence(near, None, None)
        return fit_hits((evidence, near.places[:, :HITS] == np.asarray(own, dtype=np.intp)[:, None]))

    def _is_of(self, searched: Searched, labels: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Which of the first hits are of their query's category, labels (n,)."""
        places = searched.places[:, :HITS]
        return np.asarray((self._labels[places] == labels[:, None]) & (places >= 0))

    def _meaningless(self, model: QueryModel | None, count: int) -> HitEvidence:
        """What is known of texts that mean nothing in this catalog."""
        texts = meaningless_texts(min(max(count, MEANINGLESS[0]), MEANINGLESS[1]))
        semantic = self._encoder.semantic_texts(texts)
        queries = HeldOutQueries(
            "text", np.empty(0, dtype=np.intp), semantic, None, self._encoder.space.text_queries(semantic)
        )
        near = stacked([nearest(self._pool @ query.vector * np.float32(query.scale)) for query in queries.queries])
        judged = None if model is None else self._judge(model, queries, near)
        return self._evidence(self._ranked(queries, texts), judged, texts, semantic)

    def _evidence(
        self,
        near: Searched,
        judged: Judged | None,
        texts: Sequence[str] | None,
        semantic: npt.NDArray[np.float32] | None = None,
    ) -> HitEvidence:
        """What is known of the first hits; `texts` and their embeddings `semantic` where the queries are texts."""
        places = near.places[:, :HITS]
        scores = np.where(places >= 0, near.scores[:, :HITS], np.nan)
        words = np.full(places.shape, np.nan)
        if texts is not None and self._words is not None:
            for row, text in enumerate(texts):
                held = places[row] >= 0
                spoken = [self._spoken[place] for place in places[row, held]]
                words[row, held] = self._words.shares(words_of(text), spoken)
        category = np.full(places.shape, np.nan)
        known = np.full(len(places), np.nan)
        if judged is not None:
            labels = np.where(places >= 0, self._labels[places], -1)
            odds = log_odds(np.take_along_axis(judged.probabilities, np.maximum(labels, 0), axis=1))
            category = np.where(labels >= 0, odds, np.nan)
            if judged.known is not None:
                known = log_odds(judged.known)
        titles = None
        if texts is not None and semantic is not None:
            titles = self._searching.titles_at(semantic, places)
        return HitEvidence(scores, words, category, known, titles=titles)


def _rows(evidence: HitEvidence, rows: npt.NDArray[np.bool_]) -> HitEvidence:
    leaders = None if evidence.leaders is None else evidence.leaders[rows]
    titles = None if evidence.titles is None else evidence.titles[rows]
    return HitEvidence(
        evidence.scores[rows], evidence.words[rows], evidence.category[rows], evidence.known[rows], leaders, titles
    )
