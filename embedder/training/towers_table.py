"""The compared towers as a table, for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from embedder.training.towers_compared import TowerRow, TowersRequest

_HEADINGS = (
    "tower", "weights", "px", "M params", "MB", "ms", "training s", "category", "photo@1", "title@10",
)  # fmt: skip

_MEANINGS = (
    "M params, MB: of the image tower and its ONNX graph; ms: for one picture, ONNX Runtime on one thread; training s: "
    "all of it, for each tower; category, photo@1, title@10: category accuracy, recall@1 of photo-like views and "
    "recall@10 of titles, on held-out validation products"
)


def print_rows(rows: Sequence[TowerRow]) -> None:
    """Print the towers side by side, what the columns mean, and a line for each one that has something to say."""
    table = Table()
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading in ("tower", "weights") else "right")
    for row in rows:
        table.add_row(*_cells(row))
    Console().print(table)
    print(_MEANINGS)
    for row in rows:
        if row.note:
            print(f"{row.tower}: {'failed: ' if row.failed else ''}{row.note}")


def row_line(row: TowerRow) -> str:
    """One row in a line, for while the others are still being trained."""
    if row.failed:
        return f"{row.tower}: failed: {row.note}"
    shown = ", ".join(f"{heading} {cell}" for heading, cell in zip(_HEADINGS[1:], _cells(row)[1:], strict=True))
    return f"{row.tower}: {shown}"


def write_rows(path: Path, request: TowersRequest, seed: int, rows: Sequence[TowerRow]) -> None:
    """Write what was compared, and what came of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {
        "catalog": request.catalog,
        "budget_s": request.budget_s,
        "max_products": request.max_products,
        "seed": seed,
        "towers": [{**row.to_dict(), "bundle": None if row.failed else str(request.out / row.tower)} for row in rows],
    }
    path.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def _cells(row: TowerRow) -> list[str]:
    return [
        row.tower,
        row.weights,
        _shown(row.image_size, "d"),
        _shown(row.parameters, ".2f", 1e-6),
        _shown(row.graph_bytes, ".1f", 1e-6),
        _shown(row.picture_ms, ".1f"),
        _shown(row.training_s, ".0f"),
        _shown(row.category_accuracy, ".4f"),
        _shown(row.photo_recall_at_1, ".4f"),
        _shown(row.title_recall_at_10, ".4f"),
    ]


def _shown(value: float | None, form: str, factor: float | None = None) -> str:
    if value is None:
        return "-"
    return format(value if factor is None else value * factor, form)
