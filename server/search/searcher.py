"""Search, from a query to hits and category; knows neither gRPC nor protobuf."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from indexer.filters.expression import Expression
from indexer.stores.protocol import Scored
from server.search.attempt import attempt
from server.search.checks import RequestChecks
from server.search.decode_memory import CheckAlive
from server.search.encode import EncodedPart, PartEncoder
from server.search.finder import Finder
from server.search.match import Matcher
from server.search.query import Hit, Match, Origin, ProductQuery, SearchCommand, SearchOutcome, ServerWarning
from server.search.read_mask import ReadMask
from server.search.recognizer import Recognizer
from server.search.timings import StageTimings


@dataclass(frozen=True, slots=True)
class _Checked:
    """A search that may be begun."""

    command: SearchCommand
    where: Expression | None
    page_size: int
    mask: ReadMask
    warnings: tuple[ServerWarning, ...]


class Searcher:
    """Answers searches from one model and one index version. Calls from several threads are allowed."""

    def __init__(
        self,
        checks: RequestChecks,
        parts: PartEncoder,
        finder: Finder,
        recognizer: Recognizer,
        matcher: Matcher,
        origin: Origin,
    ) -> None:
        self._checks = checks
        self._parts = parts
        self._finder = finder
        self._recognizer = recognizer
        self._matcher = matcher
        self._origin = origin

    def search(self, command: SearchCommand, check_alive: CheckAlive = lambda: None) -> SearchOutcome:
        """Answer one search.

        Raises:
            InvalidRequest: a field outside its range.
            ResourceMissing: a catalog or product that is not there.
            DeadlineExpired: from `check_alive`, before each costly stage.
            DecodeMemoryFull: other pictures being decoded leave no memory for this one.
        """
        (outcome,) = self.search_many([command], check_alive)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def search_many(
        self, commands: Sequence[SearchCommand], check_alive: CheckAlive = lambda: None
    ) -> Generator[SearchOutcome | Exception, None, None]:
        """Answer searches, one after the other; many are encoded together.

        Args:
            commands: the searches.
            check_alive: see `search`; what it raises ends the whole.

        Yields:
            For each in order its outcome, or what `search` would have raised for it.
        """
        filters: dict[str, Expression | Exception | None] = {}
        checked = [attempt(partial(self._check, command, filters)) for command in commands]
        check_alive()
        asked = [(item.command.query, "parts[0]") for item in checked if isinstance(item, _Checked)]
        with closing(self._parts.encode_each(asked, check_alive)) as encoded:
            for item in checked:
                if isinstance(item, Exception):
                    yield item
                    continue
                part = next(encoded)
                check_alive()
                yield part if isinstance(part, Exception) else attempt(partial(self._answer, item, part))

    def _check(self, command: SearchCommand, filters: dict[str, Expression | Exception | None]) -> _Checked:
        self._checks.catalog(command.catalog)
        page_size, warnings = self._checks.page_size(command.page_size)
        if command.filter not in filters:
            filters[command.filter] = attempt(partial(self._checks.filter, command.filter))
        where = filters[command.filter]
        if isinstance(where, Exception):
            raise where
        return _Checked(command, where, page_size, self._checks.read_mask(command.read_mask), warnings)

    def _answer(self, asked: _Checked, part: EncodedPart) -> SearchOutcome:
        timings = StageTimings()
        timings.add(part.timings_us)
        query = asked.command.query
        without = (query.product_id,) if isinstance(query, ProductQuery) else ()
        with timings.stage("search"):
            found = self._finder.find(part, asked.page_size, asked.where, without)
        with timings.stage("rank"):
            hits = found.hits[: asked.page_size]
            seen = self._recognizer.recognize(part, found.best, found.near, "parts[0]", bool(without))
            matches = self._matcher.judge(part, hits, found.near, seen.category, bool(without))
        return SearchOutcome(
            tuple(to_hit(item, match, asked.mask) for item, match in zip(hits, matches, strict=True)),
            seen.category,
            self._origin,
            timings.measured_us,
            (*asked.warnings, *part.warnings, *seen.warnings),
            seen.anything,
            seen.attributes,
        )


def to_hit(item: Scored, match: Match, mask: ReadMask) -> Hit:
    """A product found, with what it is worth."""
    pictures = item.payload.get("pictures") or ()
    picture = str(pictures[item.picture]) if item.picture < len(pictures) else ""
    return Hit(item.product_id, item.score, mask.apply(item.payload), picture, match)
