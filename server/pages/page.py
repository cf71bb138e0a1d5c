"""One page, cut out of a query's candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.filters.expression import Expression
from indexer.stores.protocol import Scored, VersionReader
from server.errors import InvalidRequest
from server.pages.candidates import Candidate, Candidates
from server.pages.diversity import POOL, varied_order
from server.pages.facets import Facet, count_candidates, count_filtered
from server.pages.groups import Group, to_groups
from server.pages.page_token import MOST_POSITION_BYTES, Walk
from server.pages.plan import PageCommand, PagePlan, to_plan, to_position

Judge = Callable[[Sequence[Scored]], Sequence[float | None]]
"""Says how likely hits are to be of the kind asked for, 0..1; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many candidates there are; not `is_exact`: there may be more than were looked at."""

    value: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What is given.

    Attributes:
        candidates: on the page; empty where hits are grouped.
        groups: on the page; empty where hits are not grouped.
        facets: one for each that was asked for.
        total: how many candidates there are; None: not counted.
        next_token: of the next page; "" where this is the last one.
        ends_early: whether this is the last page, and yet other products may match.
        counts_some: whether facets or groups are of the candidates, and other products may match.
    """

    candidates: Sequence[Candidate]
    groups: Sequence[Group]
    facets: tuple[Facet, ...]
    total: Total | None
    next_token: str
    ends_early: bool
    counts_some: bool

    def hits(self, of_group: int) -> list[Scored]:
        """All that are given, each once; of a group so many."""
        given = [*self.candidates, *(item for group in self.groups for item in group.members[:of_group])]
        return list({item.hit.product_id: item.hit for item in given}.values())


class Pager:
    """Cuts pages of one version. Calls from several threads are allowed."""

    def __init__(self, reader: VersionReader, most_facets: int) -> None:
        self._reader = reader
        self._most_facets = most_facets

    def plan(self, command: PageCommand, page_size: int, walk: Walk) -> PagePlan:
        """Check what page is asked for; see `to_plan`."""
        return to_plan(command, page_size, walk, self._reader, self._most_facets)

    def cut(self, plan: PagePlan, found: Candidates, judge: Judge, where: Expression | None) -> Page:
        """The page that is asked for.

        Args:
            plan: what is asked for.
            found: the candidates, `plan.wanted` of them or all there are.
            judge: see there.
            where: the query's filter.

        Raises:
            InvalidRequest: MATCH_PROBABILITY_UNKNOWN: there is a least probability, and none is known.
        """
        items = self._varied(plan, _probable(plan, found.items, judge))
        given = frozenset(plan.given)
        candidates: Sequence[Candidate] = ()
        groups: Sequence[Group] = ()
        if plan.group is None:
            # A first page need not know the keys of all.
            left = [item for item in items if item.key not in given] if given else items
            candidates = left[: plan.page_size]
            keys, has_more = [item.key for item in candidates], len(left) > plan.page_size
        else:
            others = [group for group in to_groups(items, plan.group) if group.key not in given]
            groups = others[: plan.page_size]
            keys, has_more = [group.key for group in groups], len(others) > plan.page_size
        position = to_position([*plan.given, *keys])
        goes_on = has_more and len(position) <= MOST_POSITION_BYTES
        return Page(
            candidates,
            groups,
            tuple(
                count_candidates([item.hit.payload for item in items], facet)
                if facet.scope == "candidates"
                else count_filtered(self._reader, where, facet)
                for facet in plan.facets
            ),
            Total(len(items), found.are_all) if plan.is_whole else None,
            plan.walk.to_token(position) if goes_on else "",
            not goes_on and (has_more or not found.are_all),
            plan.counts_candidates and not found.are_all,
        )

    def _varied(self, plan: PagePlan, items: Sequence[Candidate]) -> Sequence[Candidate]:
        relevance = plan.command.relevance
        if relevance is None or not items:
            return items
        pool = items[:POOL]
        stored = {each.product_id: each for each in self._reader.fetch_many([item.hit.product_id for item in pool])}
        held = [item for item in pool if item.hit.product_id in stored]
        if not held:
            return items
        order = varied_order(np.stack([stored[item.hit.product_id].direction for item in held]), relevance)
        return [*(held[place] for place in order), *items[POOL:]]


def _probable(plan: PagePlan, items: Sequence[Candidate], judge: Judge) -> Sequence[Candidate]:
    """Those that are likely enough to be what was asked for."""
    least = plan.command.least_probability
    if least <= 0 or not items:
        return items
    kept = []
    for item, probability in zip(items, judge([item.hit for item in items]), strict=True):
        if probability is None:
            raise InvalidRequest(
                "MATCH_PROBABILITY_UNKNOWN",
                "min_match_probability",
                f"min_match_probability {least:g} for a query whose hits have no match probability; permitted: 0; next "
                "step: ask with one part, of an index with categories",
            )
        if probability >= least:
            kept.append(item)
    return kept
