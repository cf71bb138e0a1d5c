"""Two versions' answers to the same queries, side by side."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from embedder.evaluation.bootstrap import Difference, paired_difference
from embedder.recognition.head import Modality
from indexer.shadow.queries import ShadowQuery
from indexer.stores.protocol import VersionReader

DEPTH = 10
"""Hits of each query that are compared."""

ASKED = 3 * DEPTH
"""Hits that are asked for: what the other version does not hold is passed over."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What queries of one kind found.

    Attributes:
        queries: how many both versions answered.
        overlap: the share of the first ten products that both versions found, 0..1, mean over the queries.
        recall: by number of first hits (1 and 10) the share of queries that found a right product there; the live
            version is the first. Empty where nobody says what is right.
    """

    queries: int
    overlap: float
    recall: Mapping[int, Difference]


@dataclass(frozen=True, slots=True)
class ShadowEvaluation:
    """A finished version beside the live one.

    Attributes:
        version, live: their names.
        same_model: whether one model made both.
        kinds: by kind of query, "image" and "text"; those of which there was a query.
        same_contents: whether both hold the same in all, and nothing was asked for that reason.
    """

    version: str
    live: str
    same_model: bool
    kinds: Mapping[Modality, Compared]
    same_contents: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "version": self.version,
            "live": self.live,
            "same_model": self.same_model,
            "same_contents": self.same_contents,
            "kinds": {
                kind: {
                    "queries": found.queries,
                    "overlap_at_10": found.overlap,
                    "recall": {
                        f"at_{depth}": {
                            "live": item.first,
                            "new": item.second,
                            **{key: value for key, value in asdict(item).items() if key not in ("first", "second")},
                        }
                        for depth, item in found.recall.items()
                    },
                }
                for kind, found in self.kinds.items()
            },
        }

    def describe(self) -> list[str]:
        """A line for each kind of query, for people."""
        if self.same_contents:
            return ["the same products, model, calibration and settings, so the same answers; nothing was asked"]
        lines = []
        for kind, found in self.kinds.items():
            told = [f"{found.overlap:.0%} of the first {DEPTH} hits are the same"]
            told += [
                f"recall@{depth} {item.second:.3f} (live {item.first:.3f}: "
                f"{item.verdict if not item.too_few else 'too few queries differ to tell'})"
                for depth, item in found.recall.items()
            ]
            lines.append(f"{'pictures' if kind == 'image' else 'texts'}, {found.queries:,} queries: {'; '.join(told)}")
        return lines


def compare(
    version: VersionReader,
    live: VersionReader,
    queries: Sequence[ShadowQuery],
    found: Sequence[Sequence[str]],
    found_live: Sequence[Sequence[str]],
) -> ShadowEvaluation:
    """Compare what two versions answered.

    Only products that both hold count, and their order among each other: what came or went since is no fault of either.

    Args:
        version, live: who answered.
        queries: n of them.
        found, found_live: ids of n answers, best first, `ASKED` of them, as of `indexer.shadow.asking.answers`.
    """
    held = held_by(live, _all(found)), held_by(version, _all(found_live))
    right = held_by(live, _all(query.expected for query in queries))
    right = held_by(version, right) if right else right
    kinds: dict[Modality, Compared] = {}
    for kind in ("image", "text"):
        new, old, asked = [], [], []
        for query, its, lives in zip(queries, found, found_live, strict=True):
            # A picture that cannot be read was asked of neither.
            if query.kind == kind and its and lives:
                kept = [one for one in its if one in held[0]][:DEPTH], [one for one in lives if one in held[1]][:DEPTH]
                # Where many products are new, few of the others are among what was asked for: as far as both lists go.
                both = min(map(len, kept))
                if both:
                    new.append(kept[0][:both])
                    old.append(kept[1][:both])
                    asked.append(query)
        if new:
            kinds[kind] = _compared(new, old, asked, right)
    return ShadowEvaluation(
        version.manifest.version,
        live.manifest.version,
        version.manifest.model_fingerprint == live.manifest.model_fingerprint,
        kinds,
    )


def held_by(reader: VersionReader, product_ids: Collection[str]) -> set[str]:
    """Which of these products a version holds."""
    asked = sorted(product_ids)
    held: set[str] = set()
    for start in range(0, len(asked), 1000):
        held.update(item.product_id for item in reader.fetch_many(asked[start : start + 1000]))
    return held


def _all(groups: Sequence[Sequence[str]] | Any) -> set[str]:
    return {one for group in groups for one in group}


def _compared(
    new: Sequence[Sequence[str]], old: Sequence[Sequence[str]], asked: Sequence[ShadowQuery], right: set[str]
) -> Compared:
    rights = [query.expected & right for query in asked]
    overlaps = [len(set(its) & set(lives)) / len(its) for its, lives in zip(new, old, strict=True)]
    labelled = [place for place, right in enumerate(rights) if right]
    recall = {}
    for depth in (1, DEPTH) if labelled else ():
        of_new, of_old = (
            np.asarray([float(bool(rights[place] & set(hits[place][:depth]))) for place in labelled])
            for hits in (new, old)
        )
        # The same words asked for several products are one query: what they find first of equals is one choice.
        groups = [asked[place].words or tuple(sorted(rights[place])) for place in labelled]
        recall[depth] = paired_difference(of_old, of_new, groups)
    return Compared(len(new), float(np.mean(overlaps)), recall)
