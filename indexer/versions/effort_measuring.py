"""How many candidates of a version's graph are enough is found by comparing its searches with exact ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from indexer.errors import StoreUnavailable
from indexer.stores.protocol import Payload, Searchable, Stored, VersionWriter
from indexer.versions.graph_effort import MEASURED_AT, GraphEffort, describe_efforts
from indexer.versions.layout import Part
from indexer.versions.manifest import Manifest
from indexer.versions.recall import (
    COPIES,
    ExactAnswer,
    GraphQuery,
    Vectors,
    exact_answers,
    graph_queries,
    noisy_copies,
    recall,
)
from indexer.versions.varied_filters import FIELDS, varied_filters

LADDER = (16, 24, 32, 48, 64, 96, 128, 192, 256, 512)
"""Candidates that are tried, fewest first."""

FAST_RECALL = 0.95
"""Wanted of a fast search."""

QUERIES = 100
"""Of each kind, at most."""

FEWEST = 20
"""Of each kind; with fewer nothing is measured."""

MOST_S = 20.0
"""Seconds, of all vectors together."""

_EXACT_SHARE = 0.7
"""Of the time, for exact search."""

HeldOut = Mapping[Part, Mapping[str, Vectors]]
"""Queries that are no products of the index: by vector that they are compared with and kind, unit, float32 (n, dim)."""

_log = logging.getLogger(__name__)


def measure_effort(
    reader: Searchable | None,
    manifest: Manifest,
    wanted: float,
    held_out: HeldOut | None = None,
    most_s: float = MOST_S,
) -> dict[str, GraphEffort]:
    """The smallest efforts that find what is wanted, by vector; a vector of which that is not known is missing.

    Args:
        reader: of the version, with its graph; None: it has none, and every search compares with all products.
        manifest: of the version.
        wanted: recall among the first `MEASURED_AT` of a balanced search, 0..1, of each kind of queries; 0: do not
            measure.
        held_out: queries; where there are fewer than `FEWEST` of a vector's, noisy copies of products ask instead.
        most_s: seconds that it may take; of a vector of which that is too little, fixed numbers are returned.
    """
    if reader is None or not wanted:
        return {}
    parts: list[Part] = [part for part in manifest.layout.held if part != "words"]
    until = time.monotonic() + most_s
    efforts: dict[str, GraphEffort] = {}
    try:
        payloads, stored = sample_products(reader)
        filters = varied_filters(manifest.schema, payloads)
        for place, part in enumerate(parts):
            kinds = _kinds((held_out or {}).get(part, {}), stored, part)
            share_s = (until - time.monotonic()) / (len(parts) - place)
            if kinds:
                efforts[part] = _of_part(reader, part, graph_queries(part, kinds, filters), wanted, share_s)
    # Whether it can be searched at all is asked before it goes live; exact search may be too much for a large one.
    except StoreUnavailable as error:
        _log.warning("how many candidates its graph needs could not be measured: %s; fixed numbers serve", error)
    return efforts


def index_and_measure(
    writer: VersionWriter, manifest: Manifest, wanted: float, held_out: Callable[[], HeldOut] | None = None
) -> tuple[Manifest, float]:
    """Index a version that is full, and note in its manifest how many candidates its graph needs.

    Args:
        writer: of the version; `finish` is still to be called.
        manifest: of the version. What it says already was measured before the products changed or moved: never fewer
            candidates than that.
        wanted: see `measure_effort`.
        held_out: gives the queries, see `measure_effort`; called where there is something to measure.

    Returns:
        The manifest, and how many seconds measuring took.
    """
    reader = writer.index(manifest)
    started = time.monotonic()
    queries = None if held_out is None or reader is None or not wanted else held_out()
    found = measure_effort(reader, manifest, wanted, queries)
    elapsed_s = time.monotonic() - started
    efforts = {name: effort.at_least(manifest.effort.get(name)) for name, effort in found.items()}
    for line in describe_efforts(efforts, elapsed_s):
        _log.info("version %s: %s", manifest.version, line)
    return replace(manifest, effort=efforts), elapsed_s


def sample_products(reader: Searchable) -> tuple[list[Payload], list[Stored]]:
    """Payloads of some thousand products, and `QUERIES` products whole.

    A scan's first products are a fair sample: stores keep them in the order of their points' ids, which are hashes.
    """
    payloads = next(iter(reader.scan(["product_id", *FIELDS])), [])
    return payloads, reader.fetch_many([str(payload["product_id"]) for payload in payloads[:QUERIES]])


def copies_of(stored: list[Stored], part: Part) -> dict[str, Vectors]:
    """Noisy copies of products' main pictures, or of their titles."""
    held = [item.vectors[0] if part == "image" else item.title for item in stored]
    vectors = [vector for vector in held if vector is not None]
    return {COPIES: noisy_copies(vectors)} if vectors else {}


def _kinds(held_out: Mapping[str, Vectors], stored: list[Stored], part: Part) -> Mapping[str, Vectors]:
    """Held-out queries, and copies in place of those kinds of which there are too few."""
    enough = {kind: rows[:QUERIES] for kind, rows in held_out.items() if len(rows) >= FEWEST}
    return enough if enough and len(enough) == len(held_out) else {**enough, **copies_of(stored, part)}


def _of_part(
    reader: Searchable, part: Part, groups: list[list[GraphQuery]], wanted: float, most_s: float
) -> GraphEffort:
    """Of one vector; fixed numbers, and a warning, where so many seconds do not suffice."""
    started = time.monotonic()
    answers = exact_answers(reader, groups, started + _EXACT_SHARE * most_s)
    # Asked in turn: so many are `FEWEST` of each kind, or all that there are.
    is_enough = len(answers) >= sum(min(FEWEST, len(group)) for group in groups)
    found = _climb(reader, part, answers, wanted, started + most_s) if answers and is_enough else None
    if found is None:
        _log.warning(
            "how many candidates the graph of %s vectors needs is not known: measuring it takes longer than %.0f s (%d "
            "queries were answered exactly); fixed numbers serve",
            part,
            most_s,
            len(answers),
        )
    return found or GraphEffort()


def _climb(
    reader: Searchable, part: Part, answers: list[ExactAnswer], wanted: float, until: float
) -> GraphEffort | None:
    """The first rungs of the ladder that are high enough; None where time does not suffice."""
    fast: tuple[int, dict[str, float]] | None = None
    for candidates in LADDER:
        if time.monotonic() > until:
            return None
        found = recall(reader, answers, candidates)
        if fast is None and min(found.values()) >= min(FAST_RECALL, wanted):
            fast = candidates, found
        if min(found.values()) >= wanted:
            break
    else:
        _log.warning(
            "the graph of %s vectors finds %s of the %d nearest with %d candidates; wanted: %g (wanted_recall); a "
            "search looks at as many; next step: raise graph_links or graph_build_candidates, and build again",
            part,
            ", ".join(f"{value:.3f} ({kind})" for kind, value in found.items()),
            MEASURED_AT,
            candidates,
            wanted,
        )
    fast = fast or (candidates, found)
    return GraphEffort(candidates, fast[0], found, fast[1], len(answers))
