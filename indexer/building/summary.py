"""The closing summary of a build."""

from __future__ import annotations

from typing import Any

from embedder.catalogs.product import MAX_PICTURES
from indexer.building.run import BuildResult
from indexer.building.stage import StageTime, bottleneck
from indexer.quality.duplicates import excess
from indexer.versions.graph_effort import describe_efforts


def to_text(result: BuildResult, url: str) -> str:
    """What a build did, for people, in a few lines."""
    made = result.manifest
    slowest = bottleneck(result.stages)
    busy = ", ".join(f"{time.name} {time.busy_s:.1f} s ({min(time.share, 1):.0%})" for time in result.stages)
    lines = [
        f"{made.products:,} products indexed, {made.rejected:,} rejected, {result.elapsed_s:.1f} s, "
        f"{result.products_per_s:,.0f} products/s; live version {made.version} at {url}",
        f"stages at work, of the time that they ran side by side: {busy}; the others waited for {slowest.name}; "
        f"outline {result.outline_s:.1f} s before, sealing {result.seal_s:.1f} s after",
    ]
    if made.pictures > made.products:
        lines.append(f"{made.pictures:,} pictures; each finds its product")
    known = made.pictures - result.pictures_embedded
    if known > 0:
        lines.append(f"{known:,} of {made.pictures:,} pictures were known from earlier builds, and not embedded again")
    if made.texts is not None and made.texts.asked:
        ways = ", ".join(f"{part} {weight:g}" for part, weight in made.texts.weights.items())
        found = made.texts.found
        lines.append(
            f"text queries are ranked by {ways}: {found['fused']:.2f} of 1 in {made.texts.asked:,} held-out queries, "
            f"{found['image']:.2f} by pictures alone"
        )
    if result.title_bytes:
        titles = next(time for time in result.stages if time.name == "titles")
        lines.append(
            f"titles and their words: {result.title_bytes / 1e6:,.1f} MB on disk, and at most as much in memory where "
            f"they are served; {titles.busy_s:.1f} s of the build; index_titles and index_words turn them off"
        )
    lines += describe_efforts(made.effort, result.effort_s)
    if result.calibrated_in is not None:
        lines.append(
            f"what answers are worth was taken over from version {result.calibrated_in}, made of the same products by "
            "the same model"
        )
    if result.reasons:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in result.reasons.most_common())
        lines.append(
            f"rejected {made.rejected:,} rows and {made.pictures_rejected:,} single pictures: {reasons}; "
            f"see {result.rejects}"
        )
    if result.pictures_left_out:
        lines.append(
            f"left out: {result.pictures_left_out:,} pictures of products with more than {MAX_PICTURES} "
            f"(the first {MAX_PICTURES} of each are indexed)"
        )
    if result.shadow is not None:
        lines += [f"beside the version that was live: {line}" for line in result.shadow.describe()]
    lines += _quality_lines(result)
    return "\n".join(lines)


def to_note(busiest: StageTime) -> str:
    """The stage that holds up a build at present, beside its progress."""
    return f"limit: {busiest.name} {min(busiest.share, 1):.0%}"


def _quality_lines(result: BuildResult) -> list[str]:
    lines = []
    if result.duplicates.sets:
        lines.append(
            f"{len(result.duplicates.sets):,} sets of products show the same picture, "
            f"{excess(result.duplicates.sets):,} products too many; each bears the key of its set"
        )
    if result.quality is not None:
        found = ", ".join(
            f"{count:,} {name.replace('_', ' ')}" for name, count in result.quality.counts.items() if count
        )
        lines.append(
            f"quality report: {result.quality.findings:,} findings{f' ({found})' if found else ''}, "
            f"{result.quality.elapsed_s:.1f} s; see {result.quality.page}"
        )
    return lines


def to_dict(result: BuildResult) -> dict[str, Any]:
    """The same for programs, JSON-able."""
    return {
        "version": result.manifest.version,
        "products": result.manifest.products,
        "pictures": result.manifest.pictures,
        "rejected": result.manifest.rejected,
        "pictures_rejected": result.manifest.pictures_rejected,
        "pictures_left_out": result.pictures_left_out,
        "pictures_embedded": result.pictures_embedded,
        "titles_embedded": result.titles_embedded,
        "title_bytes": result.title_bytes,
        "further_embedded": result.further_embedded,
        "reasons": dict(result.reasons),
        "elapsed_s": round(result.elapsed_s, 3),
        "products_per_s": round(result.products_per_s, 1),
        "outline_s": round(result.outline_s, 3),
        "stages": {
            time.name: {"busy_s": round(time.busy_s, 3), "share": round(time.share, 3)} for time in result.stages
        },
        "bottleneck": bottleneck(result.stages).name,
        "seal_s": round(result.seal_s, 3),
        "effort": {name: effort.to_dict() for name, effort in result.manifest.effort.items()},
        "effort_s": round(result.effort_s, 3),
        "calibrated_in": result.calibrated_in,
        "rejects_file": str(result.rejects),
        "shadow": None if result.shadow is None else result.shadow.to_dict(),
        "duplicates": {
            "sets": len(result.duplicates.sets),
            "too_many": excess(result.duplicates.sets),
            "elapsed_s": round(result.duplicates_s, 3),
        },
        "quality": None
        if result.quality is None
        else {
            "page": str(result.quality.page),
            "counts": dict(result.quality.counts),
            "elapsed_s": round(result.quality.elapsed_s, 3),
        },
    }
