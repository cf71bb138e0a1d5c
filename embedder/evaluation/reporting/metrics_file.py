"""`metrics.json`: everything that an evaluation measured, for programs; `FIELDS` documents it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from embedder.evaluation.analysis import Analysis
from embedder.evaluation.meanings import meaning_of
from embedder.evaluation.measurement import Measured
from embedder.evaluation.outcome import Outcome, TitleOutcome
from embedder.evaluation.ranking import Found
from embedder.evaluation.reporting.metrics_schema import FORMAT, FORMAT_VERSION
from embedder.report.page import Finding


def metrics_text(measured: Measured, analysis: Analysis, findings: Sequence[Finding]) -> str:
    """The file's text: JSON with one field a line, ASCII, without NaN."""
    return json.dumps(to_metrics(measured, analysis, findings), indent=1, allow_nan=False) + "\n"


def to_metrics(measured: Measured, analysis: Analysis, findings: Sequence[Finding]) -> dict[str, Any]:
    """What the file holds; `FIELDS` says what it means."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model": measured.model,
        "base": measured.base,
        "fingerprint": measured.fingerprint,
        "catalog": measured.catalog,
        "seed": measured.seed,
        "counts": {
            "test_products": measured.queries,
            "gallery_products": measured.gallery,
            "searched_products": measured.products,
            "titles": len(measured.titles),
        },
        "splits": measured.splits.to_dict(),
        "figures": {name: _figure(name, value, analysis) for name, value in measured.to_figures().items()},
        **_categories(analysis),
        "reliability": None if analysis.reliability is None else asdict(analysis.reliability),
        "abstention": _abstention(analysis),
        "agreement": None if analysis.agreement is None else asdict(analysis.agreement),
        "views": _views(measured),
        "attributes": [asdict(item) for item in measured.attributes],
        "duplicates": {
            "titles": [asdict(clash) for clash in measured.title_clashes],
            "pictures": [asdict(pair) for pair in measured.like_pairs],
        },
        "findings": [asdict(finding) for finding in findings],
        "worst": [asdict(query) for query in analysis.worst],
        "outcomes": [_outcome(outcome, measured) for outcome in measured.outcomes],
        "titles": [_title(title) for title in measured.titles],
    }


def _figure(name: str, value: float, analysis: Analysis) -> dict[str, Any]:
    meaning, known = meaning_of(name), analysis.intervals.get(name)
    return {
        "value": value,
        "meaning": meaning.text,
        "higher_is_better": meaning.higher_is_better,
        "low": None if known is None else known.low,
        "high": None if known is None else known.high,
        "queries": None if known is None else known.queries,
    }


def _categories(analysis: Analysis) -> dict[str, Any]:
    confusion = analysis.confusion
    if confusion is None:
        return {"categories": [], "confusion": []}
    return {
        "categories": [
            {**asdict(item), "precision": item.precision, "recall": item.recall, "f1": item.f1}
            for item in confusion.categories
        ],
        "confusion": [
            {"truth": truth, "predicted": predicted, "count": count}
            for (truth, predicted), count in confusion.cells.items()
        ],
    }


def _abstention(analysis: Analysis) -> dict[str, Any] | None:
    if analysis.abstention is None:
        return None
    curve = asdict(analysis.abstention)
    return {**curve, "error_at": {f"{coverage:g}": error for coverage, error in curve["error_at"].items()}}


def _views(measured: Measured) -> dict[str, Any] | None:
    views = measured.views
    if views is None:
        return None
    learnt = set(views.of_training(True))
    return {
        "queries": views.unchanged.queries,
        "products": views.products,
        "pictures": views.pictures,
        "kinds": {
            name: {"recall_at_1": recall.at_1, "recall_at_10": recall.at_10, "in_training": name in learnt}
            for name, recall in views.kinds.items()
        },
    }


def _outcome(outcome: Outcome, measured: Measured) -> dict[str, Any]:
    return {
        "product_id": outcome.product_id,
        "group": outcome.group,
        "truth": outcome.truth,
        "predicted": outcome.predicted,
        "probability": outcome.probability,
        "witnesses": dict(outcome.witnesses),
        "search": None if outcome.search is None else _found(outcome.search),
        "photos": _photos(outcome, measured),
    }


def _photos(outcome: Outcome, measured: Measured) -> dict[str, list[float]]:
    """By kind of view how likely the product was first and among ten; {} where its picture was not shown as photos."""
    if measured.views is None or outcome.product_id not in measured.views.by_product:
        return {}
    found = measured.views.by_product[outcome.product_id]
    return {kind: list(of_kind) for kind, of_kind in zip(measured.views.kinds, found, strict=True)}


def _title(title: TitleOutcome) -> dict[str, Any]:
    return {"title": title.title, "found": _found(title.among_all)}


def _found(found: Found) -> dict[str, Any]:
    return {
        "first": found.first,
        "relevant": found.relevant,
        "right": list(found.right),
        "nearest": list(found.nearest),
    }
