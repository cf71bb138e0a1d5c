"""Training the towers, from a catalog to a bundle: what is kept, what is not, and where a stopped one goes on."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from torch.nn import functional

from embedder import bundle
from embedder.encoder import open_encoder
from embedder.errors import TrainingError, TrainingLost
from embedder.settings import EmbedderSettings
from embedder.training import tower_run
from embedder.training.guard.shares import Shares
from embedder.training.guard.sweep import NONE, SHARES
from embedder.training.run import choose_what, train
from embedder.training.settings import FineTuneSettings, InstanceSettings, TuneSettings
from embedder.training.split_products import TrainRequest
from tests.conftest import draw_product, write_drawn_catalog
from tests.embedder.training.test_run import drawn, ids_in, write_shop
from tests.embedder.training.tuning.conftest import small_bundle

__all__ = ["small_bundle"]


def tuned(
    model: Path, folder: Path, catalog: Path | None = None, budget_s: float | None = None, **changed: Any
) -> bundle.BundleInfo:
    """Train on a catalog of 60 drawn products, or another one."""
    catalog = catalog or write_drawn_catalog(folder / "shop", 60, side=32)
    settings = EmbedderSettings(
        cache_dir=folder / "cache",
        device="cpu",
        # So little that tuning the tower of random weights is a gain.
        train=FineTuneSettings(epochs=1, learning_rate=1e-6, rehearsal=8),
        tune=TuneSettings(
            **{"what": "full", "passes": 8, "products": 8, "learning_rate": 3e-3, "tolerance": 1.0, **changed}
        ),
        instance=InstanceSettings(dim=16, products=50, views=100),
    )
    return train(TrainRequest(str(catalog), {}, str(model), folder / "out", None, budget_s, None), settings)


def test_a_tuned_bundle_says_how_it_came_about_and_loads_in_open_clip_alone(small_bundle: Path, tmp_path: Path) -> None:
    info = tuned(small_bundle, tmp_path)
    described = info.training["tuning"]
    assert described["what"] == "full"
    assert [Shares(**item["shares"]) for item in described["sweep"]] == [NONE, *SHARES]
    (kept,) = (item for item in described["sweep"] if item["kept"])
    assert described["kept_share"] == kept["shares"]["first"] > 0
    assert sum(stage["steps"] for stage in described["plan"]["stages"]) == described["checks"][-1]["step"]
    assert "more time" in described["more_time"] or "twice the time" in described["more_time"]
    assert set(described["view_kinds"]) == {"color_cast", "occluded", "jpeg", "blurred"}
    report = tmp_path / "out" / "report"
    assert "**kept**" in (report / "sweep.md").read_text()
    assert Image.open(report / "sweep.png").format == "PNG"
    assert {path.name for path in report.iterdir()} == {
        "sweep.md", "sweep.png", "training.json", "events.out.tfevents.0",
    }  # fmt: skip
    assert json.loads((report / "training.json").read_text())["tuning"] == json.loads(json.dumps(described))
    before, after = info.training["compared"]["before"], info.training["compared"]["after"]
    assert before.keys() == after.keys()
    encoder = open_encoder(tmp_path / "out", "onnx", device="cpu")
    assert encoder.head is not None
    pixels = encoder.preprocess([draw_product("ellipse", "red", 1, 32), draw_product("rectangle", "blue", 2, 32)])
    alone = open_clip.create_model(f"local-dir:{tmp_path / 'out'}", require_pretrained=True).eval()
    with torch.no_grad():
        expected = functional.normalize(alone.encode_image(torch.from_numpy(pixels)), dim=1).numpy()
    assert np.allclose(encoder.run_pixels(pixels).embeddings, expected, atol=1e-4)
    # Nothing of the work stays.
    assert not list((tmp_path / "cache" / "tuning").iterdir())


def test_where_no_tuned_model_may_be_kept_the_bundle_has_the_bases_towers(
    small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tower_run.Retained, "lost", staticmethod(lambda before, after: 0.1))
    with pytest.raises(TrainingLost, match=r"no tuned model may be kept.*100 %: loses 0\.100 of retention.*next step"):
        tuned(small_bundle, tmp_path, passes=2, tolerance=0.05)
    info = bundle.load_info(tmp_path / "out")
    assert info.training["tuning"]["kept_share"] is None
    encoder, base = (open_encoder(folder, "onnx", device="cpu") for folder in (tmp_path / "out", small_bundle))
    pixels = base.preprocess([drawn(1), drawn(2)])
    assert np.allclose(encoder.run_pixels(pixels).embeddings, base.run_pixels(pixels).embeddings, atol=1e-5)
    assert encoder.head is not None
    assert info.training["instance"]["dim"] == 16


def test_a_training_that_was_stopped_after_its_steps_does_not_take_them_again(
    small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stopped(*arguments: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tower_run, "sweep", stopped)
        with pytest.raises(KeyboardInterrupt):
            tuned(small_bundle, tmp_path)
    assert not (tmp_path / "out").exists()
    with caplog.at_level(logging.INFO):
        info = tuned(small_bundle, tmp_path, tmp_path / "shop" / "catalog.csv")
    steps = sum(stage["steps"] for stage in info.training["tuning"]["plan"]["stages"])
    assert f"tuning goes on after step {steps}" in caplog.text


@pytest.mark.parametrize("kind", ["three products", "one category", "no words", "classes of one picture"])
def test_small_and_odd_catalogs_are_tuned_on_or_refused_in_words(small_bundle: Path, tmp_path: Path, kind: str) -> None:
    count = 3 if kind == "three products" else 12
    catalog = write_shop(
        tmp_path / "shop", {name: [drawn(number)] for number, name in enumerate(ids_in("train", count))}
    )
    rows = [json.loads(line) for line in catalog.read_text().splitlines()]
    for number, row in enumerate(rows):
        if kind == "one category":
            row["category"] = "things"
        if kind == "no words":
            del row["title"], row["category"]
        if kind == "classes of one picture":
            row["category"] = f"kind {number}"
    catalog.write_text("\n".join(map(json.dumps, rows)) + "\n")
    if kind == "no words":
        with pytest.raises(TrainingError, match=r"0 of them with a title or category; permitted: 2 or more of each"):
            tuned(small_bundle, tmp_path, catalog, passes=1)
        return
    info = tuned(small_bundle, tmp_path, catalog, passes=1)
    assert info.training["training_products"] >= 2
    assert info.training["tuning"]["kept_share"] is not None


def test_a_budget_too_short_for_one_step_is_refused_and_says_what_a_step_takes(
    small_bundle: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"0\.0 s are left for tuning the towers, and one step takes .*--budget"):
        tuned(small_bundle, tmp_path, budget_s=2.0)


def test_heads_alone_leave_both_projections_as_they_are(small_bundle: Path, tmp_path: Path) -> None:
    info = tuned(small_bundle, tmp_path, what="heads")
    encoder, base = (open_encoder(folder, "onnx", device="cpu") for folder in (tmp_path / "out", small_bundle))
    pixels = base.preprocess([drawn(1), drawn(2)])
    assert np.allclose(encoder.run_pixels(pixels).embeddings, base.run_pixels(pixels).embeddings, atol=1e-5)
    assert encoder.head is not None
    assert info.training["tuning"] == {"what": "heads", "kept_share": 0.0}


@pytest.mark.parametrize(
    ("asked", "budget_s", "what"),
    [
        ("auto", None, "projection"), ("auto", 120.0, "projection"), ("auto", 0.0, "projection"), ("auto", 300.0, "full"),
        ("lora", 60.0, "lora"), ("heads", None, "heads"),
    ],
)  # fmt: skip
def test_what_is_tuned_follows_from_the_budget_where_nothing_is_asked_for(
    asked: Any, budget_s: float | None, what: str
) -> None:
    chosen, why = choose_what(asked, budget_s)
    assert chosen == what
    assert why
