"""A bundle in further precisions: the same model, measured on a catalog, replaced as a whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedder import bundle
from embedder.encoder import open_encoder
from embedder.errors import BundleCorrupt
from embedder.export import precisions
from embedder.export.precisions import FEWEST_QUERIES, add_precisions
from embedder.precision import PRECISIONS, GraphFigures, graph_file
from embedder.settings import EmbedderSettings
from embedder.training.split_products import TrainRequest
from tests.conftest import copy_folder, draw_product, run_module
from tests.made_once import made_once


def request(catalog: Path, out: Path) -> TrainRequest:
    return TrainRequest(str(catalog), {}, "", out, None, None, None)


@pytest.fixture(scope="session")
def exported(trained_bundle: Path, drawn_catalog: Path, model_cache: Path, tmp_path_factory: Any) -> Path:
    """The trained bundle with all precisions, written through the command line into a folder of its own."""

    def export(folder: Path) -> None:
        done = run_module(
            "embedder", "export", "--model", str(trained_bundle), "--out", str(folder / "all"), "--catalog",
            str(drawn_catalog), "--cache-dir", str(model_cache),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "fp32 is served; int8 loses" in done.stdout

    return made_once(tmp_path_factory, "precisions", export) / "all"


def test_the_model_stays_the_same(exported: Path, trained_bundle: Path) -> None:
    before, after = bundle.load_info(trained_bundle), bundle.load_info(exported)
    assert after.fingerprint == before.fingerprint
    assert after.metrics == before.metrics
    assert set(after.files) == set(before.files) | {
        graph_file(tower, name) for tower in ("image", "text") for name in ("fp16", "int8")
    }
    whole, earlier = open_encoder(exported, device="cpu"), open_encoder(trained_bundle, device="cpu")
    assert whole.head is not None
    assert earlier.head is not None
    assert whole.head.categories == earlier.head.categories
    assert whole.attributes is not None


def test_each_graph_was_measured(exported: Path) -> None:
    towers = bundle.load_info(exported).precisions
    for tower in ("image", "text"):
        found = towers[tower].measured
        assert list(found) == list(PRECISIONS)
        assert found["fp32"].least_cosine > 0.9999
        assert found["fp16"].least_cosine > 0.999
        assert 0.3 < found["int8"].least_cosine <= found["int8"].median_cosine
        assert found["int8"].median_cosine > 0.9
        assert found["int8"].bytes < found["fp16"].bytes < found["fp32"].bytes
        assert found["int8"].bytes == (exported / graph_file(tower, "int8")).stat().st_size
    assert towers["text"].measured["int8"].bytes < 0.3 * towers["text"].measured["fp32"].bytes


def test_few_queries_decide_nothing(exported: Path) -> None:
    towers = bundle.load_info(exported).precisions
    assert {item.serve for item in towers.values()} == {"fp32"}
    assert all(f"fewer than {FEWEST_QUERIES} queries" in item.why for item in towers.values())


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_bundle_computes_in_the_precision_that_is_asked_for(exported: Path, precision: Any) -> None:
    exact, asked = (open_encoder(exported, device="cpu", precision=name) for name in ("fp32", precision))
    assert asked.precisions == {"image": precision, "text": precision}
    images, texts = [draw_product("ellipse", "red", 950)], ["a red ball"]
    for one, other in (
        (exact.encode_images(images), asked.encode_images(images)),
        (exact.encode_texts(texts), asked.encode_texts(texts)),
    ):
        assert float((one * other).sum()) > 0.9
        assert (one == other).all() == (precision == "fp32")


def test_a_graph_that_was_changed_is_refused(exported: Path, tmp_path: Path) -> None:
    copy = copy_folder(exported, tmp_path / "changed")
    path = copy / graph_file("text", "int8")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleCorrupt, match=r"text\.int8\.onnx has SHA-256"):
        open_encoder(copy, device="cpu")


def test_an_export_that_fails_leaves_the_bundle_as_it_was(
    trained_bundle: Path, drawn_catalog: Path, model_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copy_folder(trained_bundle, tmp_path / "bundle")
    before = bundle.load_info(copy)

    def fail(*arguments: Any) -> dict[Any, GraphFigures]:
        raise OSError("no space left on device")

    monkeypatch.setattr(precisions, "_measure_text", fail)
    config = EmbedderSettings(cache_dir=model_cache)
    with pytest.raises(OSError, match="no space left"):
        add_precisions(copy, request(drawn_catalog, copy), config, ["int8"])
    assert bundle.load_info(copy) == before
    bundle.verify_files(copy, before)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_graph_that_gives_no_numbers_is_left_out(
    trained_bundle: Path, drawn_catalog: Path, model_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = precisions._figures

    def broken(folder: Any, tower: Any, precision: Any, ms: Any, found: Any, *others: Any) -> GraphFigures | None:
        values = np.full_like(found, np.nan) if (tower, precision) == ("text", "int8") else found
        return real(folder, tower, precision, ms, values, *others)

    monkeypatch.setattr(precisions, "_figures", broken)
    out = tmp_path / "bundle"
    info = add_precisions(
        trained_bundle, request(drawn_catalog, out), EmbedderSettings(cache_dir=model_cache), ["int8"]
    )
    assert not (out / graph_file("text", "int8")).exists()
    assert list(info.precisions["text"].measured) == ["fp32"]
    assert (info.precisions["text"].serve, info.precisions["text"].why) == ("fp32", "nothing was measured of int8")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--precision", "int4", "--catalog", "x.csv"), "--precision 'int4'; permitted: fp16, int8"),
        (("--precision", "int8"), "--precision int8 without --catalog"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_anything_is_done(
    flags: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = run_module("embedder", "export", "--out", str(tmp_path / "out"), *flags)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()
