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
from server.search.mix import mix
from server.search.query import UNJUDGED, Hit, Match, Origin, ProductQuery, SearchCommand, SearchOutcome, ServerWarning
from server.search.read_mask import ReadMask
from server.search.recognizer import Recognized, Recognizer
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
        asked = [
            (part.query, f"parts[{place}]")
            for item in checked
            if isinstance(item, _Checked)
            for place, part in enumerate(item.command.parts)
        ]
        with closing(self._parts.encode_each(asked, check_alive)) as encoded:
            for item in checked:
                if isinstance(item, Exception):
                    yield item
                    continue
                parts = [next(encoded) for _ in item.command.parts]
                check_alive()
                yield attempt(partial(self._answer, item, parts))

    def _check(self, command: SearchCommand, filters: dict[str, Expression | Exception | None]) -> _Checked:
        self._checks.catalog(command.catalog)
        page_size, warnings = self._checks.page_size(command.page_size)
        if command.filter not in filters:
            filters[command.filter] = attempt(partial(self._checks.filter, command.filter))
        where = filters[command.filter]
        if isinstance(where, Exception):
            raise where
        self._checks.effort(command.effort)
        return _Checked(command, where, page_size, self._checks.read_mask(command.read_mask), warnings)

    def _answer(self, asked: _Checked, encoded: Sequence[EncodedPart | Exception]) -> SearchOutcome:
        timings = StageTimings()
        parts = []
        for part in encoded:
            if isinstance(part, Exception):
                raise part
            parts.append(part)
            timings.add(part.timings_us)
        itself = tuple(part.query.product_id for part in asked.command.parts if isinstance(part.query, ProductQuery))
        if len(parts) == 1:
            hits, seen = self._answer_one(asked, parts[0], itself, timings)
        else:
            hits, seen = self._answer_mixed(asked, parts, itself, timings), Recognized()
        return SearchOutcome(
            hits,
            seen.category,
            self._origin,
            timings.measured_us,
            (*asked.warnings, *(warning for part in parts for warning in part.warnings), *seen.warnings),
            seen.anything,
            seen.attributes,
        )

    def _answer_one(
        self, asked: _Checked, part: EncodedPart, itself: tuple[str, ...], timings: StageTimings
    ) -> tuple[tuple[Hit, ...], Recognized]:
        with timings.stage("search"):
            found = self._finder.find(part, asked.page_size, asked.where, itself, asked.command.effort)
        with timings.stage("rank"):
            hits = found.hits[: asked.page_size]
            seen = self._recognizer.recognize(part, found.best, found.near, "parts[0]", bool(itself))
            matches = self._matcher.judge(part, hits, found.near, seen.category, bool(itself))
            return tuple(to_hit(item, asked.mask, match) for item, match in zip(hits, matches, strict=True)), seen

    def _answer_mixed(
        self, asked: _Checked, parts: Sequence[EncodedPart], itself: tuple[str, ...], timings: StageTimings
    ) -> tuple[Hit, ...]:
        """What matches are worth, and what is seen, was fitted on queries of one part: nothing is said of it here."""
        with timings.stage("search"):
            query = mix([part.query for part in parts], [part.weight for part in asked.command.parts], "parts")
            found = self._finder.nearest(query, asked.page_size, asked.where, frozenset(itself), asked.command.effort)
        with timings.stage("rank"):
            return tuple(to_hit(item, asked.mask) for item in found)


def to_hit(item: Scored, mask: ReadMask, match: Match = UNJUDGED) -> Hit:
    """A product found, what of it is given, and what it is worth."""
    pictures = item.payload.get("pictures") or ()
    picture = str(pictures[item.picture]) if item.picture < len(pictures) else ""
    return Hit(item.product_id, item.score, mask.apply(item.payload), picture, match)
