"""A tower's last linear map comes out, is changed, and goes back; what cannot be trained says so."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import open_clip
import pytest
import torch
from open_clip.hf_model import HFTextEncoder
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from embedder.errors import ModelError
from embedder.inputs.preprocess import Preprocessing
from embedder.inputs.text import TextSettings
from embedder.towers.dual_encoder import DualEncoder, from_open_clip, load_folder, save_folder
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
    with pytest.raises(
        ModelError, match=r"image tower of 'odd' \(Last\) does not end in a linear.*permitted: open_clip"
    ):
        join(encoder, "image", projection)


def test_the_folders_that_open_clip_users_have_can_be_trained(tiny_clip: Path) -> None:
    encoder = load_model(str(tiny_clip))
    assert is_trainable(encoder, "image")
    assert is_trainable(encoder, "text")


TEXT = {"context_length": 8, "vocab_size": 49408, "width": 96, "heads": 2, "layers": 1}
SIGLIP = {"image_size": 160, "timm_model_name": "test_vit3", "timm_pool": "map", "timm_proj": "none"}
WITHOUT_PROJECTION: dict[str, tuple[str, dict[str, Any]]] = {
    "pooled by attention (SigLIP)": ("image", {"embed_dim": 96, "custom_text": True, "vision_cfg": SIGLIP,
                                               "text_cfg": {**TEXT, "proj_bias": True}}),
    "text without projection (SigLIP i18n)": ("text", {"embed_dim": 96, "custom_text": True, "vision_cfg": SIGLIP,
                                                       "text_cfg": {**TEXT, "proj_type": "none"}}),
    "ends in its pooling (ResNet)": ("image", {"embed_dim": 16, "text_cfg": TEXT,
                                               "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8}}),
    "ends in timm's classifier (EVA)": ("image", {"embed_dim": 16, "text_cfg": TEXT, "custom_text": True,
                                                  "vision_cfg": {"image_size": 160, "timm_model_name": "test_vit",
                                                                 "timm_pool": "token", "timm_proj": None}}),
}  # fmt: skip


def write_folder(folder: Path, config: dict[str, Any]) -> Path:
    """An open_clip `local-dir` folder with random weights."""
    folder.mkdir()
    size = config["vision_cfg"]["image_size"]
    preprocess = {"size": [size, size], "mode": "RGB", "mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic"}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}))
    torch.manual_seed(0)
    kind = open_clip.model.CustomTextCLIP if config.get("custom_text") else open_clip.model.CLIP
    model = kind(**{name: value for name, value in config.items() if name != "custom_text"})
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")
    return folder


@pytest.mark.parametrize("case", WITHOUT_PROJECTION)
def test_a_tower_that_keeps_no_projection_apart_is_trained_and_loads_in_open_clip_alone(
    case: str, tmp_path: Path
) -> None:
    tower, config = WITHOUT_PROJECTION[case]
    folder = write_folder(tmp_path / "model", config)
    trunk, start = split(load_folder(folder), tower)
    assert torch.equal(start.weight, torch.eye(config["embed_dim"]))
    changed = Projection(start.weight + 0.3 * torch.randn(start.weight.shape), None)
    encoder = load_folder(folder)
    with torch.no_grad():
        expected = functional.normalize(changed(trunk(inputs(encoder, tower))), dim=-1)
    assert not torch.allclose(whole(encoder, tower), expected, atol=1e-2)
    assert is_trainable(encoder, tower)
    join(encoder, tower, changed)
    assert torch.allclose(whole(encoder, tower), expected, atol=1e-5)
    (tmp_path / "tuned").mkdir()
    save_folder(encoder, tmp_path / "tuned")
    alone = open_clip.create_model(f"local-dir:{tmp_path / 'tuned'}", require_pretrained=True).eval()
    encode = alone.encode_image if tower == "image" else alone.encode_text
    with torch.no_grad():
        assert torch.allclose(encode(inputs(encoder, tower), normalize=True), expected, atol=1e-5)
    # What is trained once can be trained again.
    assert is_trainable(load_folder(tmp_path / "tuned"), tower)


@pytest.mark.parametrize("with_bias", [False, True])
def test_what_is_appended_takes_a_bias_where_there_is_one(tmp_path: Path, with_bias: bool) -> None:
    encoder = load_folder(write_folder(tmp_path / "model", WITHOUT_PROJECTION["pooled by attention (SigLIP)"][1]))
    join(encoder, "image", Projection(torch.eye(96), torch.ones(96) if with_bias else None))
    assert encoder.model_config["vision_cfg"]["timm_proj_bias"] == with_bias
    (tmp_path / "tuned").mkdir()
    save_folder(encoder, tmp_path / "tuned")
    assert torch.allclose(whole(load_folder(tmp_path / "tuned"), "image"), whole(encoder, "image"), atol=1e-5)


def test_a_hugging_face_tower_without_a_projection_gets_the_one_that_open_clip_builds() -> None:
    from transformers import BertConfig

    bert = BertConfig(vocab_size=100, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    text = HFTextEncoder("", 16, config=bert, pooler_type="mean_pooler").eval()
    encoder = DualEncoder(
        SimpleNamespace(text=text, visual=nn.Identity()),
        {"embed_dim": 16, "text_cfg": {"hf_proj_type": None}, "vision_cfg": {}},
        Preprocessing((32, 32), (0.5,) * 3, (0.5,) * 3),
        TextSettings(8, 0, True, "whitespace"),
        None,
        "bert",
    )
    tokens = torch.tensor([[5, 6, 7, 0], [8, 9, 0, 0]])
    projection = Projection(torch.randn(16, 16), None)
    with torch.no_grad():
        expected = projection(text(tokens))
    join(encoder, "text", projection)
    rebuilt = HFTextEncoder(
        "", 16, config=bert, pooler_type="mean_pooler", proj_type=encoder.model_config["text_cfg"]["hf_proj_type"]
    ).eval()
    rebuilt.load_state_dict(text.state_dict())
    with torch.no_grad():
        assert torch.allclose(rebuilt(tokens), expected, atol=1e-5)
