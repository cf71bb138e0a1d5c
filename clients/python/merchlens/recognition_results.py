"""What pictures show and texts name, as plain Python types; see `merchlens.results`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from merchlens.errors import MerchlensError, from_status
from merchlens.predictions import AttributePrediction, CategoryPrediction
from merchlens.results import ReplyMeta
from merchlens.v1 import recognition_service_pb2

__all__ = ["Classification", "Embeddings"]


@dataclass(frozen=True, slots=True)
class Classification:
    """What a picture shows, or a text names.

    Attributes:
        category: None where the catalog has no categories.
        attributes: by name; empty where the server knows of none.
        meta: of the reply; its warning NOTHING_GOOD_FOUND says that the catalog seems to have nothing of the kind.
    """

    category: CategoryPrediction | None
    attributes: Mapping[str, AttributePrediction]
    meta: ReplyMeta

    @classmethod
    def from_message(cls, message: recognition_service_pb2.ClassifyResponse) -> Classification:
        """Read an answer."""
        return cls(
            CategoryPrediction.from_message(message.category) if message.HasField("category") else None,
            {item.name: AttributePrediction.from_message(item) for item in message.attributes},
            ReplyMeta.from_message(message.meta),
        )


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Embeddings; iterating goes over them, `len()` counts them.

    Attributes:
        vectors: one for each input, in order: of length 1, or why there is none.
        meta: of the reply; embeddings of one `model_fingerprint` can be compared with each other.
    """

    vectors: tuple[tuple[float, ...] | MerchlensError, ...]
    meta: ReplyMeta

    def __iter__(self) -> Iterator[tuple[float, ...] | MerchlensError]:
        return iter(self.vectors)

    def __len__(self) -> int:
        return len(self.vectors)

    @classmethod
    def from_message(cls, message: recognition_service_pb2.EmbedResponse) -> Embeddings:
        """Read an answer."""
        meta = ReplyMeta.from_message(message.meta)
        vectors = tuple(
            tuple(item.vector.values)
            if item.WhichOneof("result") == "vector"
            else from_status(item.error.SerializeToString(), request_id=meta.request_id)
            for item in message.results
        )
        return cls(vectors, meta)
