"""An evaluation measures on products that the training held out, siblings and all."""

from __future__ import annotations

import csv
import json
import logging
import shutil
from pathlib import Path

import pytest

from embedder import bundle
from embedder.catalogs.loading import load_catalog
from embedder.catalogs.registry import open_catalog
from embedder.errors import TrainingError
from embedder.evaluation.held_out import hold_out
from embedder.evaluation.run import EvalRequest, evaluate, evaluate_models
from embedder.settings import EmbedderSettings
from embedder.training.run import train
from embedder.training.settings import FineTuneSettings
from embedder.training.split_products import TrainRequest
from tests.conftest import COLORS, SHAPES, draw_product


def write_catalog(folder: Path, groups: int) -> Path:
    """Two variants in each group, in two colours, and a copy of every fifth product's picture, compressed again."""
    folder.mkdir()
    path = folder / "catalog.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "image", "item_group_id"])
        for number in range(groups):
            for color in list(COLORS)[:2]:
                name = f"{number:03d}-{color}"
                image = draw_product(list(SHAPES.values())[number % 4], color, number, 64)
                image.save(folder / f"{name}.png")
                writer.writerow([name, color, f"{name}.png", f"g-{number}"])
            if number % 5 == 0:
                image.save(folder / f"{number:03d}-copy.jpg", quality=70)
                writer.writerow([f"{number:03d}-copy", "copy", f"{number:03d}-copy.jpg", ""])
    return path


@pytest.fixture(scope="module")
def trained(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bundle.BundleInfo, Path]:
    """A catalog with siblings, what training says, and the bundle."""
    folder = tmp_path_factory.mktemp("held-out")
    catalog = write_catalog(folder / "shop", 40)
    request = TrainRequest(str(catalog), {}, str(tiny_bundle), folder / "out", None, None, None)
    settings = EmbedderSettings(cache_dir=folder / "cache", device="cpu", train=FineTuneSettings(epochs=1, rehearsal=8))
    return catalog, train(request, settings), folder / "out"


def measured(catalog: Path, model: Path, cache_dir: Path, max_products: int | None = None) -> dict[str, object]:
    request = EvalRequest(str(catalog), {}, str(model), None, max_products, 1000)
    return evaluate(request, EmbedderSettings(cache_dir=cache_dir, device="cpu")).splits.to_dict()


def test_training_describes_its_splits_and_an_evaluation_makes_the_same(
    trained: tuple[Path, bundle.BundleInfo, Path], tmp_path: Path
) -> None:
    catalog, info, out = trained
    said = info.training["splits"]
    assert said["train"] + said["validation"] + said["test"] == 88
    assert (said["variant_groups"], said["near_duplicates"], said["test_leaks"], said["not_compared"]) == (40, 8, 0, "")
    assert said["train"] == info.training["training_products"]
    assert measured(catalog, out, tmp_path / "another cache") == said
    assert measured(catalog, out, tmp_path / "another cache", max_products=2) == said


@pytest.fixture
def changed(trained: tuple[Path, bundle.BundleInfo, Path], tmp_path: Path) -> Path:
    """The bundle, whose description of the training may be changed."""
    return Path(shutil.copytree(trained[2], tmp_path / "changed"))


def describe(model: Path, splits: dict[str, object] | None) -> None:
    path = model / bundle.BUNDLE_FILE
    data = json.loads(path.read_text(encoding="utf-8"))
    data["training"].pop("splits")
    if splits is not None:
        data["training"]["splits"] = splits
    path.write_text(json.dumps(data), encoding="utf-8")


def test_where_training_had_no_time_to_compare_pictures_an_evaluation_does_not_either(
    trained: tuple[Path, bundle.BundleInfo, Path], changed: Path, tmp_path: Path
) -> None:
    """Else it would move siblings of tested products, which were trained on, into the test."""
    catalog, info, _ = trained
    describe(changed, {**info.training["splits"], "not_compared": "budget"})
    said = measured(catalog, changed, tmp_path)
    assert (said["not_compared"], said["near_duplicates"], said["variant_groups"]) == ("budget", 0, 40)


def test_a_model_of_an_earlier_release_may_know_test_products_and_the_log_says_so(
    trained: tuple[Path, bundle.BundleInfo, Path], changed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    describe(changed, None)
    with caplog.at_level(logging.WARNING):
        measured(trained[0], changed, tmp_path)
    (warning,) = [record.message for record in caplog.records if "earlier release" in record.message]
    assert "may have been trained on test products" in warning


def test_a_training_gives_a_tenth_of_its_time_to_comparing_pictures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = write_catalog(tmp_path / "shop", 40)
    rows = catalog.read_text(encoding="utf-8").splitlines()
    rows = [f"{rows[0]},split", *(f"{row},test" for row in rows[1:])]
    catalog.write_text("\n".join(rows) + "\n", encoding="utf-8")
    settings = EmbedderSettings(cache_dir=tmp_path / "cache", device="cpu")
    for budget_s, is_compared in ((1e-6, False), (600, True)):
        caplog.clear()
        with caplog.at_level(logging.INFO), pytest.raises(TrainingError, match="no training products"):
            train(TrainRequest(str(catalog), {}, "no model", tmp_path / "out", None, budget_s, None), settings)
        (line,) = [record.message for record in caplog.records if record.message.startswith("splits: ")]
        assert line.startswith("splits: 0 train, 0 validation, 88 test products; kept together: 40 groups of variants")
        assert ("not compared: a tenth of the time given" in line) is not is_compared


def test_models_that_are_compared_are_measured_on_what_both_trainings_held_out(
    trained: tuple[Path, bundle.BundleInfo, Path], changed: Path, tmp_path: Path
) -> None:
    """One of them had no time to compare pictures: it may know copies of what the other held out, and the reverse."""
    catalog, info, out = trained
    describe(changed, {**info.training["splits"], "not_compared": "budget"})
    products = load_catalog(open_catalog(str(catalog))).products
    settings = EmbedderSettings(cache_dir=tmp_path, device="cpu")
    alone = [hold_out(products, [str(model)], settings) for model in (out, changed)]
    assert {product.id for product in alone[0].tested} != {product.id for product in alone[1].tested}
    both = hold_out(products, [str(out), str(changed)], settings)
    for part in ("tested", "trained"):
        ids = [{product.id for product in getattr(one, part)} for one in alone]
        assert {product.id for product in getattr(both, part)} == ids[0] & ids[1]
    request = EvalRequest(str(catalog), {}, "", None, None, 1000)
    first, second = evaluate_models(request, [str(out), str(changed)], settings)
    assert (first.model, second.model) == (str(out), str(changed))
    ids = [[outcome.product_id for outcome in measured.outcomes] for measured in (first, second)]
    assert ids[0] == ids[1]
    assert set(ids[0]) == {product.id for product in both.tested}
    assert first.figures == second.figures
