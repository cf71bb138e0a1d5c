"""What page of a query is asked for, as it was sent and as it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.filters.errors import UnknownField
from indexer.filters.schema import Field, FieldType, Schema
from indexer.stores.protocol import VersionReader
from server.errors import InvalidRequest
from server.pages.candidates import DEPTH, KEY_BYTES
from server.pages.diversity import DEFAULT_RELEVANCE, POOL
from server.pages.facets import DEFAULT_VALUES, MOST_VALUES, FacetAsked, Scope
from server.pages.page_token import Walk, token_invalid

DEFAULT_GROUP_HITS = 3
MOST_GROUP_HITS = 100


@dataclass(frozen=True, slots=True)
class GroupBy:
    """By which field hits are grouped, and how many of a group are given; 0 for the default."""

    field: str
    hits: int = 0


@dataclass(frozen=True, slots=True)
class FacetCommand:
    """Of which field values are counted, how many are given (0 for the default), and among which products."""

    field: str
    most_values: int = 0
    scope: Scope = "candidates"


@dataclass(frozen=True, slots=True)
class PageCommand:
    """A page as it was asked for.

    Attributes:
        token: of the page before; "" for the first one.
        group_by: None: hits are not grouped.
        facets: what is counted.
        relevance: what rank counts beside variety, 0..1 (see `varied_order`); None: hits stay as they are ranked.
        least_probability: hits whose match probability is below it are left out, 0..1.
        count_total: whether the candidates are counted in any case.
        keep_duplicates: whether products that show the same are hits of their own.
    """

    token: str = ""
    group_by: GroupBy | None = None
    facets: tuple[FacetCommand, ...] = ()
    relevance: float | None = None
    least_probability: float = 0.0
    count_total: bool = False
    keep_duplicates: bool = False

    def identity(self) -> tuple[bytes, ...]:
        """What of it says which products the pages hold, and in which order."""
        group = ("", 0) if self.group_by is None else (self.group_by.field, 1)
        said = (*group, self.relevance, self.least_probability, self.keep_duplicates)
        return tuple(repr(item).encode() for item in said)


FIRST_PAGE = PageCommand()
"""Of a query that asks for nothing else."""


@dataclass(frozen=True, slots=True)
class PagePlan:
    """A page that may be given.

    Attributes:
        command: as it was asked for.
        page_size: hits or groups on it, 1 or more.
        walk: what its token belongs to.
        given: keys of what the pages before gave.
        group: by which field hits are grouped; None: they are not.
        group_hits: how many of a group are given.
        facets: what is counted.
    """

    command: PageCommand
    page_size: int
    walk: Walk
    given: Sequence[bytes] = ()
    group: Field | None = None
    group_hits: int = DEFAULT_GROUP_HITS
    facets: tuple[FacetAsked, ...] = ()

    @property
    def counts_candidates(self) -> bool:
        """Whether something is said of all candidates: facets, or groups."""
        return self.group is not None or any(facet.scope == "candidates" for facet in self.facets)

    @property
    def is_whole(self) -> bool:
        """Whether all candidates are needed, not only those on the page."""
        asked = self.command
        return bool(asked.token or self.counts_candidates or asked.count_total or asked.least_probability > 0)

    @property
    def wanted(self) -> int:
        """How many candidates are needed: one more than fit on the page says whether there is another page."""
        least = self.page_size + 1 if self.command.relevance is None else max(self.page_size + 1, POOL)
        return DEPTH if self.is_whole else min(DEPTH, least)


def to_plan(
    command: PageCommand,
    page_size: int,
    walk: Walk,
    reader: VersionReader,
    most_facets: int,
) -> PagePlan:
    """Check what page is asked for.

    Args:
        command: as sent.
        page_size: checked.
        walk: what is walked through.
        reader: of the version that is searched.
        most_facets: how many facets may be asked for.

    Raises:
        InvalidRequest: GROUP_BY_..., FACET_..., DIVERSITY_RANGE, MATCH_PROBABILITY_RANGE, PAGE_TOKEN_...
        VersionReplaced: a token of another version.
    """
    if not 0 <= command.least_probability <= 1:
        raise InvalidRequest(
            "MATCH_PROBABILITY_RANGE",
            "min_match_probability",
            f"min_match_probability {command.least_probability:g}; permitted: 0 to 1",
        )
    if command.relevance is not None and not 0 <= command.relevance <= 1:
        raise InvalidRequest(
            "DIVERSITY_RANGE",
            "diversity.relevance",
            f"relevance {command.relevance:g}; permitted: 0 to 1, absent for {DEFAULT_RELEVANCE:g}",
        )
    if len(command.facets) > most_facets:
        raise InvalidRequest(
            "FACET_COUNT", "facets", f"{len(command.facets):,} facets; permitted: at most {most_facets}"
        )
    schema = reader.manifest.schema
    return PagePlan(
        command,
        page_size,
        walk,
        _read_given(walk.position_of(command.token), command.token),
        _group_field(command.group_by, schema),
        _group_hits(command.group_by),
        tuple(_to_facet(facet, f"facets[{place}]", schema, reader) for place, facet in enumerate(command.facets)),
    )


def to_position(keys: Sequence[bytes]) -> bytes:
    """Where a walk is that gave these."""
    return b"".join(keys)


def _read_given(position: bytes, token: str) -> tuple[bytes, ...]:
    if len(position) % KEY_BYTES:
        raise token_invalid(token)
    return tuple(position[start : start + KEY_BYTES] for start in range(0, len(position), KEY_BYTES))


def _group_field(group_by: GroupBy | None, schema: Schema) -> Field | None:
    if group_by is None:
        return None
    try:
        field = schema.resolve(group_by.field)
    except UnknownField as error:
        raise InvalidRequest("GROUP_BY_UNKNOWN_FIELD", "group_by.field", str(error)) from error
    if field.type is FieldType.NUMBER:
        raise InvalidRequest(
            "GROUP_BY_FIELD_TYPE",
            "group_by.field",
            f"field {field.path} holds numbers; permitted: fields of words, categories, true and false",
        )
    return field


def _group_hits(group_by: GroupBy | None) -> int:
    asked = 0 if group_by is None else group_by.hits
    if not 0 <= asked <= MOST_GROUP_HITS:
        raise InvalidRequest(
            "GROUP_BY_HITS",
            "group_by.hits_per_group",
            f"{asked:,} hits per group; permitted: 0 (for {DEFAULT_GROUP_HITS}) to {MOST_GROUP_HITS}",
        )
    return asked or DEFAULT_GROUP_HITS


def _to_facet(command: FacetCommand, path: str, schema: Schema, reader: VersionReader) -> FacetAsked:
    try:
        field = schema.resolve(command.field)
    except UnknownField as error:
        raise InvalidRequest("FACET_UNKNOWN_FIELD", f"{path}.field", str(error)) from error
    if not 0 <= command.most_values <= MOST_VALUES:
        raise InvalidRequest(
            "FACET_VALUES",
            f"{path}.max_values",
            f"{command.most_values:,} values; permitted: 0 (for {DEFAULT_VALUES}) to {MOST_VALUES:,}",
        )
    if command.scope == "filter" and not reader.counts_values_of(field):
        raise InvalidRequest(
            "FACET_FIELD_NOT_COUNTED",
            f"{path}.field",
            f"field {field.path} is not counted over a filter; permitted there: fields of words, true and false "
            "that are indexed; next step: count it over the query's candidates",
        )
    return FacetAsked(command.field, field, command.most_values or DEFAULT_VALUES, command.scope)
