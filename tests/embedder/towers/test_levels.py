"""The image tower's levels: one run gives the plain tower's features and each block's output, pooled."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from embedder.errors import ModelError
from embedder.instance_map import InstanceMap
from embedder.towers import levels as levels_module
from embedder.towers.dual_encoder import DualEncoder, load_folder
from embedder.towers.levels import InstanceLayer, LeveledTrunk, kept_levels, pool
from embedder.towers.projection import split
from tests.embedder.towers.test_projection import TEXT, write_folder

WARNING = "does not give its blocks' outputs"


def timm(name: str, **options: Any) -> dict[str, Any]:
    vision = {"image_size": 160, "timm_model_name": name, "timm_pool": "avg", "timm_proj": "linear", **options}
    return {"embed_dim": 16, "custom_text": True, "vision_cfg": vision, "text_cfg": TEXT}


TOWERS: dict[str, dict[str, Any]] = {
    "timm CNN": timm("test_efficientnet", timm_pool=""),
    "timm CNN with residual blocks": timm("test_resnet", timm_pool=""),
    "timm ViT": timm("test_vit"),
    "timm ViT, class token": timm("test_vit", timm_pool="token"),
    "timm ViT, pooled by attention": timm("test_vit3", timm_pool="map"),
    "open_clip ViT": {"embed_dim": 16, "text_cfg": TEXT, "vision_cfg": {
        "image_size": 32, "layers": 3, "width": 64, "head_width": 32, "patch_size": 8}},
    "open_clip ResNet": {"embed_dim": 16, "text_cfg": TEXT, "vision_cfg": {
        "image_size": 32, "layers": [1, 1, 1, 1], "width": 8}},
}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("towers")
    return {name: write_folder(root / str(number), config) for number, (name, config) in enumerate(TOWERS.items())}


def pixels(encoder: DualEncoder, n: int = 2) -> torch.Tensor:
    return torch.randn(n, 3, *encoder.preprocessing.size, generator=torch.Generator().manual_seed(1))


def naive_pool(block: torch.Tensor) -> np.ndarray:
    """Generalized mean, value by value."""
    values = np.maximum(block.numpy().astype(np.float64), 0.0)
    n, channels = values.shape[:2]
    return np.asarray([[np.mean(values[i, c] ** 3) ** (1 / 3) for c in range(channels)] for i in range(n)])


@torch.no_grad()
@pytest.mark.parametrize("name", TOWERS)
def test_features_are_the_plain_towers_and_levels_its_blocks(
    name: str, folders: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    encoder = load_folder(folders[name])
    inputs = pixels(encoder)
    trunk, _ = split(encoder, "image")
    leveled = LeveledTrunk(trunk, encoder)
    features, levels = leveled(inputs)
    assert torch.allclose(features, trunk(inputs), atol=1e-4)
    assert levels.shape == (2, sum(leveled.widths))
    assert torch.isfinite(levels).all()
    assert len(leveled.widths) > 1
    assert WARNING not in caplog.text
    # The deepest level is the features, or averages to them.
    _, maps = levels_module._run(encoder.model.visual, inputs)
    pooled = np.concatenate([naive_pool(block) for block in maps], axis=1)
    assert np.allclose(levels[:, : pooled.shape[1]].numpy(), pooled, rtol=1e-3, atol=1e-4)
    rest = levels[:, pooled.shape[1] :]
    if rest.shape[1]:
        assert torch.equal(rest, features)
    else:
        assert torch.allclose(maps[-1].mean(dim=(2, 3)), features, rtol=1e-2, atol=1e-3)


@torch.no_grad()
def test_a_picture_has_the_same_levels_alone_and_among_others(folders: dict[str, Path]) -> None:
    encoder = load_folder(folders["timm CNN"])
    leveled = LeveledTrunk(split(encoder, "image")[0], encoder)
    inputs = pixels(encoder, 3)
    assert torch.allclose(leveled(inputs)[1][1:2], leveled(inputs[1:2])[1], atol=1e-4)


def test_pooling_is_the_generalized_mean_and_counts_what_is_below_0_as_0() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = [torch.randn(3, *size, generator=generator) for size in ((5, 8, 9), (2, 4, 6), (7, 4, 6), (3, 1, 1))]
    with torch.no_grad():
        assert np.allclose(pool(maps).numpy(), np.concatenate([naive_pool(block) for block in maps], axis=1), atol=1e-5)
        assert torch.allclose(pool([torch.full((1, 2, 3, 3), 2.0)]), torch.full((1, 2), 2.0))
        assert float(pool([-torch.ones(1, 1, 2, 2)]).abs().max()) < 1e-5


def test_the_poolings_gradient_is_finite_where_nothing_is_above_0() -> None:
    block = (-torch.ones(1, 2, 3, 3)).requires_grad_()
    pool([block]).sum().backward()
    assert block.grad is not None
    assert torch.isfinite(block.grad).all()


class Odd(nn.Module):
    """A tower of another maker, whose way of giving its blocks' outputs is at fault."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault
        if fault != "missing":
            self.forward_intermediates = self._intermediates

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.mean(dim=(2, 3)).repeat(1, 6)[:, :16]

    def _intermediates(self, inputs: torch.Tensor) -> dict[str, Any]:
        if self.fault == "raises":
            raise NotImplementedError("not in this release\nof the library")
        maps = [inputs] if self.fault != "no maps" else []
        features = self(inputs) + (1.0 if self.fault == "lies" else 0.0)
        return {"image_features": features[:, :8] if self.fault == "narrow" else features, "image_intermediates": maps}


@torch.no_grad()
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("missing", "AttributeError"),
        ("raises", "NotImplementedError: not in this release"),
        ("lies", "they lead to other features than its plain run"),
        ("narrow", "other features than its plain run"),
        ("no maps", "there is no block's output"),
    ],
)
def test_a_tower_that_does_not_give_its_blocks_keeps_its_features_and_the_log_says_so(
    fault: str, reason: str, folders: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    encoder = load_folder(folders["open_clip ViT"])
    encoder.model.visual = Odd(fault)
    trunk, _ = split(encoder, "image")
    inputs = pixels(encoder)
    with caplog.at_level(logging.WARNING):
        leveled = LeveledTrunk(trunk, encoder)
    features, levels = leveled(inputs)
    assert leveled.widths == (16,)
    assert torch.equal(features, trunk(inputs))
    assert torch.equal(levels, features)
    (line,) = [record.getMessage() for record in caplog.records if WARNING in record.getMessage()]
    assert reason in line
    assert "\n" not in line


@torch.no_grad()
def test_of_a_wide_tower_the_last_blocks_output_and_others_evenly_before_it_are_kept(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load_folder(folders["open_clip ViT"])
    inputs = pixels(encoder)
    trunk, _ = split(encoder, "image")
    whole = LeveledTrunk(trunk, encoder)
    _, levels = whole(inputs)
    assert whole.widths == (64, 64, 64, 64)
    for most, kept in ((256, [0, 1, 2, 3]), (255, [0, 2, 3]), (192, [0, 2, 3]), (191, [2, 3]), (1, [2, 3])):
        monkeypatch.setattr(levels_module, "MAX_WIDTH", most)
        narrow = LeveledTrunk(trunk, encoder)
        features, found = narrow(inputs)
        assert narrow.widths == (64,) * len(kept)
        assert torch.equal(found, torch.cat([levels[:, 64 * place : 64 * place + 64] for place in kept], dim=1))
        assert torch.equal(features, trunk(inputs))


@pytest.mark.parametrize(
    ("widths", "most", "kept"),
    [
        ([], 100, []),
        ([10] * 12, 120, list(range(12))),
        ([10] * 12, 119, [1, 3, 5, 7, 9, 11]),
        ([10] * 12, 50, [2, 5, 8, 11]),
        ([10] * 12, 20, [5, 11]),
        ([10] * 12, 19, [11]),
        ([10, 20, 40, 80], 149, [1, 3]),
        ([10, 20, 40, 80], 99, [0, 3]),
        ([10, 20, 40, 80], 0, [3]),
        ([10], -5, [0]),
    ],
)
def test_levels_are_left_out_at_even_steps_from_the_last(widths: list[int], most: int, kept: list[int]) -> None:
    assert kept_levels(widths, most) == kept


@torch.no_grad()
def test_the_instance_map_in_torch_is_the_one_in_numpy() -> None:
    random = np.random.default_rng(0)
    shapes = ((8,), (5, 8), (5,))
    instance = InstanceMap((3, 1, 4), *(random.standard_normal(shape).astype(np.float32) for shape in shapes))
    rows = np.concatenate([random.standard_normal((20, 8)).astype(np.float32), instance.center[None, :]])
    assert np.allclose(InstanceLayer(instance)(torch.from_numpy(rows)).numpy(), instance.apply(rows), atol=1e-5)


def test_an_instance_part_of_other_levels_is_refused(folders: dict[str, Path]) -> None:
    encoder = load_folder(folders["timm CNN"])
    leveled = LeveledTrunk(split(encoder, "image")[0], encoder)
    widths = (32, *leveled.widths)
    zeros = np.zeros(sum(widths), dtype=np.float32)
    with pytest.raises(ModelError, match=r"levels of 32, .*the image tower gives .*next step: train again"):
        leveled.instance_layer(InstanceMap(widths, zeros, np.zeros((2, len(zeros)), dtype=np.float32), zeros[:2]))
