"""A bundle is written whole and checked, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embedder import bundle
from embedder.encoder import open_encoder
from embedder.errors import ModelError
from embedder.export import onnx as onnx_export
from embedder.export.onnx import write_bundle
from embedder.recognition.head import CategoryHead
from embedder.towers.sources import load_model
from tests.embedder.conftest import TINY_CONFIG


def test_everything_given_is_in_the_bundle(tiny_clip: Path, tmp_path: Path) -> None:
    head = CategoryHead(("a", "b"), np.ones((2, 16), np.float32), np.zeros(2, np.float32), {"image": 1.0, "text": 2.0})
    out = tmp_path / "deep" / "bundle"
    written = write_bundle(
        load_model(str(tiny_clip)),
        out,
        head=head,
        training={"epochs": 2},
        data_hash="ff",
        metrics={"accuracy": 0.5},
        report={"training.json": "{}"},
    )
    info = bundle.load_info(out)
    assert info == written
    assert (info.dim, info.training, info.data_hash, info.metrics) == (16, {"epochs": 2}, "ff", {"accuracy": 0.5})
    assert (out / "report" / "training.json").read_text() == "{}"
    opened = open_encoder(out, device="cpu")
    assert opened.head is not None
    assert opened.head.categories == ("a", "b")


def test_open_clips_own_configuration_is_kept(tiny_bundle: Path) -> None:
    config = json.loads((tiny_bundle / bundle.CONFIG_FILE).read_text())
    for part, fields in TINY_CONFIG["model_cfg"].items():
        if isinstance(fields, dict):
            assert fields.items() <= config["model_cfg"][part].items()
    assert config["preprocess_cfg"]["size"] == [32, 32]


def test_the_same_model_has_the_same_fingerprint(tiny_clip: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    again = write_bundle(load_model(str(tiny_clip)), tmp_path / "again")
    assert again.fingerprint == bundle.load_info(tiny_bundle).fingerprint


def test_graphs_that_do_not_agree_with_torch_are_not_written(
    tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "AGREEMENT", 1.1)
    with pytest.raises(ModelError, match=r"cosine .* to torch's; permitted: 1\.1 or more; next step"):
        write_bundle(load_model(str(tiny_clip)), tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_no_path_of_this_machine_is_in_a_bundle(trained_bundle: Path) -> None:
    here = str(Path(__file__).parents[3])
    for path in trained_bundle.rglob("*.json"):
        if path.name not in (bundle.TOKENIZER_FILE, "training.json"):
            text = path.read_text(encoding="utf-8")
            assert here not in text
            assert "site-packages" not in text
