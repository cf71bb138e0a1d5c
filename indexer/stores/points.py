"""Products as points of Qdrant, the same in both engines: ids, named vectors, what is told of hits, their order."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from indexer.stores.protocol import Payload, QueryPart, Scored, Stored
from indexer.versions.layout import Part

IMAGE: Part = "image"
"""Name of the vector, or vectors, of a product's pictures."""

TITLE: Part = "title"
"""Name of the vector of its title."""

WORDS: Part = "words"
"""Name of the sparse vector of its title's words."""

FUSION_K = 2
"""Of reciprocal rank fusion: a part of weight w gives the product at place p, from 0, 1 / ((p + 1) / w + k - 1).

Small, so that a part keeps its own order also where others have a little weight: with a large one the first places of a
part are worth nearly the same, and whatever is added to them decides.
"""

FUSED_FROM = 100
"""Products of each part that are fused, or as many as are asked for."""

DUPLICATE_SET_KEY = "duplicate_set"
"""Of a payload: the id of the first product of its set; absent where a product is in none."""

DERIVED_KEYS = frozenset({DUPLICATE_SET_KEY})
"""Of payloads: what a build found out by comparing products, and no row of the catalog says."""

INDEX_TIME_KEY = "index_time"
"""Where a payload says when the product was changed while the index was served, ISO 8601, UTC; absent where a build
wrote it. Not shown among the payload."""

UNCOMPARED_KEYS = DERIVED_KEYS | {INDEX_TIME_KEY}
"""Of payloads: what says nothing about whether a product is as the catalog has it."""

SCANNED = 2_000
"""Products that are read at once where all are."""

CONTENT_KEY = "content"
"""Where a payload says what its pictures were: an update leaves alone what has not changed. Not shown to callers."""

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


def needed_vectors(parts: Sequence[QueryPart], ranking: Sequence[QueryPart], multivector: bool) -> list[str]:
    """Names of the vectors of hits that `to_scored` needs, because the engine does not tell these parts' cosines.

    Args:
        parts: of the query.
        ranking: those that products are ranked by.
        multivector: whether a product may have several pictures' vectors, so that it is asked which one it was.
    """
    if [part.using for part in parts] == [IMAGE] and len(ranking) == 1 and not multivector:
        return []
    return [part.using for part in parts if part.using != WORDS]


def to_scored(
    payload: Payload,
    engine_score: float,
    parts: Sequence[QueryPart],
    held: Mapping[str, Any] | None,
    cosines: Mapping[str, float] | None = None,
) -> Scored:
    """One product found.

    Args:
        payload: its own.
        engine_score: what the engine ranked it by.
        parts: of the query.
        held: the product's vectors that `needed_vectors` names, by name; None where it names none.
        cosines: of its vectors with the query's parts, by name, where they are known without the vectors.
    """
    product_id = payload["product_id"]
    if held is None and cosines is None:
        return Scored(product_id, engine_score * parts[0].scale, payload)
    held, cosines = held or {}, cosines or {}
    score, picture, title = engine_score, 0, None
    for part in parts:
        nearest = 0
        if part.using in cosines:
            value = cosines[part.using] * part.scale
        elif part.using in held and part.using != WORDS:
            found = np.atleast_2d(np.asarray(held[part.using], dtype=np.float32)) @ part.dense
            nearest = int(np.argmax(found))
            value = float(found[nearest]) * part.scale
        else:
            continue
        if part.using == IMAGE:
            score, picture = value, nearest
        else:
            title = value
    return Scored(product_id, score, payload, picture, title)


def recommended(
    found: Iterable[tuple[Payload, Mapping[str, Any]]], liked: Sequence[QueryPart], disliked: Sequence[QueryPart]
) -> list[Scored]:
    """Products that an engine found by the best score, in exact order: its own may be of quantized vectors.

    Args:
        found: payloads, with the products' vectors by name.
        liked, disliked: see `Searchable.recommend`.
    """
    wanted = np.stack([part.dense for part in liked])
    unwanted = np.stack([part.dense for part in disliked]) if disliked else None
    ranked = []
    for payload, held in found:
        pictures = np.atleast_2d(np.asarray(held[IMAGE], dtype=np.float32))
        cosines = pictures @ wanted.T
        picture, nearest = (int(place) for place in np.unravel_index(int(cosines.argmax()), cosines.shape))
        best = float(cosines[picture, nearest])
        worst = -np.inf if unwanted is None else float((pictures @ unwanted.T).max())
        item = Scored(payload["product_id"], best * liked[nearest].scale, payload, picture)
        ranked.append(((0, -best) if best > worst else (1, worst), item))
    return [item for _, item in sorted(ranked, key=lambda pair: (pair[0], pair[1].product_id))]


def with_derived(payload: Payload, old: Payload | None) -> dict[str, Any]:
    """A product's new payload: what was found out about its pictures holds as long as they stay the same.

    Args:
        payload: as its row says.
        old: what is held of it; None: nothing.
    """
    if old is None or old.get(CONTENT_KEY) != payload.get(CONTENT_KEY):
        return dict(payload)
    return {**payload, **{key: old[key] for key in DERIVED_KEYS if key in old}}


def value_name(value: object) -> str:
    """A payload's value as text, for people and for comparing: of a bool "true" or "false"."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def to_stored(payload: Payload, held: Mapping[str, Any]) -> Stored:
    """One product as the engine holds it; `held` are its vectors by name, those of pictures one or a list of them."""
    rows = np.atleast_2d(np.asarray(held[IMAGE], dtype=np.float32))
    title = held.get(TITLE)
    return Stored(payload["product_id"], rows, payload, None if title is None else np.asarray(title, dtype=np.float32))


def in_order(found: Iterable[tuple[float, Scored]], ranking: Sequence[QueryPart]) -> list[Scored]:
    """Nearest first; equal ones by product id, so that the same query gives the same answer.

    Args:
        found: hits with what the engine ranked them by.
        ranking: the parts that products are ranked by. Where that is pictures alone, the exact cosines count, not the
            engine's, which may be of quantized vectors.
    """
    by_picture = [part.using for part in ranking] == [IMAGE]
    return [
        item
        for _, item in sorted(found, key=lambda pair: (-(pair[1].score if by_picture else pair[0]), pair[1].product_id))
    ]
