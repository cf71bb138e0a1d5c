"""Two processes that tune together, over gloo, do what one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embedder.encoder import Encoder, open_encoder
from tests.conftest import draw_product, run_module, write_drawn_catalog
from tests.embedder.training.tuning.conftest import small_bundle

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

__all__ = ["small_bundle"]

SETTINGS = """
[embedder.train]
epochs = 2
rehearsal = 10
[embedder.tune]
passes = 6
products = 7
pictures = 3
dropout = 0.1
tolerance = 1.0
[embedder.instance]
dim = 16
products = 60
views = 100
"""
"""21 pictures in a batch, so that the two have unequal parts."""

LEAST_COSINE = 0.999
"""Between embeddings of the two models: sums in another order differ in the last digit, which Adam then enlarges."""


def pictures(encoder: Encoder) -> np.ndarray:
    shapes = ("ellipse", "rectangle", "tall", "triangle")
    images = [draw_product(shapes[number % 4], ("red", "blue")[number % 2], number, 32) for number in range(12)]
    return encoder.encode_images(images)


def test_two_processes_give_the_model_that_one_gives(small_bundle: Path, tmp_path: Path) -> None:
    catalog = write_drawn_catalog(tmp_path / "shop", 60, side=32)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    command = [
        "embedder", "train", "--catalog", str(catalog), "--model", str(small_bundle), "--tune", "full", "--device", "cpu",
        "--config", str(tmp_path / "settings.toml"),
    ]  # fmt: skip
    alone = run_module(*command, "--out", str(tmp_path / "one"), "--cache-dir", str(tmp_path / "one-cache"))
    assert alone.returncode == 0, alone.stderr
    both = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", *command,
            "--out", str(tmp_path / "two"), "--cache-dir", str(tmp_path / "two-cache"),
        ],
        capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert both.returncode == 0, both.stderr
    one, two = (open_encoder(tmp_path / name, "onnx", device="cpu") for name in ("one", "two"))
    assert one.info.training["tuning"]["plan"] == two.info.training["tuning"]["plan"]
    cosines = (pictures(one) * pictures(two)).sum(axis=1)
    assert float(cosines.min()) >= LEAST_COSINE
    base = open_encoder(small_bundle, "onnx", device="cpu")
    images = [draw_product("ellipse", "red", 1, 32), draw_product("rectangle", "blue", 2, 32)]
    moved = base.run_pixels(base.preprocess(images)).features - one.run_pixels(one.preprocess(images)).features
    assert float(np.abs(moved).max()) > 1e-3
