"""Search, from a query to hits and category; knows neither gRPC nor protobuf."""

from __future__ import annotations

from dataclasses import replace

from embedder.index_space import IndexQuery
from embedder.recognition.match_model import HITS
from embedder.recognition.neighbor_vote import NEIGHBORS
from indexer.filters.errors import FilterError
from indexer.filters.expression import Expression
from indexer.filters.parser import parse_filter
from indexer.stores.protocol import QueryPart, Scored, VersionReader
from indexer.words.text_ranking import TextRanking
from server.errors import InvalidRequest, ResourceMissing
from server.search.attributes import AttributePredictor
from server.search.category import CategoryPredictor
from server.search.decode_memory import CheckAlive
from server.search.encode import EncodedPart, PartEncoder
from server.search.match import Matcher
from server.search.query import (
    Hit,
    Match,
    ProductQuery,
    SearchCommand,
    SearchOutcome,
    ServerWarning,
    TextQuery,
)
from server.search.timings import StageTimings
from server.settings import ServerSettings

DEFAULT_PAGE_SIZE = 10

_NOTHING_GOOD = ServerWarning(
    "NOTHING_GOOD_FOUND",
    "parts[0]",
    "nothing in this catalog seems to be what was asked for; the hits are the nearest there are",
)


class Searcher:
    """Answers searches from one model and one index version. Calls from several threads are allowed."""

    def __init__(
        self,
        parts: PartEncoder,
        categories: CategoryPredictor,
        reader: VersionReader,
        settings: ServerSettings,
        matcher: Matcher | None = None,
        attributes: AttributePredictor | None = None,
    ) -> None:
        """Put together; `matcher` None: as the version's manifest says; `attributes` None: none are predicted."""
        self._parts = parts
        self._categories = categories
        self._matcher = matcher or Matcher(reader.manifest)
        self._attributes = attributes or AttributePredictor(None)
        self._ranking = TextRanking(reader.manifest)
        self._reader = reader
        self._settings = settings

    def search(self, command: SearchCommand, check_alive: CheckAlive = lambda: None) -> SearchOutcome:
        """Answer one search.

        Raises:
            InvalidRequest: a field outside its range.
            ResourceMissing: a catalog or product that is not there.
            DeadlineExpired: from `check_alive`, before each costly stage.
            DecodeMemoryFull: other pictures being decoded leave no memory for this one.
        """
        timings = StageTimings()
        warnings: list[ServerWarning] = []
        self.check_catalog(command.catalog)
        page_size = self._page_size(command.page_size, warnings)
        where = self._filter(command.filter)
        check_alive()
        part = self._parts.encode(command.query, "parts[0]", check_alive)
        timings.add(part.timings_us)
        warnings += part.warnings
        check_alive()
        itself = command.query.product_id if isinstance(command.query, ProductQuery) else None
        with timings.stage("search"):
            found, best, near = self._find(part, page_size, where, itself)
        with timings.stage("rank"):
            category = self._categories.predict(part, near)
            attributes = self._attributes.predict(part)
            text = command.query.text if isinstance(command.query, TextQuery) else None
            matches = self._matcher.judge(part, found[:page_size], near, category, text, itself is not None)
            hits = tuple(_to_hit(item, match) for item, match in zip(found[:page_size], matches, strict=True))
            anything = self._matcher.anything(part, best, category, text)
            # An indexed product is of the catalog, whatever is found beside it.
            if not anything.found and itself is None:
                warnings.append(_NOTHING_GOOD)
                if category is not None:
                    category = replace(category, abstention="not_in_catalog", sure="")
        return SearchOutcome(
            hits,
            category,
            self._parts.model_fingerprint,
            self._reader.manifest.version,
            timings.measured_us,
            tuple(warnings),
            anything.probability,
            attributes,
        )

    def _find(
        self, part: EncodedPart, page_size: int, where: Expression | None, itself: str | None
    ) -> tuple[list[Scored], list[Scored], list[Scored]]:
        """The hits; the best of the whole catalog, as hits are ranked; and the nearest pictures of the whole catalog.

        The last two are empty where neither categories nor matches are judged by them.
        """
        voters = NEIGHBORS if self._categories.needs_neighbors or self._matcher.needs_neighbors else 0
        by = self._ranking.of(IndexQuery(part.vector, part.scale), part.semantic, part.text)
        if not by.is_fused:
            # One search serves all, unless there is a filter.
            found = self.nearest(part, max(page_size, voters if where is None else 0), where, itself)
            near = found if where is None or not voters else self.nearest(part, voters, None, itself)
            return found, near[:voters], near[:voters]
        wanted = HITS if self._matcher.needs_neighbors else 0
        found = self._reader.query(by.parts, by.weights, max(page_size, wanted if where is None else 0), where)
        best = found if where is None or not wanted else self._reader.query(by.parts, by.weights, wanted)
        near = self.nearest(part, voters) if voters else []
        return found, best[:wanted], near

    def nearest(
        self, part: EncodedPart, limit: int, where: Expression | None = None, itself: str | None = None
    ) -> list[Scored]:
        """The products with the nearest pictures, nearest first; for callers that have encoded a part already.

        Args:
            part: what to search with.
            limit: how many at most, 1 or more.
            where: only products that match.
            itself: a product that is left out, since the part is its own.
        """
        found = self._reader.query(
            [QueryPart(part.vector, scale=part.scale)], [1.0], limit + (itself is not None), where
        )
        return [item for item in found if item.product_id != itself][:limit]

    def check_catalog(self, name: str) -> None:
        """Refuse a catalog that is not served here; "" is the default one.

        Raises:
            ResourceMissing: CATALOG_NOT_FOUND.
        """
        served = self._reader.manifest.catalog
        if name not in ("", served):
            raise ResourceMissing(
                "CATALOG_NOT_FOUND",
                "catalog",
                "catalog",
                name,
                f"catalog {name[:80]!r} is not served here; permitted: {served!r}, or empty for it",
            )

    def _page_size(self, asked: int, warnings: list[ServerWarning]) -> int:
        most = self._settings.max_page_size
        if asked < 0:
            raise InvalidRequest(
                "PAGE_SIZE_NEGATIVE",
                "page_size",
                f"page_size {asked}; permitted: 0 (for {DEFAULT_PAGE_SIZE}) to {most}",
            )
        if asked > most:
            warnings.append(
                ServerWarning("PAGE_SIZE_CAPPED", "page_size", f"page_size {asked} is over {most}: capped to {most}")
            )
        return min(asked or DEFAULT_PAGE_SIZE, most)

    def _filter(self, text: str) -> Expression | None:
        try:
            return parse_filter(
                text,
                self._reader.manifest.schema,
                max_depth=self._settings.max_filter_depth,
                max_length=self._settings.max_filter_chars,
            )
        except FilterError as error:
            raise InvalidRequest(error.reason, "filter", str(error)) from error


def _to_hit(item: Scored, match: Match) -> Hit:
    pictures = item.payload.get("pictures") or ()
    picture = str(pictures[item.picture]) if item.picture < len(pictures) else ""
    return Hit(item.product_id, item.score, item.payload, picture, match)
