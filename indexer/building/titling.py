"""The stage that makes titles searchable: by what they mean, and by their words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import searched_words, title_of
from embedder.catalogs.product import Product
from indexer.building.cached_encoder import CachedEncoder
from indexer.building.stage import Stage
from indexer.stores.protocol import WordVector
from indexer.words.bm25 import Bm25Words
from indexer.words.text_index import TextIndex


class Titling(Stage):
    """Runs the text tower; a title that a cache knows, or that several products share, goes through it once.

    Attributes:
        held_bytes: of titles' embeddings and words, as the version holds them; a server maps them into memory.
    """

    def __init__(self, encoder: CachedEncoder, texts: TextIndex | None, batch_size: int) -> None:
        """Prepare; `texts`: what the version is to hold, None for nothing."""
        super().__init__("titles")
        self._encoder = encoder
        self._dim = 0 if texts is None else texts.title_dim
        self._words = None if texts is None or texts.bm25 is None else Bm25Words(texts.bm25)
        self._batch_size = batch_size
        self.held_bytes = 0

    def embeddings(self, products: Sequence[Product]) -> npt.NDArray[np.float32] | None:
        """Of n products' titles, float32 (n, title dim), unit length, zeros where there is none.

        None where the version holds none.
        """
        if not self._dim:
            return None
        with self.working():
            titles = [title_of(product) for product in products]
            given = [row for row, title in enumerate(titles) if title]
            found = np.zeros((len(products), self._dim), dtype=np.float32)
            self.held_bytes += found.nbytes
            if given:
                found[given] = self._encoder.semantic_texts([titles[row] for row in given], self._batch_size)
            return found

    def words(self, products: Sequence[Product]) -> list[WordVector | None] | None:
        """Of n products' titles and descriptions, None where there are none; None alone where none are held."""
        if self._words is None:
            return None
        with self.working():
            found = [
                self._words.title(searched_words(product.title, product.category, product.description))
                for product in products
            ]
            # An index of 4 bytes and a value of 4.
            self.held_bytes += 8 * sum(len(words.indices) for words in found if words is not None)
            return found
