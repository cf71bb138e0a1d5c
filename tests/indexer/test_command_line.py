"""`python -m indexer` as its users run it: the exit status tells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from embedder import bundle
from tests.conftest import run_module, write_drawn_catalog


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A CSV of 24 products."""
    return write_drawn_catalog(tmp_path / "shop", 24, side=32)


def indexer(*arguments: str | Path, cwd: Path | None = None):
    return run_module("indexer", *map(str, arguments), cwd=cwd)


def test_a_clean_build_is_0_and_status_shows_it(shop: Path, trained_bundle: Path, tmp_path: Path) -> None:
    store = f"edge:{tmp_path / 'index'}"
    done = indexer("build", "--catalog", shop, "--model", trained_bundle, "--store", store)
    assert done.returncode == 0, done.stderr
    assert "24 products indexed, 0 rejected" in done.stdout
    assert "products/s" in done.stdout
    assert (tmp_path / "index" / "rejects.jsonl").read_text() == ""
    shown = indexer("status", "--store", store)
    assert shown.returncode == 0
    assert "1 versions, live: v" in shown.stdout
    assert "24 products, 0 rejected, 4 categories" in shown.stdout
    told = json.loads(indexer("status", "--store", store, "--json").stdout)
    (version,) = told["versions"]
    assert told["live"] == version["version"]
    assert (version["state"], version["products"]) == ("ready", 24)


def test_rejected_rows_are_3_and_the_rest_is_live(shop: Path, trained_bundle: Path, tmp_path: Path) -> None:
    (shop.parent / "0003.png").unlink()
    store = f"edge:{tmp_path / 'index'}"
    done = indexer("build", "--catalog", shop, "--model", trained_bundle, "--store", store, "--name", "spring")
    assert done.returncode == 3
    assert "23 products indexed, 1 rejected" in done.stdout
    assert f"IMAGE_MISSING 1; see {tmp_path / 'index' / 'rejects.jsonl'}" in done.stdout
    (row,) = map(json.loads, (tmp_path / "index" / "rejects.jsonl").read_text().splitlines())
    assert (row["line"], row["product_id"], row["reason"]) == (5, "p-0003", "IMAGE_MISSING")


def test_status_of_nothing_is_1(tmp_path: Path) -> None:
    shown = indexer("status", "--store", f"edge:{tmp_path / 'nowhere'}")
    assert (shown.returncode, "live: none" in shown.stdout) == (1, True)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--catalog": "nowhere.csv"}, "nowhere.csv"),
        ({"--store": "index"}, "permitted: edge:PATH"),
        ({"--model": "BROKEN"}, "onnx/image.onnx has SHA-256"),
        ({"--store": "qdrant://127.0.0.1:1/shop"}, "next step: is it up"),
        ({"--batch-size": "5000"}, "batch_size"),
    ],
    ids=["catalog", "store", "bundle", "qdrant", "setting"],
)
def test_what_cannot_be_done_is_2_and_one_line(
    shop: Path, trained_bundle: Path, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    broken = tmp_path / "broken"
    if change.get("--model") == "BROKEN":
        shutil.copytree(trained_bundle, broken)
        (broken / bundle.IMAGE_ONNX).write_bytes(b"")
        change = {"--model": str(broken)}
    given = {"--catalog": str(shop), "--model": str(trained_bundle), "--store": f"edge:{tmp_path / 'index'}", **change}
    done = indexer("build", *(part for pair in given.items() for part in pair), cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr
    assert said in done.stderr.partition("error: ")[2]
    assert not (tmp_path / "index" / "CURRENT").exists()
