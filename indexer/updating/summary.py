"""The closing summary of an update."""

from __future__ import annotations

from indexer.updating.run import UpdateResult


def describe(result: UpdateResult, url: str) -> str:
    """What an update did, for people, in a few lines."""
    done = (
        f"{result.written:,} products written, {result.deleted:,} taken away, {result.unchanged:,} unchanged, "
        f"{sum(result.reasons.values()):,} rejected, {result.pictures_embedded:,} pictures embedded, "
        f"{result.elapsed_s:.1f} s; "
    )
    same = "nothing changed: " if not (result.written or result.deleted) else ""
    lines = [f"{done}{same}live version {result.manifest.version} at {url}, {result.manifest.products:,} products"]
    if result.absent:
        lines.append(f"{result.absent:,} products that were to be taken away were not there")
    if result.reasons:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in result.reasons.most_common())
        lines.append(f"rejected: {reasons}; these products stay as they were; see {result.rejects}")
    return "\n".join(lines)
