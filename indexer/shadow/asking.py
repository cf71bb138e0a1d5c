"""Asking one version: queries to the products that it answers with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.encoder import Encoder
from embedder.errors import PictureError
from embedder.inputs.picture import PictureLimits, decode_picture
from embedder.inputs.street_views import street_view
from indexer.shadow.queries import ShadowQuery
from indexer.stores.protocol import VersionReader
from indexer.words.text_ranking import RankedBy, TextRanking

_BATCH = 32
"""Pictures that are in memory at a time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """n queries as a model understands them.

    Attributes:
        vectors: index vectors of pictures and semantic embeddings of texts, float32, one of each query; None: the
            picture cannot be read.
    """

    queries: Sequence[ShadowQuery]
    vectors: Sequence[npt.NDArray[np.float32] | None]


def encode_queries(
    encoder: Encoder, queries: Sequence[ShadowQuery], limits: PictureLimits, known: bool = False
) -> Encoded:
    """Embed queries.

    Args:
        encoder: the model.
        queries: any.
        limits: what a picture may weigh.
        known: whether the vectors that queries bring are this model's.
    """
    vectors: list[npt.NDArray[np.float32] | None] = [query.vector if known else None for query in queries]
    texts = [place for place, query in enumerate(queries) if query.text is not None]
    embedded = encoder.semantic_texts([queries[place].text or "" for place in texts])
    for place, vector in zip(texts, embedded, strict=True):
        vectors[place] = vector
    wanted = [place for place, vector in enumerate(vectors) if vector is None]
    for start in range(0, len(wanted), _BATCH):
        places, images = [], []
        for place in wanted[start : start + _BATCH]:
            picture, view = queries[place].picture, queries[place].view
            assert picture is not None
            try:
                image = decode_picture(picture, limits).image
            except PictureError as error:
                _log.warning("a picture to ask with cannot be read, and is left out: %s", error)
                continue
            places.append(place)
            images.append(image if view is None else street_view(image, "street", view))
        for place, vector in zip(places, encoder.encode_images(images) if images else (), strict=True):
            vectors[place] = vector
    return Encoded(queries, vectors)


def answers(reader: VersionReader, encoder: Encoder, encoded: Encoded, limit: int) -> list[list[str]]:
    """Ids of the products that a version answers each query with, best first, at most `limit`; of none: []."""
    ranking = TextRanking(reader.manifest)
    found: list[list[str]] = []
    for query, vector in zip(encoded.queries, encoded.vectors, strict=True):
        if vector is None:
            found.append([])
            continue
        by = _ranked_by(ranking, encoder, query, vector)
        found.append([hit.product_id for hit in reader.query(by.parts, by.weights, limit)])
    return found


def _ranked_by(ranking: TextRanking, encoder: Encoder, query: ShadowQuery, vector: npt.NDArray[np.float32]) -> RankedBy:
    if query.text is None:
        return ranking.of(encoder.space.query(vector), vector, None)
    (asked,) = encoder.space.text_queries(vector[None])
    return ranking.of(asked, vector, query.text)
