"""How much of a query's words a product's words share, where rare words count for more than common ones.

Weights are inverse document frequencies (Spärck Jones, 1972) over a catalog's own titles. Only the common words of a
catalog are kept with their weight; whatever else a customer writes counts as much as a word can.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum, log, nan
from typing import Any, Self

_WORD = re.compile(r"\w+")

MOST_COMMON = 300
"""Words that are kept with a weight."""

_LEAST = 0.01
"""What a word in all titles weighs."""

_LEAST_LENGTH = 4
"""Of a word whose plural's ending is taken off."""

_CONNECTING = frozenset({"the", "and", "for", "from", "with"})
_CONNECTING_LENGTH = 2
"""Words that join others ("a blue box") ask for nothing: these, and those of so many letters, "a", "of", "de", "un".
They count where the catalog's own titles have them often enough to be known."""


@dataclass(frozen=True, slots=True)
class WordWeights:
    """What words of a catalog weigh.

    Attributes:
        common: word, as `words_of` gives it, to weight, 0 or more.
        rare: weight of all other words, above 0.
    """

    common: Mapping[str, float]
    rare: float

    def __post_init__(self) -> None:
        if not self.rare > 0 or not all(value >= 0 for value in self.common.values()):
            raise ValueError(
                f"word weights with {self.rare} for rare words; permitted: above 0, 0 or more for common ones"
            )

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Of a catalog's titles."""
        counts: Counter[str] = Counter()
        total = 0
        for text in texts:
            counts.update(words_of(text))
            total += 1
        # Of words that are as common, the first of the alphabet: sets are in another order in each process.
        common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_COMMON]
        # A word in every title says little, but a query of such words alone names what is here all the same.
        weights = {word: log((1 + total) / (1 + count)) + _LEAST for word, count in common}
        return cls(weights, max(log(1 + total), 1.0))

    def shares(self, query: frozenset[str], texts: Iterable[frozenset[str]]) -> list[float]:
        """Of the query's words, by weight, those that each text has too, 0..1; NaN where none of its words weighs."""
        weights = {word: self._weight(word) for word in query}
        # Exact sums do not depend on the order of a set, which is another one in each process.
        total = fsum(weights.values())
        return [fsum(weights[word] for word in query & text) / total if total > 0 else nan for text in texts]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"common": dict(self.common), "rare": self.rare}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`; raises KeyError, TypeError or ValueError on anything else."""
        return cls({str(word): float(weight) for word, weight in data["common"].items()}, float(data["rare"]))

    def _weight(self, word: str) -> float:
        joins = word in _CONNECTING or (len(word) <= _CONNECTING_LENGTH and word.isalpha() and word.isascii())
        return self.common.get(word, 0.0 if joins else self.rare)


def words_of(text: str) -> frozenset[str]:
    """The words of a text, in lower case, English plurals without their ending: "Red Boots!" gives red and boot."""
    return frozenset(singular(word) for word in _WORD.findall(text.casefold().replace("_", " ")))


def singular(word: str) -> str:
    """A word in lower case without the ending of an English plural; what is too short, or ends in "ss", stays."""
    if len(word) < _LEAST_LENGTH or not word.endswith("s") or word.endswith("ss"):
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > _LEAST_LENGTH else word[:-1]
