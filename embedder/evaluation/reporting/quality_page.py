"""The page of one evaluation: what is good, what is bad, what to do, and the figures behind it."""

from __future__ import annotations

from collections.abc import Sequence

from embedder.evaluation.analysis import Analysis
from embedder.evaluation.measurement import Measured
from embedder.evaluation.reporting.product_pictures import ProductPictures
from embedder.evaluation.reporting.sections import (
    abstention_section,
    agreement_section,
    attributes_section,
    categories_section,
    duplicates_section,
    figures_section,
    reliability_section,
    views_section,
    worst_section,
)
from embedder.report.page import Finding, Report, Section


def quality_page(
    measured: Measured, analysis: Analysis, findings: Sequence[Finding], pictures: ProductPictures
) -> Report:
    """Put the page together; sections that the catalog does not allow are left out."""
    has_categories = analysis.confusion is not None
    summary = (
        f"How well the model does on {measured.queries:,} products of the catalog that it was not trained on, searched "
        f"among {measured.products:,}."
    )
    if not has_categories:
        summary += (
            " The catalog gives no categories that predictions could be compared with; what can be known without them "
            "is below."
        )
    return Report(
        title="How good the search is",
        summary=summary,
        facts=(
            ("Catalog", measured.catalog),
            ("Model", measured.model),
            ("Made from", measured.base),
            ("Fingerprint", measured.fingerprint),
            ("Products", str(measured.splits).removeprefix("splits: ")),
            ("Seed", str(measured.seed)),
        ),
        findings=tuple(findings),
        sections=tuple(section for section in _sections(measured, analysis, pictures) if section is not None),
    )


def _sections(measured: Measured, analysis: Analysis, pictures: ProductPictures) -> list[Section | None]:
    return [
        worst_section(analysis.worst, pictures),
        None if analysis.confusion is None else categories_section(analysis.confusion),
        None if measured.views is None else views_section(measured.views),
        None if analysis.reliability is None else reliability_section(analysis.reliability),
        None if analysis.abstention is None else abstention_section(analysis.abstention),
        None if analysis.agreement is None else agreement_section(analysis.agreement),
        attributes_section(measured.attributes) if measured.attributes else None,
        duplicates_section(measured),
        figures_section(measured, analysis) if measured.figures else None,
    ]
