"""Precisions of a bundle's towers: which there are, which one is taken, and how near vectors of two of them are."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from embedder.errors import ModelError
from embedder.precision import GraphFigures, Precision, TowerPrecision, choose_precisions, graph_file
from indexer.errors import ModelMismatch
from indexer.versions.manifest import Manifest, check_precision


def measured(serve: Precision = "fp32", **least: float) -> TowerPrecision:
    return TowerPrecision(
        serve,
        "as measured",
        {name: GraphFigures(1_000, 2.5, cosine, (1 + cosine) / 2, 0.9, 300) for name, cosine in least.items()},  # type: ignore[misc]
    )


def manifest(**precisions: str) -> Manifest:
    return Manifest("v1", "shop", "shop.csv", "f" * 64, "starter", 8, precisions=precisions)


def test_each_precision_has_a_file_of_its_own() -> None:
    assert [graph_file("text", name) for name in ("fp32", "fp16", "int8")] == [
        "onnx/text.onnx", "onnx/text.fp16.onnx", "onnx/text.int8.onnx",
    ]  # fmt: skip


def test_auto_is_what_the_bundle_decided_for_each_tower() -> None:
    towers = {"text": measured("int8", fp32=1.0, int8=0.98)}
    assert choose_precisions(towers, "auto", "shop") == {"image": "fp32", "text": "int8"}  # type: ignore[arg-type]
    assert choose_precisions(towers, "fp32", "shop") == {"image": "fp32", "text": "fp32"}  # type: ignore[arg-type]
    assert choose_precisions({}, "auto", "shop") == {"image": "fp32", "text": "fp32"}


def test_a_precision_that_a_bundle_lacks_is_refused_with_what_it_has() -> None:
    with pytest.raises(
        ModelError, match=r"precision 'int8': bundle shop .*image tower; permitted: auto, fp32; next step"
    ):
        choose_precisions({"text": measured(int8=0.98)}, "int8", "shop")


def test_what_was_measured_survives_the_file() -> None:
    tower = measured("int8", fp32=1.0, int8=0.97)
    assert TowerPrecision.from_dict(asdict(tower)) == tower
    with pytest.raises(ValueError, match="precision 'int4'; permitted: fp32, fp16, int8"):
        TowerPrecision.from_dict({"serve": "int4", "why": "", "measured": {}})


def test_two_precisions_are_as_near_as_both_are_to_the_exact_one() -> None:
    tower = measured(fp16=0.9999, int8=0.97)
    assert tower.least_cosine("int8", "int8") == 1.0
    assert tower.least_cosine("fp32", "int8") == pytest.approx(0.97)
    assert tower.least_cosine("fp16", "int8") < 0.97
    assert measured(int8=0.97).least_cosine("fp16", "int8") == -1.0


def test_an_index_of_a_near_precision_is_searched() -> None:
    towers = {"image": measured(int8=0.97)}
    for indexed, asked in (("int8", "fp32"), ("fp32", "int8"), ("int8", "int8")):
        check_precision(manifest(image=indexed), towers, {"image": asked})  # type: ignore[dict-item]
    check_precision(manifest(), {}, {"image": "fp32"})


@pytest.mark.parametrize(("towers", "said"), [({"image": measured(int8=0.9)}, "0.900"), ({}, "never measured")])
def test_an_index_of_a_precision_that_is_far_off_is_refused(towers: dict, said: str) -> None:
    with pytest.raises(
        ModelMismatch, match=f"embedded in int8, queries are in fp32; .*{said}.*next step: set precision"
    ):
        check_precision(manifest(image="int8"), towers, {"image": "fp32"})


def test_a_manifest_keeps_its_precisions_and_an_earlier_one_has_none() -> None:
    text = manifest(image="int8", text="fp32").to_json()
    assert Manifest.from_json(text, "here").precisions == {"image": "int8", "text": "fp32"}
    earlier = text.replace('"precisions": {\n  "image": "int8",\n  "text": "fp32"\n },', "")
    assert "precisions" not in earlier
    assert Manifest.from_json(earlier, "here").precisions == {}
