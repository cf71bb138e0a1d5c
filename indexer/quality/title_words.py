"""What a title's words say of a product's category, by all other products' titles.

Naive Bayes over the words that a title has (Maron 1961; the multi-variate model of McCallum and Nigam 1998, without
absent words). A title was written by whoever knows the product, often apart from its category: where both pictures and
titles speak against a category, it is seldom they that are wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.recognition.word_share import words_of

_SMOOTHING = 2.0
"""Titles that each category is taken to have besides its own, with words as they are in the whole catalog."""


@dataclass(frozen=True, slots=True, eq=False)
class TitleOpinions:
    """Of n products.

    Attributes:
        top: the likeliest category by the title, int (n,); -1 where it has no words.
        top_probability: its probability, float (n,).
        own: probability of the category that the catalog gives, float (n,); NaN where it gives none, or without words.
    """

    top: npt.NDArray[np.intp]
    top_probability: npt.NDArray[np.float64]
    own: npt.NDArray[np.float64]


def judge_titles(
    titles: Sequence[str], labels: npt.NDArray[np.intp], owners: npt.NDArray[np.intp], count: int
) -> TitleOpinions:
    """Judge each product by its title, with itself and what shows the same left out.

    Args:
        titles: of n products; may be empty.
        labels: the catalog's categories, int (n,), 0..count-1; -1: none.
        owners: products that show the same thing have the same number, int (n,).
        count: how many categories there are, 1 or more.
    """
    words = [words_of(title) for title in titles]
    held = _Counts(count)
    of_set: dict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(labels.tolist()):
        if label >= 0:
            held.add(words[place], label, 1)
            of_set[int(owners[place])].append(place)
    top = np.full(len(titles), -1, dtype=np.intp)
    top_probability, own = np.zeros(len(titles)), np.full(len(titles), np.nan)
    for place, spoken in enumerate(words):
        if not spoken:
            continue
        members = of_set.get(int(owners[place]), [])
        for member in members:
            held.add(words[member], int(labels[member]), -1)
        shares = held.shares(spoken)
        for member in members:
            held.add(words[member], int(labels[member]), 1)
        top[place] = shares.argmax()
        top_probability[place] = shares[top[place]]
        if labels[place] >= 0:
            own[place] = shares[labels[place]]
    return TitleOpinions(top, top_probability, own)


class _Counts:
    """How many titles of each category have each word."""

    def __init__(self, categories: int) -> None:
        self._titles = np.zeros(categories)
        self._words: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, words: frozenset[str], label: int, by: int) -> None:
        """Count a title once more, or once less."""
        self._titles[label] += by
        for word in words:
            self._words[word][label] += by

    def shares(self, words: frozenset[str]) -> npt.NDArray[np.float64]:
        """Each category's probability given a title's words, float (categories,)."""
        titles = self._titles
        found = np.log(titles + 0.5)
        total = titles.sum() + 1
        for word in words:
            having = self._words.get(word, {})
            everywhere = _SMOOTHING * (sum(having.values()) + 0.5) / total
            found += np.log(everywhere / (titles + _SMOOTHING))
            if having:
                labels = np.fromiter(having, dtype=np.intp)
                found[labels] += np.log1p(np.fromiter(having.values(), dtype=np.float64) / everywhere)
        shares = np.exp(found - found.max())
        return np.asarray(shares / shares.sum())
