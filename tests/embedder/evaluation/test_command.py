"""`eval` writes a report beside what it prints, and puts two models side by side."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest

from embedder import bundle
from embedder.evaluation.reporting.metrics_schema import FIELDS
from tests.conftest import run_module
from tests.embedder.report.test_rendering import Parsed


def evaluated(catalog: Path, cache: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return run_module(
        "embedder", "eval", "--catalog", str(catalog), "--cache-dir", str(cache), "--threads", "1", *flags
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of an error."""
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return line


def test_a_report_is_a_page_and_the_figures(
    trained_bundle: Path, drawn_catalog: Path, model_cache: Path, tmp_path: Path
) -> None:
    report, figures = tmp_path / "report", tmp_path / "figures.json"
    report.mkdir()
    (report / "notes.txt").write_text("mine")
    flags = ("--model", str(trained_bundle), "--report", str(report), "--json", str(figures), "--view-kind", "jpeg")
    done = evaluated(drawn_catalog, model_cache, *flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"report {report / 'index.html'}"
    assert sorted(path.name for path in report.iterdir()) == ["index.html", "metrics.json", "notes.txt"]
    metrics = json.loads((report / "metrics.json").read_text())
    assert {name: item["value"] for name, item in metrics["figures"].items()} == json.loads(figures.read_text())
    assert metrics["fingerprint"] == bundle.load_info(trained_bundle).fingerprint
    assert metrics["counts"]["test_products"] == len(metrics["outcomes"]) > 5
    assert {path.split(".")[0].removesuffix("[]") for path in FIELDS} == set(metrics)
    assert {item["witnesses"].keys() >= {"head", "neighbors", "names"} for item in metrics["outcomes"]} == {True}
    calibration = metrics["figures"]["calibration_error"]["value"]
    assert calibration == pytest.approx(metrics["reliability"]["expected_error"], abs=1e-5)
    # 160 drawn products of four shapes are learnt well.
    assert metrics["figures"]["accuracy"]["value"] > 0.8
    page = Parsed((report / "index.html").read_text())
    assert "How good the search is" in page.texts
    assert str(trained_bundle) in page.texts
    assert any("photos" in str(image["alt"]) or "Bars" in str(image["alt"]) for image in page.of("img"))
    # Again, into the same folder: the earlier report is replaced.
    again = evaluated(drawn_catalog, model_cache, *flags, "--max-products", "5")
    assert again.returncode == 0, again.stderr
    assert json.loads((report / "metrics.json").read_text())["counts"]["test_products"] == 5
    assert (report / "notes.txt").read_text() == "mine"


def test_two_models_side_by_side_on_the_same_products(
    starter_bundle: Path, trained_bundle: Path, drawn_catalog: Path, model_cache: Path, tmp_path: Path
) -> None:
    report, out = tmp_path / "report", tmp_path / "comparison.json"
    done = evaluated(
        drawn_catalog, model_cache, "--compare", str(starter_bundle), str(trained_bundle), "--report", str(report),
        "--json", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "95 % interval" in done.stdout
    comparison = json.loads(out.read_text())
    assert comparison["first"]["fingerprint"] == bundle.load_info(starter_bundle).fingerprint
    assert comparison["second"]["fingerprint"] == bundle.load_info(trained_bundle).fingerprint
    assert comparison["verdict"] in done.stdout.splitlines()
    both = [json.loads((report / folder / "metrics.json").read_text()) for folder in ("first", "second")]
    tested = [[item["product_id"] for item in metrics["outcomes"]] for metrics in both]
    assert tested[0] == tested[1]
    for name, item in comparison["differences"].items():
        shown = [metrics["figures"][name]["value"] for metrics in both]
        assert (item["first"], item["second"]) == pytest.approx(shown, abs=1e-6)
    # So few test products decide nothing, and it says why.
    assert comparison["differences"]["accuracy"]["verdict"] == "no difference shown"
    assert "independent queries; a verdict needs 30" in done.stdout
    assert "Two models side by side" in Parsed((report / "index.html").read_text()).texts
    assert json.loads((report / "comparison.json").read_text()) == comparison


def test_a_catalog_without_labels_gets_a_report_of_what_can_be_known(
    trained_bundle: Path, drawn_catalog: Path, model_cache: Path, tmp_path: Path
) -> None:
    """Also a shop's hostile names: they are shown, and nothing else."""
    with drawn_catalog.open(newline="") as file:
        rows = list(csv.DictReader(file))
    catalog = tmp_path / "unlabelled.csv"
    with catalog.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image"])
        writer.writerows([f"<script>{row['id']}</script>", drawn_catalog.parent / row["image"]] for row in rows)
    report = tmp_path / "report"
    done = evaluated(
        catalog, model_cache, "--model", str(trained_bundle), "--report", str(report), "--view-kind", "darkened",
        "--allow-outside-pictures",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    metrics = json.loads((report / "metrics.json").read_text())
    assert (metrics["reliability"], metrics["categories"]) == (None, [])
    assert metrics["abstention"]["is_expected"]
    # The training catalog's head and the categories' names; no product has a category to vote with.
    assert {pair["first"] + " " + pair["second"] for pair in metrics["agreement"]["pairs"]} == {"head names"}
    assert metrics["views"]["queries"] == metrics["counts"]["test_products"]
    page = Parsed((report / "index.html").read_text())
    assert not page.of("script")
    assert any("gives no categories" in text for text in page.texts)
    assert any("<script>p-" in text for text in page.texts)


def test_a_file_that_no_report_wrote_is_not_replaced(drawn_catalog: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>the shop</h1>")
    line = refusal(evaluated(drawn_catalog, tmp_path, "--model", str(tiny_bundle), "--report", str(tmp_path)))
    assert "index.html was not written by a report" in line
    assert "next step: another folder" in line
    assert (tmp_path / "index.html").read_text() == "<h1>the shop</h1>"
    assert not (tmp_path / "metrics.json").exists()


def test_one_model_or_two(drawn_catalog: Path, tmp_path: Path) -> None:
    line = refusal(evaluated(drawn_catalog, tmp_path, "--model", "starter", "--compare", "starter", "starter-lite1"))
    assert line == "error: --model starter and --compare starter starter-lite1; permitted: one of them"
    alone = run_module("embedder", "eval", "--catalog", str(drawn_catalog), "--compare", "starter")
    assert alone.returncode == 2
