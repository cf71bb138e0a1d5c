"""`metrics.json` holds what its documentation says, no more and no less."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedder.evaluation.analysis import analyse
from embedder.evaluation.attributes import AttributeFigures
from embedder.evaluation.duplicates import LikePair, TitleClash
from embedder.evaluation.gallery import Recall
from embedder.evaluation.measurement import Measured
from embedder.evaluation.outcome import TitleOutcome
from embedder.evaluation.reporting.findings import find_findings
from embedder.evaluation.reporting.metrics_file import metrics_text
from embedder.evaluation.reporting.metrics_schema import FIELDS, FORMAT_VERSION
from embedder.evaluation.views import ViewFigures
from tests.embedder.evaluation.measurements import found, measured, outcome

README = Path(__file__).parents[4] / "README.md"

WITNESSES = {"head": "bag", "neighbors": "bag", "names": "bag"}


def everything() -> Measured:
    """A measurement of a catalog that allows all figures."""
    outcomes = [
        outcome(
            f"p{number}", "boot", "boot" if number % 3 else "bag", 0.9, witnesses=WITNESSES, search=found(False, True)
        )
        for number in range(40)
    ]
    views = ViewFigures(
        {"jpeg": Recall(0.5, 0.75, 40), "darkened": Recall(0.5, 0.5, 40)}, Recall(1, 1, 40), Recall(0.5, 1, 4), 60, 64,
        by_product={item.product_id: ((0.5, 1.0), (0.5, 0.5)) for item in outcomes},
    )  # fmt: skip
    return measured(
        outcomes,
        [TitleOutcome("a title", found(True), found(False, True))],
        views,
        trained={"boot": 3},
        title_clashes=(TitleClash("a title", ("bag", "boot"), 2, ("p1", "p2")),),
        like_pairs=(LikePair("p1", "p2", 0.999),),
        attributes=(AttributeFigures("color", "photo", 40, 0.75, 0.7, 0.05, 0.5, 0.9, 0.0),),
    )


def unlabelled() -> Measured:
    return measured([outcome(f"p{number}", None, "boot", 0.7, witnesses=WITNESSES) for number in range(5)])


def written(of: Measured) -> dict[str, Any]:
    analysis = analyse(of)
    data: dict[str, Any] = json.loads(metrics_text(of, analysis, find_findings(of, analysis)))
    return data


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything that is no object or list; of objects whose keys are names, `*`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            named = {
                documented.split(".")[path.count(".") + (1 if path else 0)]
                for documented in FIELDS
                if documented.startswith(f"{path}." if path else "")
            }
            # `kinds`, `figures` and so on hold names; a list within them is written `*[]`.
            key = key if {key, f"{key}[]"} & named else "*"
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


def allows(kind: str, value: Any) -> bool:
    types = {"text": str, "integer": int, "number": (int, float), "bool": bool}
    if value is None:
        return kind.endswith("or null")
    expected = types[kind.removesuffix(" or null")]
    return isinstance(value, expected) and (kind.startswith("bool") or not isinstance(value, bool))  # type: ignore[arg-type]


PARTS = {path.split(".")[0].removesuffix("[]") for path in FIELDS}


def test_all_that_is_written_is_documented_with_its_kind() -> None:
    for of in (everything(), unlabelled(), measured()):
        data = written(of)
        assert set(data) == PARTS
        for path, value in leaves(data):
            if path in PARTS or path == "outcomes[].search":
                # A part that the catalog does not allow.
                assert value is None or path in FIELDS, path
                continue
            assert path in FIELDS, path
            assert allows(FIELDS[path].kind, value), (path, value)


def test_all_that_is_documented_is_written_for_a_catalog_that_allows_it() -> None:
    assert {path for path, _ in leaves(written(everything()))} >= set(FIELDS)


def test_figures_have_meanings_and_intervals() -> None:
    data = written(everything())
    accuracy = data["figures"]["accuracy"]
    assert (accuracy["value"], accuracy["queries"]) == (pytest.approx(26 / 40), 40)
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert accuracy["meaning"] == "share of test products whose category is recognised"
    assert (accuracy["higher_is_better"], data["figures"]["brier_score"]["higher_is_better"]) == (True, False)
    # No mean over queries of this kind: an interval is not known.
    assert data["figures"]["views.used_in_training.recall_at_1"]["low"] is None
    assert data["figures"]["views.jpeg.recall_at_1"]["queries"] == 40


def test_the_parts_agree_with_one_another() -> None:
    data = written(everything())
    assert sum(cell["count"] for cell in data["confusion"]) == data["reliability"]["count"] == 40
    assert sum(item["count"] for item in data["reliability"]["bins"]) == 40
    assert data["abstention"]["error_at"]["1"] == pytest.approx(1 - data["figures"]["accuracy"]["value"])
    assert {item["category"]: item["trained"] for item in data["categories"]} == {"bag": 0, "boot": 3}
    assert data["views"]["kinds"]["darkened"] == {"recall_at_1": 0.5, "recall_at_10": 0.5, "in_training": True}
    assert data["outcomes"][0]["photos"] == {"jpeg": [0.5, 1.0], "darkened": [0.5, 0.5]}
    assert data["format_version"] == FORMAT_VERSION


def test_a_catalog_without_categories_has_what_can_be_known() -> None:
    data = written(unlabelled())
    assert (data["reliability"], data["categories"], data["confusion"]) == (None, [], [])
    assert data["abstention"]["is_expected"]
    assert data["abstention"]["error_at"]["1"] == pytest.approx(0.3)
    assert data["agreement"]["unanimous"] == 1.0
    assert written(measured())["abstention"] is None


def test_names_that_no_text_file_can_hold_do_not_stop_it() -> None:
    of = measured([outcome("broken \udcff id", "靴\n", "bag", 0.5)], catalog="csv:\udcff.csv")
    analysis = analyse(of)
    text = metrics_text(of, analysis, find_findings(of, analysis))
    assert json.loads(text.encode("utf-8"))["outcomes"][0]["product_id"] == "broken \udcff id"


def test_the_readme_names_all_parts() -> None:
    text = README.read_text(encoding="utf-8")
    start = text.index("`metrics.json`")
    section = text[start : text.index("\n\n", start)]
    missing = {part for part in PARTS - {"format", "format_version"} if f"`{part}`" not in section}
    assert missing == set()
