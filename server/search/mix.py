"""Several vectors to one that is near to some and away from others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedder.index_space import IndexQuery
from server.errors import InvalidRequest

_NOTHING = 1e-6
"""A sum that is shorter has no direction: what is left of it is rounding."""


def mix(queries: Sequence[IndexQuery], weights: Sequence[float], field: str) -> IndexQuery:
    """The query whose scores are the weighted means of the scores of several.

    A score is linear in the query's vector, so one search of one graph answers any mixture, with exact scores.

    Args:
        queries: 1 or more.
        weights: one of each, not all 0; negative: away from it. Scores are divided by the sum of their sizes.
        field: the queries' path in the request.

    Raises:
        InvalidRequest: they cancel each other out.
    """
    rows = np.stack([query.vector for query in queries]).astype(np.float64)
    shares = np.asarray(weights, dtype=np.float64)
    factors = shares / np.abs(shares).sum() * np.asarray([query.scale for query in queries])
    total = factors @ rows
    length = float(np.linalg.norm(total))
    if length < _NOTHING:
        raise InvalidRequest(
            "QUERY_CANCELS_OUT",
            field,
            "what is asked for and what is asked to be away from are the same; permitted: what differs; next step: "
            "leave one of them out",
        )
    return IndexQuery((total / length).astype(np.float32), length)
