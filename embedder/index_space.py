"""The one vector that an index holds for a picture: its two parts, and how queries are compared with it.

The *semantic* part lies in the space of words, where texts are too; the *instance* part tells one product from another
of its kind. Both have the same length in the vector, so that one search weighs them as the query wants: a text has no
instance part, a picture is compared by a weighted mean of both cosines. A mixed query is a sum of vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MAX_DIM = 512
"""Longest vector of the index, both parts together."""

_GRID = 2.0**26
"""Steps of 1 that values are rounded to where sums must be exact; float32 has about as many."""

_ABSENT = 1e-6
"""A part shorter than this times the vector is not there."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexQuery:
    """A vector to search with.

    Attributes:
        vector: float32 (dim,), unit length.
        scale: what a cosine with an indexed vector is multiplied with to give the score: the semantic cosine of a text,
            the weighted mean of both parts' cosines of a picture.
    """

    vector: npt.NDArray[np.float32]
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class IndexSpace:
    """How an index vector is made of the parts.

    Attributes:
        semantic_dim: length of the model's semantic embeddings.
        kept: float32 (k, semantic_dim), orthonormal rows: what the index keeps of the semantic part. None: all of it.
        instance_dim: length of the instance part; 0 where the model has none, then vectors are semantic embeddings.
        instance_weight: of the instance part in a picture query, 0..1; the semantic part's is the rest.
    """

    semantic_dim: int
    kept: npt.NDArray[np.float32] | None = None
    instance_dim: int = 0
    instance_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.semantic_dim < 1 or self.instance_dim < 0:
            raise ValueError(
                f"parts of {self.semantic_dim} and {self.instance_dim} values; permitted: 1 or more, and 0 or more"
            )
        if self.kept is not None and (
            self.kept.ndim != 2 or self.kept.shape[1] != self.semantic_dim or not len(self.kept) >= 1
        ):
            raise ValueError(f"kept semantic part {self.kept.shape}; permitted: (1 or more, {self.semantic_dim})")
        if not 0.0 <= self.instance_weight <= 1.0:
            raise ValueError(f"instance weight {self.instance_weight}; permitted: 0 to 1")

    @property
    def kept_dim(self) -> int:
        """Length of the semantic part in an index vector."""
        return self.semantic_dim if self.kept is None else len(self.kept)

    @property
    def dim(self) -> int:
        """Length of an index vector."""
        return self.kept_dim + self.instance_dim

    def picture_vectors(
        self, semantic: npt.NDArray[np.float32], instance: npt.NDArray[np.float32] | None
    ) -> npt.NDArray[np.float32]:
        """Index vectors of pictures, float32 (n, dim), unit length.

        Args:
            semantic: unit embeddings, float32 (n, semantic_dim).
            instance: unit, float32 (n, instance_dim); None where the model has no instance part.
        """
        kept = self._keep(semantic)
        if not self.instance_dim or instance is None:
            return kept
        return np.concatenate([kept, instance], axis=1) * np.float32(np.sqrt(0.5))

    def text_vectors(self, semantic: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Index vectors of texts, float32 (n, dim), unit length: their instance part is zero."""
        kept = self._keep(semantic)
        if not self.instance_dim:
            return kept
        return np.concatenate([kept, np.zeros((len(kept), self.instance_dim), dtype=np.float32)], axis=1)

    def text_queries(self, semantic: npt.NDArray[np.float32]) -> list[IndexQuery]:
        """What to search with for texts with these semantic embeddings, float32 (n, semantic_dim), unit length.

        The score is the cosine of the text and a picture in the whole space of words, as near as what was kept of the
        picture tells it: what a text says beyond the pictures' directions lowers it.
        """
        vectors = self.text_vectors(semantic)
        lengths = np.ones(len(semantic)) if self.kept is None else np.linalg.norm(semantic @ self.kept.T, axis=1)
        factor = float(np.sqrt(2.0)) if self.instance_dim else 1.0
        return [IndexQuery(vector, factor * float(length)) for vector, length in zip(vectors, lengths, strict=True)]

    def query(self, vector: npt.NDArray[np.float32]) -> IndexQuery:
        """What to search with for a picture's, a text's or a product's vector, float32 (dim,).

        A vector with both parts is a picture's: each part counts by its weight, however long it is in the vector.
        """
        if not self.instance_dim:
            return IndexQuery(vector, 1.0)
        semantic, instance = vector[: self.kept_dim], vector[self.kept_dim :]
        lengths = float(np.linalg.norm(semantic)), float(np.linalg.norm(instance))
        least = _ABSENT * max(lengths)
        weight = self.instance_weight
        if lengths[1] <= least:
            weight = 0.0
        elif lengths[0] <= least:
            weight = 1.0
        weighted = np.zeros(self.dim, dtype=np.float32)
        if weight < 1.0:
            weighted[: self.kept_dim] = semantic * np.float32((1.0 - weight) / lengths[0])
        if weight > 0.0:
            weighted[self.kept_dim :] = instance * np.float32(weight / lengths[1])
        length = float(np.linalg.norm(weighted))
        # Each part of an indexed vector has the length sqrt(1/2).
        return IndexQuery(weighted / np.float32(length), length * float(np.sqrt(2.0)))

    def has_instance(self, vector: npt.NDArray[np.float32]) -> bool:
        """Whether a vector, float32 (dim,), can be a picture's; in a space with an instance part a text's has none."""
        if not self.instance_dim:
            return True
        lengths = [float(np.linalg.norm(part)) for part in (vector[: self.kept_dim], vector[self.kept_dim :])]
        return lengths[1] > _ABSENT * max(lengths)

    def queries(self, vectors: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """`query` of each of n rows: unit vectors (n, dim), and their scales (n,)."""
        found = [self.query(vector) for vector in vectors]
        if not found:
            return np.empty((0, self.dim), dtype=np.float32), np.empty(0, dtype=np.float32)
        return np.stack([item.vector for item in found]), np.asarray([item.scale for item in found], dtype=np.float32)

    def semantic_of(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The semantic embeddings, float32 (n, semantic_dim), unit length, that index vectors (n, dim) were made of.

        As near as what was kept of them allows; a vector without a semantic part gives zeros.
        """
        kept = vectors[:, : self.kept_dim]
        whole = kept if self.kept is None else kept @ self.kept
        return _unit(whole)

    def _keep(self, semantic: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return semantic if self.kept is None else _unit(_exact_product(semantic, self.kept))


def _exact_product(rows: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Products of n and m unit vectors, (n, m), that do not depend on which rows are computed together.

    A BLAS adds up in another order for other numbers of rows, and sums of rounded products then differ in the last
    digit: a picture's vector would be another one in another batch. Here all values are multiples of 2**-26, so that
    products are multiples of 2**-52, and as no sum of them reaches 2, all are exact in float64, in any order.
    """
    left, right = (np.rint(part.astype(np.float64) * _GRID) / _GRID for part in (rows, others))
    return np.asarray(left @ right.T)


def _unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)
