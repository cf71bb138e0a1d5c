"""Several towers trained alike on one catalog: a row for each, whatever becomes of it."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import open_clip
import pytest
from typer.testing import CliRunner

from embedder import bundle
from embedder.__main__ import app
from embedder.errors import ModelError, SettingsError, TrainingLost, TrainingStopped
from embedder.settings import EmbedderSettings
from embedder.towers import assembled, starter
from embedder.towers.dual_encoder import DualEncoder, from_open_clip
from embedder.training import towers_compared
from embedder.training.settings import TuneSettings
from embedder.training.split_products import TrainRequest
from embedder.training.towers_compared import DEFAULT_TOWERS, TowerRow, TowersRequest, compare_towers, recipe
from tests.conftest import write_drawn_catalog
from tests.embedder.towers.test_projection import TEXT
from tests.made_once import made_once

FEW_STEPS = {"passes": 1, "products": 8, "view_share": 0.0, "views": 1}
TRAINED = ("test_efficientnet", "test_resnet")


def beside_small_texts(
    vision: Mapping[str, Any], image_size: int, mean: tuple[float, ...], deviation: tuple[float, ...], base: str
) -> DualEncoder:
    """In place of MiniLM, which takes half a minute in each export, a text tower of random weights."""
    config = {
        "embed_dim": 32, "custom_text": True, "vision_cfg": {**vision, "image_size": image_size}, "text_cfg": TEXT,
    }  # fmt: skip
    model = open_clip.model.CustomTextCLIP(**{name: config[name] for name in ("embed_dim", "vision_cfg", "text_cfg")})
    open_clip.model.set_model_preprocess_cfg(
        model, {"size": (image_size, image_size), "mode": "RGB", "mean": mean, "std": deviation,
                "interpolation": "bicubic", "resize_mode": "squash", "fill_color": 0},
    )  # fmt: skip
    return from_open_clip(model, config, open_clip.SimpleTokenizer(context_length=8), base)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, once: two towers that are trained, between them one whose wheel is not installed."""

    def compare(folder: Path) -> None:
        settings = {"tune": FEW_STEPS, "train": {"epochs": 1}, "instance": {"dim": 16, "products": 40, "views": 40}}
        lines = [
            f"[embedder.{table}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())
            for table, values in settings.items()
        ]
        (folder / "few.toml").write_text("".join(lines))
        catalog = write_drawn_catalog(folder / "shop", 60, side=40)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(assembled, "beside_text_tower", beside_small_texts)
            patched.setattr(starter, "TEXT_WHEEL", "no-such-wheel-anywhere")
            patched.setenv("COLUMNS", "200")
            # What torch logs of an export, and pytest keeps, takes longer than the export.
            patched.setattr(logging.root.manager, "disable", logging.INFO)
            done = CliRunner().invoke(
                app,
                ["towers", "--catalog", str(catalog), "--out", str(folder / "out"), "--image-size", "32",
                 "--tower", TRAINED[0], "--tower", "starter", "--tower", TRAINED[1], "--device", "cpu",
                 "--config", str(folder / "few.toml"), "--cache-dir", str(folder / "cache"),
                 "--json", str(folder / "figures" / "towers.json")],
                catch_exceptions=False,
            )  # fmt: skip
        assert done.exit_code == 0, done.output
        (folder / "printed.txt").write_text(done.output)

    return made_once(tmp_path_factory, "compared-towers", compare)


def test_each_tower_has_a_row_with_its_figures_and_a_bundle(compared: Path) -> None:
    written = json.loads((compared / "figures" / "towers.json").read_text())
    assert written["budget_s"] == 300
    assert [row["tower"] for row in written["towers"]] == [TRAINED[0], "starter", TRAINED[1]]
    for row in written["towers"][::2]:
        info = bundle.load_info(Path(row["bundle"]))
        assert info.base == f"timm:{row['tower']}"
        assert (row["weights"], row["image_size"], row["failed"]) == ("from scratch", 32, False)
        after = info.training["compared"]["after"]
        for name in ("category_accuracy", "photo_recall_at_1", "title_recall_at_10"):
            assert row[name] == after[name]
        assert row["graph_bytes"] == (Path(row["bundle"]) / bundle.IMAGE_ONNX).stat().st_size
        # A float32 for each parameter, and the graph around them.
        assert 4 * row["parameters"] * 0.5 < row["graph_bytes"] < 4 * row["parameters"] + 2**20
        assert 0 < row["picture_ms"] < 1000
        assert 0 < row["training_s"] < 300
    first, second = (bundle.load_info(compared / "out" / tower).training for tower in TRAINED)
    for name in ("catalog", "seed", "splits", "training_products", "image_size"):
        assert first[name] == second[name], name
    assert first["tuning"]["what"] == "full"
    assert {name: first["tuning"][name] for name in FEW_STEPS} == FEW_STEPS


def test_a_tower_that_fails_says_why_and_the_others_go_on(compared: Path) -> None:
    row = json.loads((compared / "figures" / "towers.json").read_text())["towers"][1]
    assert row["failed"]
    assert row["bundle"] is None
    assert "needs the package no-such-wheel-anywhere" in row["note"]
    assert row["training_s"] is None
    assert f"starter: failed: {row['note']}" in (compared / "printed.txt").read_text().splitlines()


def test_the_table_has_all_towers_side_by_side(compared: Path) -> None:
    lines = (compared / "printed.txt").read_text().splitlines()
    (heading,) = [line for line in lines if "title@10" in line and "┃" in line]
    for name in ("tower", "weights", "px", "M params", "MB", "ms", "training s", "category", "photo@1"):
        assert name in heading
    for tower in (*TRAINED, "starter"):
        assert len([line for line in lines if line.startswith(f"│ {tower} ")]) == 1
        assert any(line.startswith(f"{tower}: ") for line in lines), "as soon as it is known, too"


@pytest.fixture
def trains(compared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[TrainRequest]]:
    """Puts something else in the place of training, which leaves a bundle that was trained before."""

    def put(ends: Mapping[str, BaseException]) -> list[TrainRequest]:
        asked: list[TrainRequest] = []

        def instead(request: TrainRequest, config: EmbedderSettings) -> None:
            asked.append(request)
            end = ends.get(request.out.name)
            if end is None or isinstance(end, TrainingLost):
                shutil.copytree(compared / "out" / TRAINED[0], request.out)
            if end is not None:
                raise end

        monkeypatch.setattr(towers_compared, "train", instead)
        monkeypatch.setattr(towers_compared, "resolve_bundle", lambda *_, **__: None)
        return asked

    return put


def asked_for(compared: Path, out: Path, *towers: str, **changed: Any) -> TowersRequest:
    return TowersRequest(catalog=str(compared / "shop" / "catalog.csv"), columns={}, out=out, towers=towers, **changed)


def test_a_tower_whose_tuning_may_not_be_kept_is_shown_and_says_so(
    compared: Path, tmp_path: Path, trains: Callable[..., list[TrainRequest]]
) -> None:
    trains({"test_resnet": TrainingLost("no tuned model may be kept")})
    (row,) = compare_towers(asked_for(compared, tmp_path / "out", "test_resnet"), EmbedderSettings(device="cpu"))
    assert (row.note, row.failed) == ("no tuned model may be kept", False)
    assert row.category_accuracy is not None


def test_towers_that_take_any_size_have_the_same_that_fits_the_catalog(
    compared: Path, tmp_path: Path, trains: Callable[..., list[TrainRequest]]
) -> None:
    asked = trains({})
    towers = ("test_resnet", "starter", "starter-lite1", "test_vit")
    rows = list(compare_towers(asked_for(compared, tmp_path / "out", *towers), EmbedderSettings(device="cpu")))
    assert [row.failed for row in rows] == [False] * 4
    assert [(request.model, request.image_size) for request in asked] == [
        ("timm:test_resnet", 128), ("starter", 128), ("starter-lite1", 128), ("timm:test_vit", None),
    ]  # fmt: skip
    assert {request.budget_s for request in asked} == {300.0}
    pretrained = asked_for(compared, tmp_path / "again", "test_resnet", "starter", pretrained=True)
    assert [row.weights for row in compare_towers(pretrained, EmbedderSettings(device="cpu"))] == ["timm", "wheel"]
    assert asked[-2].model == "timm:test_resnet/pretrained"


@pytest.mark.parametrize("end", [KeyboardInterrupt(), TrainingStopped("stopped after step 3 of 9")])
def test_what_is_finished_is_shown_also_when_the_rest_is_stopped(
    compared: Path,
    tmp_path: Path,
    trains: Callable[..., list[TrainRequest]],
    end: BaseException,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trains({"test_vit": end})
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(
        app,
        ["towers", "--catalog", str(compared / "shop" / "catalog.csv"), "--out", str(tmp_path / "out"),
         "--tower", "test_resnet", "--tower", "test_vit", "--tower", "starter", "--json", str(tmp_path / "towers.json")],
    )  # fmt: skip
    assert done.exit_code != 0
    assert "│ test_resnet " in done.output
    assert [row["tower"] for row in json.loads((tmp_path / "towers.json").read_text())["towers"]] == ["test_resnet"]


def test_random_weights_are_held_to_nothing_and_all_else_is_one_recipe() -> None:
    asked = TuneSettings(what="lora", passes=7, learning_rate=1e-3)
    for weights in ("wheel", "timm"):
        assert recipe(asked, weights) == TuneSettings(what="full", passes=7, learning_rate=1e-3)  # type: ignore[arg-type]
    free = recipe(asked, "from scratch").to_dict()
    changed = {name: value for name, value in free.items() if value != asked.to_dict()[name]}
    kept = {
        "what", "distillation_weight", "rehearsal_weight", "image_anchor_weight", "tolerance", "layer_decay", "batch_norm",
    }  # fmt: skip
    assert set(changed) <= kept
    assert free["rehearsal_weight"] == free["image_anchor_weight"] == 0.0
    assert (free["what"], free["distillation_weight"], free["tolerance"]) == ("full", 0.0, 1.0)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"towers": ("resnet18", "mobilenetv3_smal_100")}, ModelError,
         "tower 'mobilenetv3_smal_100' is not known; the nearest known name is mobilenetv3_small_100"),
        ({"towers": ("starter-lite3",)}, ModelError, "'starter-lite3' is not known; the nearest known name is starter-lite2"),
        ({"towers": ()}, SettingsError, r"towers \(none\); permitted: one or more"),
        ({"towers": ("resnet18", "resnet18")}, SettingsError, "towers resnet18, resnet18; permitted: .* each once"),
        ({"budget_s": 0.0}, SettingsError, "budget of 0 s; permitted: more than 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_before_anything_is_computed(
    changed: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        TowersRequest(catalog="no catalog", columns={}, out=Path("nowhere"), **changed)


def test_the_towers_compared_by_default_are_known() -> None:
    assert TowersRequest(catalog="any", columns={}, out=Path("nowhere")).towers == DEFAULT_TOWERS


def test_a_row_is_whole_or_says_why_not() -> None:
    with pytest.raises(ValueError, match="one that failed has a note and no time"):
        TowerRow(tower="resnet18", weights="timm", failed=True)
    with pytest.raises(ValueError, match="all others have a time"):
        TowerRow(tower="resnet18", weights="timm")
