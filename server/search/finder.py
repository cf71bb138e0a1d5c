"""Products out of one index version, as queries ask for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from embedder.index_space import IndexQuery
from embedder.recognition.match_model import HITS
from embedder.recognition.neighbor_vote import NEIGHBORS
from indexer.filters.expression import Expression
from indexer.stores.protocol import Effort, QueryPart, Scored, VersionReader
from indexer.words.text_ranking import TextRanking
from server.search.encode import EncodedPart
from server.search.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one query.

    Attributes:
        hits: as they are ranked; there may be more than were asked for.
        best: the best of the whole catalog, as hits are ranked; empty where nothing is judged by them.
        near: the nearest pictures of the whole catalog; empty where nothing is judged by them.
    """

    hits: list[Scored]
    best: list[Scored]
    near: list[Scored]


class Finder:
    """Searches one version. Calls from several threads are allowed."""

    def __init__(self, reader: VersionReader, recognizer: Recognizer) -> None:
        """Take the version, and who says which evidence is needed beside the hits."""
        self._reader = reader
        self._recognizer = recognizer
        self._ranking = TextRanking(reader.manifest)

    def find(
        self,
        part: EncodedPart,
        limit: int,
        where: Expression | None = None,
        without: Collection[str] = (),
        effort: Effort | int = "balanced",
    ) -> Found:
        """The hits of a query with one part, and the evidence by which it is judged.

        Args:
            part: what to search with.
            limit: how many hits at most; 0: only the evidence is wanted.
            where: only products that match; of no effect on the evidence.
            without: products that are left out.
            effort: how thoroughly hits are searched for; the evidence with balanced effort, unless it comes with them.
        """
        voters = NEIGHBORS if self._recognizer.needs_neighbors else 0
        by = self._ranking.of(part.query, part.semantic, part.text)
        if not by.is_fused:
            # One search serves all, unless there is a filter.
            found = self.nearest(part.query, max(limit, voters if where is None else 0), where, without, effort)
            near = found if where is None or not voters else self.nearest(part.query, voters, None, without)
            return Found(found, near[:voters], near[:voters])
        wanted = HITS if self._recognizer.needs_best else 0
        hits = max(limit, wanted if where is None else 0)
        found = self._reader.query(by.parts, by.weights, hits, where, effort) if hits else []
        best = found if where is None or not wanted else self._reader.query(by.parts, by.weights, wanted)
        return Found(found, best[:wanted], self.nearest(part.query, voters))

    def hits(
        self,
        part: EncodedPart,
        limit: int,
        where: Expression | None = None,
        without: Collection[str] = (),
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """The hits of `find`, at most `limit` of them, without the evidence."""
        by = self._ranking.of(part.query, part.semantic, part.text)
        if not by.is_fused:
            return self.nearest(part.query, limit, where, without, effort)
        return self._reader.query(by.parts, by.weights, limit, where, effort)

    def nearest(
        self,
        query: IndexQuery,
        limit: int,
        where: Expression | None = None,
        without: Collection[str] = (),
        effort: Effort | int = "balanced",
    ) -> list[Scored]:
        """The products with the nearest pictures, nearest first.

        Args:
            query: what to search with.
            limit: how many at most; 0: none.
            where: only products that match.
            without: products that are left out.
            effort: how thoroughly is searched.
        """
        if not limit:
            return []
        part = QueryPart(query.vector, scale=query.scale)
        found = self._reader.query([part], [1.0], limit + len(without), where, effort)
        return [item for item in found if item.product_id not in without][:limit]
