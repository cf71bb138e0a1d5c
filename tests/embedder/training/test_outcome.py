"""What a training prints: figures with their meaning, sizes and why, what was left out and why."""

from __future__ import annotations

from typing import Any

import pytest

from embedder.bundle import BundleInfo
from embedder.inputs.preprocess import Preprocessing
from embedder.inputs.text import TextSettings
from embedder.training.comparison import MEANINGS
from embedder.training.outcome import print_outcome

DESCRIBED: dict[str, Any] = {
    "model_reason": "the smallest starter, as there is no budget",
    "image_size": 96,
    "image_size_reason": "as asked",
    "tuning": {"what": "projection"},
    "instance": {"dim": 200, "semantic_dim": 256, "pairs": 1234, "weight": 0.65, "weights_tried": [{}]},
    "rejected": 1007,
    "rejected_reasons": {"IMAGE_MISSING": 1005, "PRICE_INVALID": 2},
    "compared": {
        "before": {name: 0.25 for name in MEANINGS if name != "category_accuracy"},
        "after": dict.fromkeys(MEANINGS, 0.75),
        "products": 1500,
        "views": 3000,
        "gallery": 12000,
    },
}


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, **changed: Any) -> str:
    monkeypatch.setenv("COLUMNS", "200")
    half = (0.5, 0.5, 0.5)
    info = BundleInfo(
        "f", "starter", 456, Preprocessing((96, 96), half, half), TextSettings(8, 0, True, "whitespace"),
        training={**DESCRIBED, **changed},
    )  # fmt: skip
    print_outcome(info)
    return capsys.readouterr().out


def test_everything_that_was_decided_is_said_with_the_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = printed(capsys, monkeypatch)
    for expected in (
        "base model starter: the smallest starter, as there is no budget",
        "picture size 96 px: as asked",
        "256 values of the semantic part, 200 of the instance part",
        "1,234 pairs of pictures and counts 0.65 in a picture query (chosen on held-out products)",
        "left out: 1,007 rows or pictures (IMAGE_MISSING 1,005, PRICE_INVALID 2)",
        "1,500 held-out products and 3,000 photo-like views of them, which searched 12,000 products",
    ):
        assert expected in text


def test_each_figure_has_before_after_and_its_meaning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(capsys, monkeypatch).splitlines()
    for name, meaning in MEANINGS.items():
        (line,) = [line for line in lines if f" {name.replace('_', ' ')} " in line]
        assert meaning in line
        assert line.index("0.7500") < line.index(meaning)
        assert ("0.2500" in line) == (name != "category_accuracy")


def test_what_was_not_measured_or_not_made_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = printed(
        capsys, monkeypatch,
        instance={"dim": 0}, rejected=0, rejected_reasons={},
        compared={"before": {}, "after": {}, "products": 0, "views": 0, "gallery": 3},
    )  # fmt: skip
    assert "instance part: none" in text
    assert "left out: 0 rows or pictures\n" in text
    assert "not measured, there are no held-out products; next step: a larger catalog" in text
    unweighed = printed(capsys, monkeypatch, instance={**DESCRIBED["instance"], "weights_tried": []})
    assert "0.65 in a picture query (not measured, there are no held-out products)" in unweighed


def test_each_attribute_is_said_with_how_right_it_is_or_why_it_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = {"values": 21, "values_left_out": 2, "method": "head"}
    text = printed(
        capsys, monkeypatch,
        attributes={
            "color": {**fitted, "accuracy": 0.875, "held_out": 1200},
            "pattern": {**fitted, "values_left_out": 0},
            "style": {"values": 3, "method": "names"},
            "sku": {"left_out": "it names products"},
        },
    )  # fmt: skip
    for expected in (
        "attribute color: 21 values, 2 too rare ones left out; right for 88% of 1,200 held-out pictures",
        "attribute pattern: 21 values; not measured, there are few held-out products",
        "attribute style: 3 values, told by what they are called; not calibrated",
        "attribute sku: not recognised; it names products",
    ):
        assert expected in text
