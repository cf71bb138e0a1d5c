"""The files of a comparison's report: its page and figures, and the report of each model in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping

from embedder.evaluation.comparison import Comparison
from embedder.evaluation.reporting.comparison_page import comparison_page
from embedder.evaluation.reporting.quality_report import NAMES as OF_ONE
from embedder.evaluation.reporting.quality_report import PAGE, quality_report
from embedder.inputs.picture import PictureLimits
from embedder.report.rendering import render

COMPARISON = "comparison.json"
FIRST, SECOND = "first", "second"

NAMES = (PAGE, COMPARISON, *(f"{folder}/{name}" for folder in (FIRST, SECOND) for name in OF_ONE))
"""The report's files."""


def comparison_report(comparison: Comparison, limits: PictureLimits) -> Mapping[str, str]:
    """The text of each of the report's files by its name.

    Args:
        comparison: what was measured.
        limits: what a picture that is shown may weigh.
    """
    files = {PAGE: render(comparison_page(comparison)), COMPARISON: comparison_text(comparison)}
    for folder, measured in ((FIRST, comparison.first), (SECOND, comparison.second)):
        files |= {f"{folder}/{name}": text for name, text in quality_report(measured, limits).items()}
    return files


def comparison_text(comparison: Comparison) -> str:
    """`comparison.json`: see `Comparison.to_dict`."""
    return json.dumps(comparison.to_dict(), indent=1, allow_nan=False) + "\n"
