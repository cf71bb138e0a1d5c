"""Which value of an attribute a text names: by the words that it says, and by what they mean.

"A red striped shirt" says "red" and "striped". "Crimson" is not said by any catalog, but means nearly the same. What
each of the two is worth, the catalog's own titles tell; without any it is taken as stated below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from embedder.recognition.conditional_logit import fit_choice, shares_of
from embedder.recognition.word_share import singular

FEATURES = ("first", "second", "later", "meaning")
"""What speaks for a value: to be the first of the attribute's values that the text says, the second, a later one; and
the cosine of the text and the value's name, above the mean of all values."""

UNFITTED = (6.0, 4.0, 4.0, 12.0)
"""What they are worth where no title tells: a value that is said is nearly certain, one that is meant is likely."""

_RIDGE = 1.0
_SCALES = np.asarray([1.0, 1.0, 1.0, 10.0])
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, eq=False)
class ValueNames:
    """An attribute's values, and how a text names them.

    Attributes:
        values: v of them, 2 or more, no two alike.
        embeddings: unit semantic embeddings of their names, float32 (v, semantic dim).
        shares: how frequent each is in the catalog, float32 (v,), above 0, sum 1.
        weights: of `FEATURES`, 0 or more.
        fitted_on: how many titles the weights were fitted on; 0: they are `UNFITTED`.
    """

    values: tuple[str, ...]
    embeddings: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float32]
    weights: tuple[float, ...] = UNFITTED
    fitted_on: int = 0

    def __post_init__(self) -> None:
        count = len(self.values)
        if count < 2 or len(set(self.values)) < count or len(self.embeddings) != count or self.shares.shape != (count,):
            raise ValueError(
                f"{count} values, embeddings {self.embeddings.shape}, shares {self.shares.shape}; permitted: 2 or "
                "more, no two alike, one row and one share for each"
            )
        if not np.all(self.shares > 0):
            raise ValueError("a value with a share of 0; permitted: above 0")
        if len(self.weights) != len(FEATURES) or not all(np.isfinite(value) and value >= 0 for value in self.weights):
            raise ValueError(f"weights {self.weights}; permitted: {len(FEATURES)} of them, 0 or more")

    def probabilities(self, texts: Sequence[str], semantic: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """That each value is meant, float32 (n, v).

        Args:
            texts: n of them.
            semantic: their unit semantic embeddings, float32 (n, semantic dim).
        """
        logits = np.tensordot(self.weights, self._features(texts, semantic), axes=1) + np.log(self.shares)
        return shares_of(logits).astype(np.float32)

    def fitted(self, texts: Sequence[str], semantic: npt.NDArray[np.float32], targets: npt.NDArray[np.float32]) -> Self:
        """With the weights under which n titles' own values are likeliest; n may be 0.

        Args:
            texts, semantic: see `probabilities`.
            targets: float32 (n, v), rows sum to 1: the share of each value among the product's own.
        """
        if not len(texts):
            return self
        # In units in which all weights are about as large.
        features = self._features(texts, semantic) * _SCALES[:, None, None]
        found = fit_choice(features, targets, np.asarray(UNFITTED) / _SCALES, _RIDGE, np.log(self.shares)) * _SCALES
        return type(self)(self.values, self.embeddings, self.shares, tuple(map(float, found)), len(texts))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without the arrays."""
        return {"values": list(self.values), "text_weights": list(self.weights), "text_fitted_on": self.fitted_on}

    def _features(self, texts: Sequence[str], semantic: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """`FEATURES` of each value, float64 (4, n, v)."""
        features = np.zeros((len(FEATURES), len(texts), len(self.values)))
        spoken = [_words_of_value(value) for value in self.values]
        for row, text in enumerate(texts):
            for rank, place in enumerate(said(_words(text), spoken)):
                features[min(rank, 2), row, place] = 1.0
        cosines = np.asarray(semantic @ self.embeddings.T, dtype=np.float64)
        features[3] = cosines - cosines.mean(axis=1, keepdims=True)
        return features


def said(text: Sequence[str], values: Sequence[Sequence[str]]) -> list[int]:
    """Places of the values whose words a text holds one after the other, in the order of the text.

    Of values that begin at one word the longest is meant: "dark red" does not say "red".
    """
    found: list[int] = []
    start = 0
    while start < len(text):
        fits = [
            place
            for place, value in enumerate(values)
            if value and tuple(text[start : start + len(value)]) == tuple(value)
        ]
        if not fits:
            start += 1
            continue
        place = max(fits, key=lambda each: len(values[each]))
        if place not in found:
            found.append(place)
        start += len(values[place])
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(singular(word) for word in _WORD.findall(text.casefold().replace("_", " ")))


@lru_cache(maxsize=8192)
def _words_of_value(value: str) -> tuple[str, ...]:
    """Every text is compared with the same values."""
    return _words(value)
