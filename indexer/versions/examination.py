"""What a version's answers say of it: its number of products, products that ask for themselves, its graph."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from indexer.errors import StoreError
from indexer.stores.protocol import QueryPart, Store, VersionReader
from indexer.versions.effort_measuring import FEWEST, copies_of, sample_products
from indexer.versions.graph_effort import MEASURED_AT
from indexer.versions.layout import Part
from indexer.versions.live_version import live_manifest
from indexer.versions.manifest import Manifest
from indexer.versions.recall import exact_answers, graph_queries, recall
from indexer.versions.varied_filters import varied_filters

ASKED = 20
"""Products that ask for themselves, at most."""

LEAST_FOUND = 0.9
"""Of them that must find themselves: a graph may miss one."""

LEAST_RECALL = 0.5
"""Of the graph: below it, it is broken; between it and what is wanted, more candidates help."""

_SAME = 1e-3
"""How far apart the scores of the same picture may be, by rounding and by what the engine keeps of a vector."""

_EXACT_S = 10.0
"""Seconds for exact searches, of each vector."""

Outcome = Literal["passed", "failed", "noted", "left out"]
"""A failure keeps a version from going live; a note is for people; what could not be looked at is left out."""

Sample = Sequence[tuple[str, npt.NDArray[np.float32]]]
"""Ids of products, and one unit vector of each, float32 (dim,)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: "files", "model", "products", "self-queries", "recall" or "searches".
        outcome: see `Outcome`.
        said: what was found, for people.
        figures: the same in numbers and names, JSON-able.
    """

    name: str
    outcome: Outcome
    said: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def examine(
    reader: VersionReader, manifest: Manifest, sample: Sample | None = None, wanted_recall: float = 0.0
) -> list[Finding]:
    """Look at products, self-queries and recall of an open version.

    Args:
        reader: of the version.
        manifest: what it should hold.
        sample: products that went into it; the first `ASKED` ask for themselves. None: as many of its own, as it gives
            them back.
        wanted_recall: where a search finds less of what exact search finds, that is noted.
    """
    held = reader.count()
    figures = {"held": held, "in_manifest": manifest.products}
    if held != manifest.products:
        return [Finding("products", "failed", f"holds {held:,} products of {manifest.products:,}", figures)]
    found = [Finding("products", "passed", f"{held:,}, as its manifest says", figures)]
    return [*found, _self_queries(reader, sample), _recall(reader, manifest, wanted_recall)]


def compare_models(store: Store, manifest: Manifest, fingerprint: str | None = None) -> list[Finding]:
    """Whether a version was made by a model; only a note where not, as a new model comes with a new version.

    Args:
        store: where the version is.
        manifest: of the version.
        fingerprint: the model's; None: the live version's. Nothing is compared where there is none.
    """
    whose = "the model given"
    if fingerprint is None:
        whose = "the live version's"
        with suppress(StoreError):
            live = live_manifest(store)
            fingerprint = None if live is None else live.model_fingerprint
    if fingerprint is None:
        return []
    made = manifest.model_fingerprint
    figures = {"fingerprint": made, "base": manifest.model_base, "compared_with": fingerprint}
    if made == fingerprint:
        return [Finding("model", "passed", f"{manifest.model_base} {made[:16]}, as {whose}", figures)]
    said = f"{manifest.model_base} {made[:16]}, not {whose} {fingerprint[:16]}: servers of it need its own model"
    return [Finding("model", "noted", said, figures)]


def _self_queries(reader: VersionReader, sample: Sample | None) -> Finding:
    if sample is None:
        sample = [(item.product_id, item.vectors[0]) for item in sample_products(reader)[1]]
    asking = list(sample)[:ASKED]
    lost = [product_id for product_id, vector in asking if not _finds_itself(reader, product_id, vector)]
    figures = {"asked": len(asking), "found": len(asking) - len(lost), "lost": lost}
    if len(lost) > (1 - LEAST_FOUND) * len(asking):
        said = f"{len(lost)} of {len(asking)} products asked for were not found, {lost[0]!r} among them"
        return Finding("self-queries", "failed", said, figures)
    return Finding("self-queries", "passed", f"{figures['found']} of {len(asking)} products find themselves", figures)


def _finds_itself(reader: VersionReader, product_id: str, vector: npt.NDArray[np.float32]) -> bool:
    """Whether a product's own vector finds it, or one whose picture is as near."""
    found = reader.query([QueryPart(vector)], [1.0], 1)
    if not found or reader.fetch(product_id) is None:
        return False
    return found[0].product_id == product_id or abs(found[0].score - 1.0) < _SAME


def _recall(reader: VersionReader, manifest: Manifest, wanted: float) -> Finding:
    """Of `FEWEST` noisy copies of each vector, and as many with filters."""
    if not reader.has_graph():
        return Finding("recall", "passed", "1: every search compares with all products, there is no graph")
    payloads, stored = sample_products(reader)
    filters = varied_filters(manifest.schema, payloads)
    found: dict[str, dict[str, float]] = {}
    parts: list[Part] = [part for part in manifest.layout.held if part != "words"]
    asked = 0
    for part in parts:
        kinds = {kind: rows[:FEWEST] for kind, rows in copies_of(stored, part).items()}
        answers = exact_answers(reader, graph_queries(part, kinds, filters), time.monotonic() + _EXACT_S)
        if answers:
            asked += len(answers)
            found[part] = recall(reader, answers, "balanced")
    if not found:
        return Finding("recall", "left out", "no product has a vector to ask with")
    least = min(value for values in found.values() for value in values.values())
    outcome: Outcome = "failed" if least < LEAST_RECALL else "noted" if least < wanted else "passed"
    said = "; ".join(
        f"{part} " + ", ".join(f"{value:.3f} ({kind})" for kind, value in values.items())
        for part, values in found.items()
    )
    return Finding(
        "recall",
        outcome,
        f"{said} of the {MEASURED_AT} that exact search finds; {asked} queries"
        + (f"; wanted: {wanted:g}" if outcome == "noted" else ""),
        {"at": MEASURED_AT, "queries": asked, "recall": found, "wanted": wanted},
    )
