"""Searching with pictures and with titles, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedder.catalogs.captions import title_of
from embedder.encoder import Encoder
from embedder.evaluation.embedding import Embedded
from embedder.evaluation.outcome import TitleOutcome
from embedder.evaluation.ranking import Found, find, nearest
from embedder.evaluation.witnesses import vote
from embedder.recognition.neighbor_vote import NEIGHBORS


@dataclass(frozen=True, slots=True)
class PictureSearch:
    """What a product's picture found.

    Attributes:
        found: products of its category are relevant; none where it has no category.
        vote: the category that its nearest products vote for; None where they have none.
    """

    found: Found
    vote: str | None


def search_pictures(
    encoder: Encoder, queries: Embedded, gallery: Embedded, max_queries: int
) -> Mapping[int, PictureSearch]:
    """Search a gallery with the pictures of products; a query's own product is never found.

    Args:
        encoder: the model, whose weights of both parts the search uses.
        queries: products; the first of those with a category search, or where none has one, the first.
        gallery: what is searched; with fewer than two products nothing is.
        max_queries: how many search at most.

    Returns:
        By the query's place.
    """
    rows = [row for row, product in enumerate(queries.products) if product.category] or range(len(queries.products))
    rows = list(rows)[:max_queries]
    if not rows or len(gallery.products) < 2:
        return {}
    ids = [product.id for product in gallery.products]
    categories = [product.category for product in gallery.products]
    labels, label_of = _numbered(categories)
    place = {product_id: column for column, product_id in enumerate(ids)}
    vectors, scales = encoder.space.queries(queries.embeddings[rows])
    searches: dict[int, PictureSearch] = {}
    for row, vector, scale in zip(rows, vectors, scales, strict=True):
        product = queries.products[row]
        scores = vector @ gallery.embeddings.T * scale
        relevant = labels == (label_of.get(product.category, -1) if product.category else -1)
        if product.id in place:
            scores[place[product.id]] = -np.inf
            relevant[place[product.id]] = False
        neighbors = [column for column in nearest(scores, NEIGHBORS) if ids[column] != product.id]
        voted = vote([categories[column] for column in neighbors], scores[neighbors])
        searches[row] = PictureSearch(find(scores, relevant, ids), voted)
    return searches


def search_titles(encoder: Encoder, queries: Embedded, further: Sequence[Embedded]) -> tuple[TitleOutcome, ...]:
    """Search with the queries' distinct titles, among the queries alone and among all products.

    Args:
        encoder: the model.
        queries: products; one without a title is called as its category.
        further: what else is searched.
    """
    distinct = sorted({title for product in queries.products if (title := title_of(product))})
    if not distinct:
        return ()
    products = [product for part in (queries, *further) for product in part.products]
    ids = [product.id for product in products]
    titles, number_of = _numbered([title_of(product) for product in products])
    vectors = np.concatenate([part.embeddings for part in (queries, *further)])
    tested = len(queries.products)
    outcomes = []
    for title, text in zip(distinct, encoder.encode_texts(distinct), strict=True):
        scores, relevant = text @ vectors.T, titles == number_of[title]
        outcomes.append(
            TitleOutcome(title, find(scores[:tested], relevant[:tested], ids[:tested]), find(scores, relevant, ids))
        )
    return tuple(outcomes)


def _numbered(names: Sequence[str | None]) -> tuple[npt.NDArray[np.intp], dict[str | None, int]]:
    """Names as numbers from 0, which are compared a hundred times faster."""
    numbers: dict[str | None, int] = {}
    return np.asarray([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.intp), numbers
