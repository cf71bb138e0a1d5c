"""The figures as tables, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from embedder.evaluation.attributes import AttributeFigures
from embedder.evaluation.comparison import Comparison
from embedder.evaluation.gallery import Recall
from embedder.evaluation.views import ViewFigures, mean_recall
from embedder.inputs.street_views import KINDS


def figures_table(figures: Mapping[str, float]) -> Table:
    """One line a figure."""
    table = Table()
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:.4f}")
    return table


def views_table(views: ViewFigures) -> Table:
    """One line a kind: those used in training and those never used apart, each group with its mean."""
    table = Table()
    table.add_column("photo -> very product")
    for heading in ("recall@1", "recall@10", "queries"):
        table.add_column(heading, justify="right")
    for heading, used in (("used in training", True), ("never used in training", False)):
        group = views.of_training(used)
        if not group:
            continue
        table.add_section()
        for name, recall in group.items():
            _add_row(table, KINDS[name].label, recall)
        _add_row(table, f"mean of {len(group)} {heading}", mean_recall(group.values()))
    table.add_section()
    _add_row(table, "unchanged", views.unchanged)
    if views.other_picture is not None:
        _add_row(table, "another picture -> main picture", views.other_picture)
    return table


def attributes_table(attributes: Sequence[AttributeFigures]) -> Table:
    """One line for an attribute and a way of asking for it."""
    table = Table()
    table.add_column("attribute")
    table.add_column("asked by")
    for heading in ("accuracy", "macro F1", "calibration error", "sure", "right when sure", "products"):
        table.add_column(heading, justify="right")
    for item in attributes:
        table.add_row(
            item.name,
            item.asked,
            f"{item.accuracy:.3f}",
            f"{item.macro_f1:.3f}",
            f"{item.calibration_error:.3f}",
            f"{item.sure:.3f}",
            "–" if item.sure_accuracy is None else f"{item.sure_accuracy:.3f}",
            f"{item.products:,}",
        )
    return table


def comparison_table(comparison: Comparison) -> Table:
    """One line a figure: both models, the interval of their difference, and what was decided on how many queries."""
    table = Table()
    table.add_column("figure")
    for heading in ("first", "second", "95 % interval", "queries"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("second is", no_wrap=True)
    for name, item in comparison.differences.items():
        table.add_row(
            name.replace("_", " "),
            f"{item.first:.3f}",
            f"{item.second:.3f}",
            f"{item.low:+.3f} to {item.high:+.3f}",
            f"{item.queries:,}",
            item.verdict if item.verdict in ("better", "worse") else "–",
        )
    table.add_section()
    for name, both in comparison.other_figures().items():
        shown = ["" if value is None else f"{value:.3f}" for value in both]
        table.add_row(name.replace("_", " "), *shown, "", "", "")
    return table


def _add_row(table: Table, label: str, recall: Recall) -> None:
    table.add_row(label, f"{recall.at_1:.4f}", f"{recall.at_10:.4f}", f"{recall.queries:,}")
