"""Products as points of Qdrant, the same in both engines: ids, the named vector, the order of results."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from indexer.stores.protocol import Payload, QueryPart, Scored, Stored

IMAGE = "image"
"""Name of the vector, or vectors, of a product's pictures."""

_NAMESPACE = uuid.UUID("6f1d3c4e-3a2b-5a52-9d58-6d6572636821")


def point_id(product_id: str) -> uuid.UUID:
    """The point of a product: UUIDv5 of its id, so that a second write replaces the first."""
    return uuid.uuid5(_NAMESPACE, product_id)


def points_by_value(product_ids: Sequence[str], values: Sequence[str]) -> Mapping[str, list[uuid.UUID]]:
    """Value to the points that are to bear it; see `VersionWriter.mark`."""
    points: dict[str, list[uuid.UUID]] = defaultdict(list)
    for product_id, value in zip(product_ids, values, strict=True):
        points[value].append(point_id(product_id))
    return points


def to_scored(payload: Payload, cosine: float, part: QueryPart, vectors: Sequence[Sequence[float]] | None) -> Scored:
    """One product found.

    Args:
        payload: its own.
        cosine: the engine's, of the query and the product's nearest picture.
        part: what was searched with.
        vectors: the product's vectors, (m, dim); None where the version has one vector a product.
    """
    if vectors is None:
        return Scored(payload["product_id"], cosine * part.scale, payload)
    cosines = np.asarray(vectors, dtype=np.float32) @ part.vector
    nearest = int(np.argmax(cosines))
    return Scored(payload["product_id"], float(cosines[nearest]) * part.scale, payload, nearest)


def to_stored(payload: Payload, vectors: object) -> Stored:
    """One product as the engine holds it; `vectors` is one vector, or a list of them."""
    rows = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
    return Stored(payload["product_id"], rows, payload)


def in_order(found: Iterable[Scored]) -> list[Scored]:
    """Nearest first; equal scores by product id, so that the same query gives the same answer."""
    return sorted(found, key=lambda item: (-item.score, item.product_id))
