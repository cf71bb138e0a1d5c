"""Which layer of an image tower is how deep, whatever made the tower."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import split
from embedder.training.guard.shares import Shares, layer_depths
from embedder.training.tuning.model import Ends, TunableModel
from tests.embedder.towers.test_projection import TEXT, write_folder
from tests.embedder.training.tuning.conftest import SMALL

TOWERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a convolutional one of timm's": (SMALL["vision_cfg"], "trunk.conv_stem.weight", "trunk.conv_head.weight"),
    "a transformer of open_clip's": (
        {"image_size": 32, "patch_size": 8, "width": 32, "layers": 3, "head_width": 16},
        "conv1.weight",
        "ln_post.weight",
    ),
    "a residual network of open_clip's": (
        {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8},
        "conv1.weight",
        "attnpool.c_proj.weight",
    ),
}


def opened(folder: Path, vision: dict[str, Any]) -> TunableModel:
    whole = load_folder(write_folder(folder / "model", {**SMALL, "vision_cfg": vision, "text_cfg": TEXT}))
    image, text = split(whole, "image")[1], split(whole, "text")[1]
    return TunableModel(whole, Ends(image, text, (torch.zeros(2, 32), torch.zeros(2)), None))


@pytest.mark.parametrize("kind", TOWERS)
def test_depth_grows_from_the_pixels_to_the_output(kind: str, tmp_path: Path) -> None:
    vision, first, last = TOWERS[kind]
    model = opened(tmp_path, vision)
    depths = layer_depths(model)
    assert set(depths) == {name for name in model.state() if name.startswith("visual.")}
    assert min(depths.values()) == 0.0
    assert depths[f"visual.{first}"] < 0.2
    assert max(depths.values()) == depths[f"visual.{last}"] == 1.0
    assert len(set(depths.values())) > 3


def test_what_is_no_layer_has_the_ends_share() -> None:
    shares = Shares(1.0, 0.2, 0.7)
    assert [round(shares.at(depth), 6) for depth in (0.0, 0.25, 1.0, None)] == [1.0, 0.8, 0.2, 0.7]
