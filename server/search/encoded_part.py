"""A query part as a vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from embedder.index_space import IndexQuery
from embedder.recognition.attribute_model import SeenPictures
from embedder.recognition.head import Modality
from server.search.query import ServerWarning


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPart:
    """One part of a query, ready to be compared.

    Attributes:
        vector: float32 (dim,), unit length, as products are searched with it.
        scale: what its cosines with products are multiplied with to give scores.
        semantic: the semantic embedding, float32 (semantic dim,), unit length, by which the head knows categories.
        modality: "text" or "image"; products count as images, vectors by the parts that they have.
        timings_us: stage ("decode", "encode") to microseconds, in order.
        warnings: what was done differently from what was asked.
        indexed: what the index would hold of it, float32 (dim,), unit length, by which the head knows categories too;
            None for texts.
        seen: what attributes of a picture are judged by; None for other parts, and where the model knows of none.
        text: what was asked in words; None for other parts.
    """

    vector: npt.NDArray[np.float32]
    scale: float
    semantic: npt.NDArray[np.float32]
    modality: Modality
    timings_us: Mapping[str, int]
    warnings: tuple[ServerWarning, ...] = ()
    indexed: npt.NDArray[np.float32] | None = None
    seen: SeenPictures | None = None
    text: str | None = None

    @property
    def query(self) -> IndexQuery:
        """What the index is searched with."""
        return IndexQuery(self.vector, self.scale)

    @property
    def embedding(self) -> npt.NDArray[np.float32]:
        """Of a picture what the index would hold of it, of a text its semantic part; float32 (dim,), unit length."""
        return self.vector if self.indexed is None else self.indexed

    @property
    def nbytes(self) -> int:
        """What its arrays take."""
        seen = () if self.seen is None else (self.seen.semantic, self.seen.levels, self.seen.colors)
        arrays = (self.vector, self.semantic, self.indexed, *seen)
        return sum(array.nbytes for array in arrays if array is not None)

    def owned(self) -> EncodedPart:
        """The same with arrays of its own: a row of a batch keeps all of it in memory."""
        seen = self.seen
        if seen is not None:
            levels = None if seen.levels is None else seen.levels.copy()
            seen = SeenPictures(seen.semantic.copy(), levels, seen.colors.copy())
        indexed = None if self.indexed is None else self.indexed.copy()
        return replace(self, vector=self.vector.copy(), semantic=self.semantic.copy(), indexed=indexed, seen=seen)
