"""`python -m embedder` as its users run it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from embedder import bundle
from tests.conftest import draw_product, run_module, write_drawn_catalog


def refused(*arguments: str, cwd: Path | None = None) -> str:
    """The one line that a failed command ends with."""
    done = run_module("embedder", *arguments, cwd=cwd)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: "), done.stderr
    return last


def beside_its_pictures(catalog: Path) -> Path:
    """A drawn catalog moved into a folder beside its pictures, which so lie outside of the catalog's."""
    header, *rows = catalog.read_text().splitlines()
    moved = catalog.parent / "lists" / catalog.name
    moved.parent.mkdir()
    moved.write_text("\n".join([header, *(re.sub(r",(\d+\.png)$", r",../\1", row) for row in rows), ""]))
    return moved


def test_export_writes_a_bundle_that_says_what_it_is(tiny_clip: Path, tmp_path: Path) -> None:
    done = run_module("embedder", "export", "--model", str(tiny_clip), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    info = bundle.load_info(tmp_path / "out")
    assert info.fingerprint[:16] in done.stdout
    assert "dim 16" in done.stdout


def test_training_writes_figures_and_the_model_that_has_them(trained_bundle: Path, drawn_catalog: Path) -> None:
    info = bundle.load_info(trained_bundle)
    assert info.metrics["validation_accuracy"] >= 0.9
    assert info.training["catalog"] == str(drawn_catalog)
    assert info.training["seed"] == 0
    report = json.loads((trained_bundle / "report" / "training.json").read_text())
    assert report["metrics"] == dict(info.metrics)


def test_any_clip_is_fine_tuned_and_evaluated(tiny_bundle: Path, drawn_catalog: Path, tmp_path: Path) -> None:
    out, figures, settings = tmp_path / "tuned", tmp_path / "figures.json", tmp_path / "merchlens.toml"
    cache = json.dumps(str(tmp_path / "cache"))
    settings.write_text(
        f"cache_dir = {cache}\n[embedder.train]\nepochs = 9\ndropout = 0.2\nrehearsal = 8\n[server]\nport = 0\n"
    )
    done = run_module(
        "embedder", "train", "--catalog", str(drawn_catalog), "--model", str(tiny_bundle), "--out", str(out),
        "--epochs", "3", "--seed", "5", "--max-products", "100", "--config", str(settings),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "100 training products" in done.stdout
    training = bundle.load_info(out).training
    assert (training["seed"], training["epochs"], training["dropout"]) == (5, 3, 0.2)
    (splits,) = [line for line in done.stdout.splitlines() if line.startswith("splits: ")]
    assert re.search(r"leaks: 0 of (\d+) test and 0 of (\d+) validation products have a sibling in training", splits)
    assert splits in done.stderr, "known before the training begins, too"
    # Standard error is no terminal here: lines instead of bars.
    assert re.search(r"pictures \(training, with levels\): 100 of 100, [\d.,]+ a second, took ", done.stderr)
    assert re.search(r"training: 3 of 3, [\d.,]+ a second, took .* accuracy \d", done.stderr)
    done = run_module(
        "embedder", "eval", "--catalog", str(drawn_catalog), "--model", str(out), "--json", str(figures),
        "--config", str(settings),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"embedding: (\d+) of \1, [\d.,]+ a second, took ", done.stderr)
    assert splits in done.stdout.splitlines()
    measured = json.loads(figures.read_text())
    assert {"accuracy", "precision", "recall", "f1", "text_to_image_recall_at_1", "text_to_image_recall_at_10",
            "image_to_image_recall_at_1", "image_to_image_recall_at_10"} <= set(measured)  # fmt: skip
    for name, value in measured.items():
        assert re.search(rf"{name.replace('_', ' ')}\W+{value:.4f}", done.stdout)


def test_bad_rows_do_not_stop_training_and_are_counted(tiny_bundle: Path, tmp_path: Path) -> None:
    catalog = write_drawn_catalog(tmp_path / "shop", 60, side=32)
    with catalog.open("a") as file:
        file.write(",No id,toys/ball,1,yes,red,0000.png\np-0001,Twice,toys/ball,1,yes,red,0000.png\n")
    for picture in sorted(catalog.parent.glob("*.png"))[:5]:
        picture.write_bytes(b"no picture")
    (tmp_path / "few.toml").write_text("[embedder.train]\nrehearsal = 8\n", encoding="utf-8")
    # Without leave to lie outside the catalog's folder, none of the pictures would be read.
    done = run_module(
        "embedder", "train", "--catalog", str(beside_its_pictures(catalog)), "--model", str(tiny_bundle),
        "--out", str(tmp_path / "out"), "--epochs", "1", "--cache-dir", str(tmp_path / "cache"),
        "--allow-outside-pictures", "--config", str(tmp_path / "few.toml"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    training = bundle.load_info(tmp_path / "out").training
    # One of the five may lie in the test part, which training does not look at.
    assert training["rejected"] - 2 <= 5
    assert training["rejected"] >= 4
    assert training["training_products"] + training["validation_products"] < 60


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--catalog", "nowhere.csv"], "nowhere.csv"),
        (["train", "--catalog", "CATALOG", "--config", "nowhere.toml"], "nowhere.toml does not exist"),
        (["train", "--catalog", "CATALOG", "--model", "BROKEN"], "next step"),
    ],
    ids=["catalog", "config", "bundle"],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    drawn_catalog: Path, tiny_bundle: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_bundle, broken)
    (broken / bundle.IMAGE_ONNX).write_bytes(b"")
    places = {"CATALOG": str(drawn_catalog), "BROKEN": str(broken)}
    given = [places.get(argument, argument) for argument in arguments]
    out = tmp_path / "out"
    assert said in refused(*given, "--out", str(out), cwd=tmp_path)
    assert not out.exists()


def test_a_catalog_too_small_to_be_split(tiny_bundle: Path, tmp_path: Path) -> None:
    catalog = write_drawn_catalog(tmp_path / "shop", 1, side=32)
    assert "permitted: 2 or more" in refused(
        "train", "--catalog", str(catalog), "--model", str(tiny_bundle), "--out", str(tmp_path / "out"), cwd=tmp_path
    )


def test_values_out_of_range_are_named(drawn_catalog: Path, tmp_path: Path) -> None:
    done = run_module("embedder", "train", "--catalog", str(drawn_catalog), "--out", str(tmp_path), "--epochs", "0")
    assert done.returncode == 2
    assert "--epochs" in done.stderr
    assert re.search(r"1<=x|greater than or equal to 1", done.stderr)
    options = ["--catalog", str(drawn_catalog), "--out", str(tmp_path / "out"), "--learning-rate", "0"]
    assert refused("train", *options) == "error: train.learning_rate 0.0: input should be greater than 0"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--budget", "0", "--minutes", "3"), "--budget 0 and --minutes 3; permitted: one of them"),
        (("--budget", "20"), "duration '20'; permitted: 0, or a number with its unit, as in 90s, 20m, 1.5h"),
        (("--budget", "-5m"), "duration '-5m'; permitted: 0, or a number with its unit, as in 90s, 20m, 1.5h"),
    ],
)
def test_a_budget_is_given_once_and_with_its_unit(
    drawn_catalog: Path, tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    line = refused("train", "--catalog", str(drawn_catalog), "--out", str(tmp_path / "out"), *flags)
    assert line == f"error: {message}"
    assert not (tmp_path / "out").exists()


def test_pictures_outside_the_catalog_are_left_out_of_an_evaluation_unless_a_flag_permits_them(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    catalog = beside_its_pictures(write_drawn_catalog(tmp_path / "shop", 40, side=32))
    with catalog.open("a") as file:
        file.write("".join(f"in-{number},In,boxes/box,1,yes,red,in.png\n" for number in range(60)))
    shutil.copy(tmp_path / "shop/0001.png", catalog.parent / "in.png")
    arguments = ("--catalog", str(catalog), "--model", str(tiny_bundle), "--cache-dir", str(tmp_path / "cache"))
    for flags in ((), ("--allow-outside-pictures",)):
        done = run_module("embedder", "eval", *arguments, *flags)
        assert done.returncode == 0, done.stderr
        assert ("lies outside the catalog's folder" in done.stderr) is (not flags)


def test_the_operator_says_how_large_a_picture_may_be(tiny_bundle: Path, tmp_path: Path) -> None:
    """In training and in evaluation; what is larger is left out, and the message names the flag."""
    catalog = write_drawn_catalog(tmp_path / "shop", 60, side=32)
    for picture in sorted(catalog.parent.glob("*.png"))[:30]:
        draw_product("ellipse", "red", 1, side=64).save(picture)
    options = ["--catalog", str(catalog), "--model", str(tiny_bundle), "--cache-dir", str(tmp_path / "cache")]
    (tmp_path / "few.toml").write_text("[embedder.train]\nrehearsal = 8\n", encoding="utf-8")
    limit = ["--max-image-pixels", str(64 * 64 - 1), "--config", str(tmp_path / "few.toml")]
    done = run_module("embedder", "train", *options, *limit, "--epochs", "1", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    few = bundle.load_info(tmp_path / "out").training
    assert few["training_products"] + few["validation_products"] <= 30
    done = run_module("embedder", "eval", *options, *limit)
    assert done.returncode == 0, done.stderr
    assert (
        "4,096 pixels; permitted: up to 4,095; next step: make it smaller, or raise --max-image-pixels" in done.stderr
    )
    assert "left out" not in run_module("embedder", "eval", *options).stderr
