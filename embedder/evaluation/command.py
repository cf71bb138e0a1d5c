"""`python -m embedder eval`: measures, prints, and writes what was asked for."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from embedder.evaluation.comparison import Comparison, compare
from embedder.evaluation.measurement import Measured
from embedder.evaluation.reporting import comparison_report, quality_report
from embedder.evaluation.run import EvalRequest, evaluate, evaluate_models
from embedder.evaluation.tables import attributes_table, comparison_table, figures_table, views_table
from embedder.report.folder import ReportFolder
from embedder.settings import EmbedderSettings


def evaluate_and_print(
    request: EvalRequest,
    config: EmbedderSettings,
    compared: tuple[str, str] | None,
    report: Path | None,
    json_out: Path | None,
) -> None:
    """Measure one model, or two side by side.

    Args:
        request: what to measure; its model is not looked at where two are compared.
        config: seed, limits, cache.
        compared: two models; None: the request's.
        report: folder of the report; None: none is written.
        json_out: file for the figures, or for the comparison; None: none is written.

    Raises:
        SettingsError: the report's folder holds files that are no report's, or cannot be written.
        EmbedderError: see `embedder.evaluation.run.evaluate_models`.
    """
    folder = None if report is None else ReportFolder(report)
    if folder is not None:
        # Before hours of measuring.
        folder.check(comparison_report.NAMES if compared else quality_report.NAMES)
    if compared is None:
        measured = evaluate(request, config)
        _print_measured(measured)
        figures = json.dumps(measured.to_figures(), indent=1) + "\n"
        files = None if folder is None else quality_report.quality_report(measured, config.picture_limits())
    else:
        first, second = evaluate_models(request, compared, config)
        comparison = compare(first, second)
        _print_comparison(comparison)
        figures = comparison_report.comparison_text(comparison)
        files = None if folder is None else comparison_report.comparison_report(comparison, config.picture_limits())
    if json_out is not None:
        json_out.parent.mkdir(parents=True, exist_ok=True)
        json_out.write_text(figures, encoding="utf-8")
    if folder is not None and files is not None:
        folder.write(files)
        print(f"report {folder.path / quality_report.PAGE}")


def _print_measured(measured: Measured) -> None:
    print(measured.splits)
    print(
        f"{measured.model} on {measured.catalog}: {measured.queries:,} test products, gallery of {measured.gallery:,} "
        f"training products; titles are searched among {measured.products:,} products"
    )
    Console().print(figures_table(measured.figures))
    if measured.views is not None:
        print(
            f"photos of {measured.views.unchanged.queries:,} test products, searched among {measured.views.products:,} "
            f"products with {measured.views.pictures:,} pictures"
        )
        Console().print(views_table(measured.views))
    if measured.attributes:
        print("attributes of test products: of their pictures, of photos of these, and of their titles")
        Console().print(attributes_table(measured.attributes))


def _print_comparison(comparison: Comparison) -> None:
    first, second = comparison.first, comparison.second
    print(first.splits)
    print(
        f"first {first.model}, second {second.model} on {first.catalog}: {first.queries:,} test products, gallery of "
        f"{first.gallery:,} training products; titles are searched among {first.products:,} products"
    )
    Console().print(comparison_table(comparison))
    print("95 % interval: of second less first; –: no difference shown")
    few = sorted({item.too_few for item in comparison.differences.values() if item.too_few})
    for reason in few[:3]:
        print(f"no verdict on some figures: {reason}")
    print(comparison.verdict)
