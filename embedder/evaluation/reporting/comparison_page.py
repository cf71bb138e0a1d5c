"""The page that puts two models side by side."""

from __future__ import annotations

from embedder.evaluation.bootstrap import LEAST_DIFFERING, LEAST_GROUPS
from embedder.evaluation.comparison import Comparison
from embedder.evaluation.meanings import meaning_of
from embedder.report.page import Finding, FindingKind, Report, Section, Table


def comparison_page(comparison: Comparison) -> Report:
    """Put the page together."""
    first, second = comparison.first, comparison.second
    return Report(
        title="Two models side by side",
        summary=comparison.verdict,
        facts=(
            ("Catalog", first.catalog),
            ("First", f"{first.model}, fingerprint {first.fingerprint}"),
            ("Second", f"{second.model}, fingerprint {second.fingerprint}"),
            ("Test products", f"{first.queries:,}, the same for both, held out of the trainings of both"),
            ("Seed", str(first.seed)),
        ),
        findings=_findings(comparison),
        sections=(Section("Differences", (_EXPLAINED,), tables=_tables(comparison)),),
    )


_EXPLAINED = (
    "Differences are the second model's figure less the first's. Intervals are of a paired bootstrap over queries, "
    "variants of one product drawn together. A verdict needs an interval without 0, "
    f"{LEAST_GROUPS} independent queries, and {LEAST_DIFFERING} of them on which the models differ. Of twenty figures "
    "on which two models are equally good, one gets a verdict by chance all the same."
)


def _findings(comparison: Comparison) -> tuple[Finding, ...]:
    kinds: dict[str, FindingKind] = {"better": "good", "worse": "bad"}
    found = [
        Finding(
            kinds[item.verdict],
            f"{meaning_of(name).text}: {item.first:.3f}, then {item.second:.3f} ({item.difference:+.3f}, 95 % interval "
            f"{item.low:+.3f} to {item.high:+.3f}, {item.queries:,} queries).",
        )
        for name, item in comparison.differences.items()
        if item.verdict in kinds
    ]
    few = [item for item in comparison.differences.values() if item.groups < LEAST_GROUPS]
    if few:
        found.append(
            Finding(
                "todo",
                f"{len(few)} of {len(comparison.differences)} figures have too few queries for a verdict (the fewest: "
                f"{min(item.groups for item in few)}; {LEAST_GROUPS} are needed): compare on a larger catalog, or give "
                "more of its products the split test.",
            )
        )
    return tuple(found)


def _tables(comparison: Comparison) -> tuple[Table, ...]:
    rows = tuple(
        (
            name,
            f"{item.first:.4f}",
            f"{item.second:.4f}",
            f"{item.difference:+.4f}",
            f"{item.low:+.4f} to {item.high:+.4f}",
            f"{item.queries:,}",
            item.verdict if not item.too_few else f"{item.verdict} ({item.too_few})",
        )
        for name, item in comparison.differences.items()
    )
    headings = ("figure", "first", "second", "difference", "95 % interval", "queries", "second is")
    tables = [Table("Figures that are means over queries", headings, rows)]
    others = tuple(
        (name, *("–" if value is None else f"{value:.4f}" for value in both))
        for name, both in comparison.other_figures().items()
    )
    if others:
        tables.append(Table("Other figures, of which no interval is known", ("figure", "first", "second"), others))
    return tuple(tables)
