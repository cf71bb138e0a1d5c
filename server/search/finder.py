"""Products out of one index version, as queries ask for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from embedder.index_space import IndexQuery
from embedder.recognition.match_model import HITS
from embedder.recognition.neighbor_vote import NEIGHBORS
from indexer.filters.expression import Expression
from indexer.stores.protocol import Effort, QueryPart, Scored, VersionReader
from indexer.words.text_ranking import RankingMode, TextRanking
from server.search.encoded_part import EncodedPart
from server.search.query import HitParts
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


@dataclass(frozen=True, slots=True)
class Scope:
    """Which products are searched, and how.

    Attributes:
        where: only products that match.
        without: ids of products that are left out.
        effort: how thoroughly is searched.
        mode: by what a text's hits are ranked.
    """

    where: Expression | None = None
    without: Collection[str] = ()
    effort: Effort | int = "balanced"
    mode: RankingMode = "hybrid"


EVERYTHING = Scope()


class Finder:
    """Searches one version. Calls from several threads are allowed."""

    def __init__(self, reader: VersionReader, recognizer: Recognizer) -> None:
        """Take the version, and who says which evidence is needed beside the hits."""
        self._reader = reader
        self._recognizer = recognizer
        self._ranking = TextRanking(reader.manifest)

    @property
    def ranks_by_words(self) -> bool:
        """Whether the version knows titles' words."""
        return self._ranking.has_words

    def find(self, part: EncodedPart, limit: int, scope: Scope = EVERYTHING) -> Found:
        """The hits of a query with one part, and the evidence by which it is judged.

        Args:
            part: what to search with.
            limit: how many hits at most; 0: only the evidence is wanted.
            scope: of the hits; the evidence is of all products, ranked by all there is, with balanced effort unless it
                comes with the hits.
        """
        voters = NEIGHBORS if self._recognizer.needs_neighbors else 0
        if not self._ranking.of(part.query, part.semantic, part.text).is_fused:
            # One search serves all, unless there is a filter.
            found = self.nearest(part.query, max(limit, voters if scope.where is None else 0), scope)
            evidence = replace(EVERYTHING, without=scope.without)
            near = found if scope.where is None or not voters else self.nearest(part.query, voters, evidence)
            return Found(found, near[:voters], near[:voters])
        wanted = HITS if self._recognizer.needs_best else 0
        serves_both = scope.where is None and scope.mode == "hybrid"
        found = self.hits(part, max(limit, wanted) if serves_both else limit, scope)
        best = found if serves_both or not wanted else self.hits(part, wanted)
        return Found(found, best[:wanted], self.nearest(part.query, voters))

    def hits(self, part: EncodedPart, limit: int, scope: Scope = EVERYTHING) -> list[Scored]:
        """The hits of `find`, at most `limit` of them, without the evidence."""
        by = self._ranking.of(part.query, part.semantic, part.text, scope.mode)
        if not by.is_fused:
            return self.nearest(part.query, limit, scope)
        if not limit or not by.finds:
            return []
        return self._reader.query(by.parts, by.weights, limit, scope.where, scope.effort)

    def parts_of(self, part: EncodedPart, hits: Sequence[Scored]) -> dict[str, HitParts]:
        """What a text's hits are ranked by, by product id; none for other queries."""
        if part.text is None:
            return {}
        by = self._ranking.of(part.query, part.semantic, part.text)
        scores: dict[str, float] = {}
        for each in by.parts:
            if each.using == "words":
                scores = self._reader.scores(each, [hit.product_id for hit in hits])
        return {
            hit.product_id: HitParts(
                hit.score, hit.title, scores.get(hit.product_id, 0.0) if self._ranking.has_words else None
            )
            for hit in hits
        }

    def nearest(self, query: IndexQuery, limit: int, scope: Scope = EVERYTHING) -> list[Scored]:
        """The products with the nearest pictures, nearest first.

        Args:
            query: what to search with.
            limit: how many at most; 0: none.
            scope: by whatever mode.
        """
        if not limit:
            return []
        part = QueryPart(query.vector, scale=query.scale)
        found = self._reader.query([part], [1.0], limit + len(scope.without), scope.where, scope.effort)
        return [item for item in found if item.product_id not in scope.without][:limit]
