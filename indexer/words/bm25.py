"""Words as sparse vectors, weighed by BM25 (Robertson and Zaragoza, 2009).

Qdrant Edge makes them; a Qdrant server's own `qdrant/bm25` gives the same numbers. What a word is worth by its rarity
(IDF) is no part of them: both engines multiply with it when they search.
"""

from __future__ import annotations

import qdrant_edge as edge

from indexer.stores.protocol import WordVector
from indexer.words.text_index import Bm25Settings

_LONGEST = 64
"""Characters of a word; what is longer is no word, but would be kept as one."""


class Bm25Words:
    """One catalog's way of turning texts into sparse vectors. Calls from several threads are allowed."""

    def __init__(self, settings: Bm25Settings) -> None:
        several = settings.language == "multilingual"
        stemmer: edge.StemmingAlgorithm = edge.DisabledStemmer()
        if settings.language not in ("none", "multilingual"):
            stemmer = edge.SnowballParams(getattr(edge.SnowballLanguage, settings.language.capitalize()))
        # The defaults drop English stop words, and with them "can" and "the will". Accents are folded: customers leave
        # them out.
        self._model = edge.Bm25(
            edge.Bm25Config(
                k=settings.k,
                b=settings.b,
                avg_len=settings.average_length,
                tokenizer=edge.TokenizerType.Multilingual if several else edge.TokenizerType.Word,
                stopwords=edge.StopwordsSet(),
                stemmer=stemmer,
                lowercase=True,
                ascii_folding=True,
                max_token_len=_LONGEST,
            )
        )

    def title(self, text: str) -> WordVector | None:
        """Of a title to index; None where it has no words."""
        return _vector(self._model.embed_document(text))

    def query(self, text: str) -> WordVector | None:
        """Of a text to search for; None where it has no words."""
        return _vector(self._model.embed_query(text))


def _vector(made: edge.SparseVector) -> WordVector | None:
    return WordVector(tuple(made.indices), tuple(made.values)) if len(made.indices) else None
