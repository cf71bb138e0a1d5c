"""The files of one evaluation's report: the page for people, the figures for programs."""

from __future__ import annotations

from collections.abc import Mapping

from embedder.evaluation.analysis import analyse
from embedder.evaluation.measurement import Measured
from embedder.evaluation.reporting.findings import find_findings
from embedder.evaluation.reporting.metrics_file import metrics_text
from embedder.evaluation.reporting.product_pictures import ProductPictures
from embedder.evaluation.reporting.quality_page import quality_page
from embedder.inputs.picture import PictureLimits
from embedder.report.rendering import render

PAGE, METRICS = "index.html", "metrics.json"

NAMES = (PAGE, METRICS)
"""The report's files."""


def quality_report(measured: Measured, limits: PictureLimits) -> Mapping[str, str]:
    """Analyse a measurement, and give the text of each of the report's files by its name.

    Args:
        measured: what was measured.
        limits: what a picture that is shown may weigh.
    """
    analysis = analyse(measured)
    findings = find_findings(measured, analysis)
    page = quality_page(measured, analysis, findings, ProductPictures(measured.by_id, limits))
    return {PAGE: render(page), METRICS: metrics_text(measured, analysis, findings)}
