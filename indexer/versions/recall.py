"""What a version's graph finds of what exact search finds."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.filters.expression import Expression
from indexer.stores.protocol import Effort, QueryPart, Searchable
from indexer.versions.graph_effort import MEASURED_AT
from indexer.versions.layout import Part

Vectors = npt.NDArray[np.float32]

COPIES = "noisy copies"
FILTERED = "filtered"

_COSINE = 0.8
"""Of a noisy copy with its product. Seen among 20,000 vectors in 300 clusters, with 16 candidates: a graph found 0.98
of what held-out vectors ask for, 0.97 of what noisy copies do, and more of what the products themselves do.
"""

_SAME = 1e-5
"""How far apart the scores of the same product may be: rounding."""


@dataclass(frozen=True, slots=True)
class GraphQuery:
    """A query to ask twice.

    Attributes:
        kind: of the queries that it is one of, for people.
        part: the vector, and which of the products' it is compared with.
        where: only products that match.
    """

    kind: str
    part: QueryPart
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class ExactAnswer:
    """What exact search finds: how many products, 1 or more, and the score of the last of them."""

    query: GraphQuery
    found: int
    least: float


def noisy_copies(vectors: Sequence[Vectors], seed: int = 0) -> Vectors:
    """Unit vectors, float32 (n, dim), each at a cosine of `_COSINE` with one of n unit vectors (dim,)."""
    held = np.stack(list(vectors))
    noise = np.random.default_rng(seed).standard_normal(held.shape)
    # At right angles to its product, so that the cosine is the same for all.
    noise -= np.sum(noise * held, axis=1, keepdims=True) * held
    noise /= np.maximum(np.linalg.norm(noise, axis=1, keepdims=True), 1e-12)
    copies = _COSINE * held + np.sqrt(1 - _COSINE**2) * noise
    return np.asarray(copies / np.linalg.norm(copies, axis=1, keepdims=True), dtype=np.float32)


def graph_queries(part: Part, kinds: Mapping[str, Vectors], filters: Sequence[Expression]) -> list[list[GraphQuery]]:
    """Queries by kind, and as many with filters as the largest kind has, the filters and kinds in turn."""
    groups = [[GraphQuery(kind, QueryPart(row, part)) for row in rows] for kind, rows in kinds.items() if len(rows)]
    if not (filters and groups):
        return groups
    filtered = []
    for place in range(max(len(group) for group in groups)):
        group = groups[place % len(groups)]
        query = group[place // len(groups) % len(group)]
        filtered.append(GraphQuery(FILTERED, query.part, filters[place % len(filters)]))
    return [*groups, filtered]


def exact_answers(reader: Searchable, groups: Sequence[Sequence[GraphQuery]], until: float) -> list[ExactAnswer]:
    """Ask exactly, the groups in turn; queries that find nothing at all are left out.

    Args:
        reader: of the version.
        groups: the queries.
        until: on the monotonic clock, seconds; then it is given up, and what was answered so far is returned.
    """
    answers = []
    for query in _in_turn(groups):
        if time.monotonic() > until:
            break
        found = reader.query([query.part], [1.0], MEASURED_AT, query.where, "exact")
        if found:
            answers.append(ExactAnswer(query, len(found), found[-1].score))
    return answers


def recall(reader: Searchable, answers: Iterable[ExactAnswer], effort: Effort | int) -> dict[str, float]:
    """The mean share of the exact hits that a search of this effort finds, 0..1, by kind.

    A product with as high a score as the last exact hit is as good as that: a catalog may hold equal pictures.
    """
    shares: defaultdict[str, list[float]] = defaultdict(list)
    for answer in answers:
        found = reader.query([answer.query.part], [1.0], MEASURED_AT, answer.query.where, effort)
        right = sum(item.score >= answer.least - _SAME for item in found)
        shares[answer.query.kind].append(min(1.0, right / answer.found))
    return {kind: float(np.mean(values)) for kind, values in shares.items()}


def _in_turn(groups: Sequence[Sequence[GraphQuery]]) -> Iterator[GraphQuery]:
    for place in range(max((len(group) for group in groups), default=0)):
        yield from (group[place] for group in groups if place < len(group))
