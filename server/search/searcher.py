"""Search, from a query to hits and category; knows neither gRPC nor protobuf."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from indexer.filters.expression import Expression
from indexer.stores.protocol import Scored
from server.errors import InvalidRequest
from server.pages.candidates import DEPTH, Candidate, Candidates, collect
from server.pages.page import Page, Pager
from server.pages.page_token import Walk
from server.pages.plan import PagePlan
from server.search.attempt import attempt
from server.search.checks import RequestChecks
from server.search.decode_memory import CheckAlive
from server.search.encode import PartEncoder
from server.search.encoded_part import EncodedPart
from server.search.finder import Finder, Scope
from server.search.match import Matcher
from server.search.mix import mix
from server.search.named_products import NamedProducts, first
from server.search.query import (
    UNJUDGED,
    Hit,
    HitGroup,
    HitParts,
    Match,
    Origin,
    ProductQuery,
    SearchCommand,
    SearchOutcome,
    ServerWarning,
    Shortfall,
    TextQuery,
)
from server.search.read_mask import ReadMask
from server.search.recognizer import Recognized, Recognizer
from server.search.timings import StageTimings

_ENDS_EARLY = ServerWarning(
    "DEPTH_REACHED",
    "page_token",
    f"a query's pages end after {DEPTH:,} products, and others may match; next step: a narrower filter, or "
    "ListProducts for all of them",
)

_PAGES_END = Shortfall(_ENDS_EARLY.code, _ENDS_EARLY.text)
_SOME_COUNTED = Shortfall(
    "FACETS_OF_CANDIDATES",
    f"facets and groups are of the query's best {DEPTH:,} products, and others may match; next step: a narrower "
    "filter, or facets of the filter",
)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A search that may be begun."""

    command: SearchCommand
    scope: Scope
    plan: PagePlan
    mask: ReadMask
    warnings: tuple[ServerWarning, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """A page, what the query shows, and by product id what the hits on the page are worth and ranked by."""

    page: Page
    seen: Recognized
    matches: Mapping[str, Match]
    parts: Mapping[str, HitParts]

    def hit(self, candidate: Candidate, mask: ReadMask) -> Hit:
        """What is given of a candidate."""
        product_id = candidate.hit.product_id
        hit = to_hit(candidate.hit, mask, self.matches.get(product_id, UNJUDGED), candidate.duplicates)
        return replace(hit, parts=self.parts[product_id]) if product_id in self.parts else hit


class Searcher:
    """Answers searches from one model and one index version. Calls from several threads are allowed."""

    def __init__(
        self,
        checks: RequestChecks,
        parts: PartEncoder,
        finder: Finder,
        named: NamedProducts,
        pager: Pager,
        recognizer: Recognizer,
        matcher: Matcher,
        origin: Origin,
    ) -> None:
        self._checks = checks
        self._parts = parts
        self._finder = finder
        self._named = named
        self._pager = pager
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
        plan = self._pager.plan(command.page, page_size, Walk(self._origin.index_version, command.identity()))
        self._check_mode(command)
        # A graph finds nearly all of the nearest 1,000; a walk promises each of them.
        effort = "exact" if command.page.token and command.effort == "balanced" else command.effort
        # Products that are parts of the query are not among its hits.
        itself = frozenset(part.query.product_id for part in command.parts if isinstance(part.query, ProductQuery))
        scope = Scope(where, itself, effort, command.mode)
        return _Checked(command, scope, plan, self._checks.read_mask(command.read_mask), warnings)

    def _check_mode(self, command: SearchCommand) -> None:
        if command.mode != "words":
            return
        if len(command.parts) > 1 or not isinstance(command.parts[0].query, TextQuery):
            raise InvalidRequest(
                "RANKING_NOT_TEXT",
                "ranking",
                "RANKING_WORDS for another query than a text; permitted: one part, a text",
            )
        if not self._finder.ranks_by_words:
            raise InvalidRequest(
                "RANKING_WITHOUT_WORDS",
                "ranking",
                "RANKING_WORDS, and this index holds no words; permitted: RANKING_HYBRID, RANKING_PICTURES; next step: "
                "build the index with index_words",
            )

    def _answer(self, asked: _Checked, encoded: Sequence[EncodedPart | Exception]) -> SearchOutcome:
        timings = StageTimings()
        parts = []
        for part in encoded:
            if isinstance(part, Exception):
                raise part
            parts.append(part)
            timings.add(part.timings_us)
        answer = (
            self._answer_one(asked, parts[0], timings) if len(parts) == 1 else self._answer_mixed(asked, parts, timings)
        )
        page, seen = answer.page, answer.seen
        return SearchOutcome(
            tuple(answer.hit(each, asked.mask) for each in page.candidates),
            seen.category,
            self._origin,
            timings.measured_us,
            (
                *asked.warnings,
                *(warning for part in parts for warning in part.warnings),
                *seen.warnings,
                *((_ENDS_EARLY,) if page.ends_early else ()),
            ),
            seen.anything,
            seen.attributes,
            tuple(
                HitGroup(
                    group.value,
                    tuple(answer.hit(each, asked.mask) for each in group.members[: asked.plan.group_hits]),
                    len(group.members),
                )
                for group in page.groups
            ),
            page.facets,
            page.total,
            page.next_token,
            tuple(
                shortfall
                for shortfall, is_so in ((_PAGES_END, page.ends_early), (_SOME_COUNTED, page.counts_some))
                if is_so
            ),
        )

    def _answer_one(self, asked: _Checked, part: EncodedPart, timings: StageTimings) -> _Answer:
        scope, itself = asked.scope, bool(asked.scope.without)
        with timings.stage("search"):
            found = self._finder.find(part, asked.plan.wanted, scope)
            named = self._named.find(part, scope.where)
            candidates = self._collected(
                asked, first(named, found.hits), lambda limit: first(named, self._finder.hits(part, limit, scope))
            )
        with timings.stage("rank"):
            # What the catalog has a product of is not missing in it, whatever else there is.
            is_known = itself or bool(named)
            seen = self._recognizer.recognize(part, found.best, found.near, "parts[0]", is_known)

            def judge(hits: Sequence[Scored]) -> list[Match]:
                return self._matcher.judge(part, hits, found.near, seen.category, itself)

            page = self._pager.cut(
                asked.plan, candidates, lambda hits: [match.relevant for match in judge(hits)], scope.where
            )
            given = page.hits(asked.plan.group_hits)
            matches = dict(zip((hit.product_id for hit in given), judge(given), strict=True))
            parts = self._finder.parts_of(part, given) if asked.command.with_parts else {}
            return _Answer(page, seen, matches, parts)

    def _answer_mixed(self, asked: _Checked, parts: Sequence[EncodedPart], timings: StageTimings) -> _Answer:
        """What matches are worth, and what is seen, was fitted on queries of one part: nothing is said of it here."""
        with timings.stage("search"):
            query = mix([part.query for part in parts], [part.weight for part in asked.command.parts], "parts")

            def nearest(limit: int) -> list[Scored]:
                return self._finder.nearest(query, limit, asked.scope)

            candidates = self._collected(asked, nearest(asked.plan.wanted), nearest)
        with timings.stage("rank"):
            page = self._pager.cut(asked.plan, candidates, lambda hits: [None] * len(hits), asked.scope.where)
            return _Answer(page, Recognized(), {}, {})

    def _collected(
        self, asked: _Checked, found: Sequence[Scored], search: Callable[[int], Sequence[Scored]]
    ) -> Candidates:
        wanted = asked.plan.wanted
        return collect(found, wanted, wanted, asked.command.page.keep_duplicates, search)


def to_hit(item: Scored, mask: ReadMask, match: Match = UNJUDGED, duplicates: tuple[str, ...] = ()) -> Hit:
    """A product found, what of it is given, what it is worth, and what it stands for."""
    pictures = item.payload.get("pictures") or ()
    picture = str(pictures[item.picture]) if item.picture < len(pictures) else ""
    return Hit(item.product_id, item.score, mask.apply(item.payload), picture, match, duplicates)
