"""Two models are compared query by query, on queries that both of them answered."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embedder.evaluation.comparison import MEAN_OF_VIEWS, compare
from embedder.evaluation.gallery import Recall
from embedder.evaluation.measurement import Measured
from embedder.evaluation.outcome import TitleOutcome
from embedder.evaluation.reporting.comparison_page import comparison_page
from embedder.evaluation.reporting.comparison_report import NAMES, comparison_report, comparison_text
from embedder.evaluation.tables import comparison_table
from embedder.evaluation.views import ViewFigures
from embedder.inputs.picture import PictureLimits
from tests.embedder.evaluation.measurements import found, measured, outcome
from tests.embedder.report.test_rendering import Parsed


def model(name: str, right: int, count: int = 100, seen: float = 0.5) -> Measured:
    """The first `right` of its test products are in the right category; photos find `seen` of them."""
    outcomes = [outcome(f"p{number}", "boot", "boot" if number < right else "bag") for number in range(count)]
    by_product = {
        item.product_id: ((1.0, 1.0), (float(number < seen * count), 1.0)) for number, item in enumerate(outcomes)
    }
    kinds = {"jpeg": Recall(1, 1, count), "mirrored": Recall(seen, 1, count)}
    views = ViewFigures(kinds, Recall(1, 1, count), None, count, count, by_product=by_product)
    titles = [TitleOutcome(f"t{number}", found(True), found(True)) for number in range(40)]
    return measured(outcomes, titles, views, model=name)


def test_the_verdict_is_of_the_second_model() -> None:
    comparison = compare(model("old", 60), model("new", 90))
    accuracy = comparison.differences["accuracy"]
    assert (accuracy.first, accuracy.second, accuracy.verdict) == (0.6, 0.9, "better")
    assert (accuracy.queries, accuracy.differing) == (100, 30)
    assert accuracy.low < 0.3 < accuracy.high
    assert compare(model("new", 90), model("old", 60)).differences["accuracy"].verdict == "worse"
    assert comparison.verdict == "new against old: better at categories; no difference shown at titles, photos."


def test_errors_that_fall_are_better() -> None:
    brier = compare(model("old", 60), model("new", 90)).differences["brier_score"]
    assert brier.difference < 0
    assert brier.verdict == "better"


def test_photos_are_compared_by_kind_and_all_together() -> None:
    comparison = compare(model("old", 60, seen=0.4), model("new", 60, seen=0.8))
    assert comparison.differences["views.mirrored.recall_at_1"].difference == pytest.approx(0.4)
    together = comparison.differences[MEAN_OF_VIEWS]
    assert (together.first, together.second, together.verdict) == (pytest.approx(0.7), pytest.approx(0.9), "better")


def test_a_model_is_no_better_than_itself() -> None:
    comparison = compare(model("same", 70), model("same", 70))
    assert {item.verdict for item in comparison.differences.values()} == {"no difference shown"}
    assert {(item.low, item.high) for item in comparison.differences.values()} == {(0, 0)}


def test_few_products_decide_nothing() -> None:
    comparison = compare(model("old", 0, count=20), model("new", 20, count=20))
    assert comparison.differences["accuracy"].difference == 1.0
    assert comparison.differences["accuracy"].verdict == "no difference shown"
    (todo,) = comparison_page(comparison).findings_of("todo")
    assert "too few queries for a verdict (the fewest: 20; 30 are needed)" in todo.text


def test_queries_are_paired_by_their_names() -> None:
    first, second = model("old", 60), model("new", 60)
    turned = measured(second.outcomes[::-1][:90], second.titles, second.views, model="new")
    accuracy = compare(first, turned).differences["accuracy"]
    assert (accuracy.queries, accuracy.differing, accuracy.difference) == (90, 0, 0)
    assert accuracy.first == pytest.approx(50 / 90)


def test_what_is_no_mean_over_queries_is_shown_without_a_verdict() -> None:
    comparison = compare(model("old", 60), model("new", 90))
    others = comparison.other_figures()
    assert others["views.unchanged.recall_at_1"] == (1, 1)
    assert not set(others) & set(comparison.differences)
    bare = compare(measured(model("old", 60).outcomes), model("new", 90))
    assert bare.other_figures()["views.jpeg.recall_at_1"] == (None, 1)


def test_other_catalogs_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="permitted: the same for both"):
        compare(measured(catalog="a"), measured(catalog="b"))
    with pytest.raises(ValueError, match="permitted: the same for both"):
        compare(measured(seed=1), measured(seed=2))
    assert compare(measured(), measured()).verdict == "nothing to compare."


def test_the_table_and_the_files_say_the_same() -> None:
    comparison = compare(model("old", 60), model("new", 90))
    assert comparison_table(comparison).row_count == len(comparison.differences) + len(comparison.other_figures())
    data = json.loads(comparison_text(comparison))
    assert (data["first"]["model"], data["second"]["model"]) == ("old", "new")
    assert data["differences"]["accuracy"]["verdict"] == "better"
    assert data["differences"]["accuracy"]["difference"] == pytest.approx(0.3)
    assert np.isfinite(data["differences"]["accuracy"]["low"])
    files = comparison_report(comparison, PictureLimits())
    assert set(files) == set(NAMES)
    page = Parsed(files["index.html"])
    assert comparison.verdict in page.texts
    rows = [page.texts[place : place + 7] for place, text in enumerate(page.texts) if text == "accuracy"]
    assert rows[-1][1:4] == ["0.6000", "0.9000", "+0.3000"]
    assert rows[-1][5:] == ["100", "better"]
    assert json.loads(files["first/metrics.json"])["model"] == "old"
    assert "How good the search is" in files["second/index.html"]


def test_hostile_names_of_models_do_nothing() -> None:
    comparison = compare(model("<script>a</script>", 60), model("<img src=x>", 90))
    page = Parsed(comparison_report(comparison, PictureLimits())["index.html"])
    assert not page.of("script")
    assert not page.of("img")
