"""BM25 search among a sample of titles, in memory: what both engines do in their indexes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import log

import numpy as np
import numpy.typing as npt

from indexer.stores.protocol import WordVector


class WordPostings:
    """Which of m titles have a word, and what it weighs there."""

    def __init__(self, titles: Sequence[WordVector | None]) -> None:
        self._count = len(titles)
        places: defaultdict[int, list[int]] = defaultdict(list)
        values: defaultdict[int, list[float]] = defaultdict(list)
        for place, title in enumerate(titles):
            for index, value in zip(title.indices, title.values, strict=True) if title else ():
                places[index].append(place)
                values[index].append(value)
        self._places = {index: np.asarray(found, dtype=np.intp) for index, found in places.items()}
        self._values = {index: np.asarray(found, dtype=np.float32) for index, found in values.items()}
        self._titles = sum(title is not None for title in titles)

    def scores(self, query: WordVector | None) -> npt.NDArray[np.float32]:
        """BM25 of every title, float32 (m,); 0 where it has none of the query's words."""
        found = np.zeros(self._count, dtype=np.float32)
        for index, value in zip(query.indices, query.values, strict=True) if query else ():
            places = self._places.get(index)
            if places is not None:
                rarity = log((self._titles - len(places) + 0.5) / (len(places) + 0.5) + 1)
                found[places] += np.float32(rarity * value) * self._values[index]
        return found
