"""A tower's last linear map comes out, is changed, and goes back; what cannot be trained says so."""

from __future__ import annotations

from pathlib import Path

import open_clip
import pytest
import torch
from torch import nn
from torch.nn import functional

from embedder.errors import ModelError
from embedder.towers.dual_encoder import DualEncoder, from_open_clip
from embedder.towers.projection import Projection, is_trainable, join, split
from embedder.towers.sources import load_model


@pytest.fixture(params=["tiny_clip", "starter_bundle"])
def encoder(request: pytest.FixtureRequest) -> DualEncoder:
    return load_model(str(request.getfixturevalue(request.param)))


def inputs(encoder: DualEncoder, tower: str) -> torch.Tensor:
    if tower == "text":
        return encoder.tokenizer(["red ball", "blue box"])
    return torch.randn(2, 3, *encoder.preprocessing.size, generator=torch.Generator().manual_seed(0))


def whole(encoder: DualEncoder, tower: str) -> torch.Tensor:
    encode = encoder.model.encode_text if tower == "text" else encoder.model.encode_image
    with torch.no_grad():
        return encode(inputs(encoder, tower), normalize=True)


@pytest.mark.parametrize("tower", ["image", "text"])
def test_trunk_and_projection_are_the_tower(encoder: DualEncoder, tower: str) -> None:
    expected = whole(encoder, tower)
    trunk, projection = split(encoder, tower)
    with torch.no_grad():
        actual = functional.normalize(projection(trunk(inputs(encoder, tower))), dim=-1)
    assert torch.allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize("tower", ["image", "text"])
def test_a_trained_projection_is_what_the_model_computes_with(
    encoder: DualEncoder, request: pytest.FixtureRequest, tower: str
) -> None:
    fresh = load_model(str(request.getfixturevalue(request.node.callspec.params["encoder"])))
    trunk, projection = split(fresh, tower)
    changed = Projection(projection.weight * 2 + 0.1, None if projection.bias is None else projection.bias + 0.3)
    join(encoder, tower, changed)
    with torch.no_grad():
        expected = functional.normalize(changed(trunk(inputs(encoder, tower))), dim=-1)
    assert torch.allclose(whole(encoder, tower), expected, atol=1e-5)


def test_a_tower_without_a_final_linear_map_embeds_and_is_not_trained() -> None:
    class Last(nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return pixels.mean(dim=(2, 3)).repeat(1, 6)[:, :16]

    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    model = open_clip.model.CLIP(**config)
    model.visual = Last()
    open_clip.model.set_model_preprocess_cfg(model, {"size": (32, 32), "mean": (0.5,) * 3, "std": (0.5,) * 3})
    encoder = from_open_clip(model, config, open_clip.tokenizer.SimpleTokenizer(context_length=8), "odd")
    assert not is_trainable(encoder, "image")
    assert is_trainable(encoder, "text")
    expected = whole(encoder, "image")
    trunk, projection = split(encoder, "image")
    with torch.no_grad():
        actual = functional.normalize(projection(trunk(inputs(encoder, "image"))), dim=-1)
    assert torch.allclose(actual, expected, atol=1e-5)
    with pytest.raises(ModelError, match=r"does not end in a linear projection.*permitted: models that do"):
        join(encoder, "image", projection)


def test_the_folders_that_open_clip_users_have_can_be_trained(tiny_clip: Path) -> None:
    encoder = load_model(str(tiny_clip))
    assert is_trainable(encoder, "image")
    assert is_trainable(encoder, "text")
