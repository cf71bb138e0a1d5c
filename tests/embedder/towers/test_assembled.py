"""Any image tower of timm stands beside the starter's text tower, in a model that open_clip loads by itself."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import timm
import torch
from torch.nn import functional

from embedder.encoder import open_encoder
from embedder.errors import ModelError
from embedder.export.onnx import write_bundle
from embedder.towers import assembled
from embedder.towers.assembled import check_tower, model_name, takes_any_size
from embedder.towers.dual_encoder import DualEncoder, load_folder, save_folder
from embedder.towers.projection import is_trainable
from embedder.towers.sources import load_model
from tests.conftest import draw_product
from tests.embedder.towers.test_projection import TEXT, write_folder

SIDES = {"mobilenetv3_small_050": 32, "test_resnet": 32, "test_vit": None}
"""A CNN whose head is wider than its last map, a ResNet, a ViT: the last takes its own size only."""


def pixels(encoder: DualEncoder) -> torch.Tensor:
    return torch.rand(8, 3, *encoder.preprocessing.size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def embedded(encoder: DualEncoder) -> torch.Tensor:
    with torch.no_grad():
        return encoder.model.encode_image(pixels(encoder))


@pytest.mark.parametrize("tower", SIDES)
def test_a_tower_loads_in_open_clip_alone(tower: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = load_model(model_name(tower), SIDES[tower])
    assert encoder.base == f"timm:{tower}"
    assert (encoder.dim, encoder.takes_any_size) == (384, SIDES[tower] is not None)
    assert is_trainable(encoder, "image")
    assert is_trainable(encoder, "text")
    save_folder(encoder, tmp_path)
    # Without a hub the text tower's configuration is found from within the folder.
    monkeypatch.chdir(tmp_path)
    alone = open_clip.create_model(f"local-dir:{tmp_path}", require_pretrained=True).eval()
    texts = encoder.tokenizer(["red ball", "blue box"])
    with torch.no_grad():
        assert torch.allclose(alone.encode_image(pixels(encoder)), embedded(encoder), atol=1e-5)
        assert torch.allclose(alone.encode_text(texts), encoder.model.encode_text(texts), atol=1e-5)
    assert load_folder(tmp_path).takes_any_size == encoder.takes_any_size


@pytest.mark.parametrize("tower", SIDES)
def test_a_tower_is_exported(tower: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a small text tower: exporting the starter's takes ten times as long, and has tests of its own."""
    # What torch logs of an export, and pytest keeps, takes longer than the export.
    monkeypatch.setattr(logging.root.manager, "disable", logging.INFO)
    encoder = load_model(model_name(tower), SIDES[tower])
    config = {**encoder.model_config, "text_cfg": TEXT, "custom_text": True}
    config["vision_cfg"] = {**config["vision_cfg"], "image_size": encoder.preprocessing.size[0]}
    beside = load_model(str(write_folder(tmp_path / "model", config)))
    beside.model.visual.load_state_dict(encoder.model.visual.state_dict())
    expected = functional.normalize(embedded(encoder), dim=1).numpy()
    write_bundle(beside, tmp_path / "bundle")
    opened = open_encoder(tmp_path / "bundle", "onnx", device="cpu")
    assert np.allclose(opened.run_pixels(pixels(encoder).numpy()).embeddings, expected, atol=1e-3)
    assert len(opened.info.level_widths) > 1
    vectors = opened.encode_images([draw_product("ellipse", "red", 1), draw_product("tall", "blue", 2)])
    assert np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_its_words_are_the_starters(starter_bundle: Path) -> None:
    encoder, texts = load_model("timm:test_resnet", 32), ["red ball", "a dress"]
    with torch.no_grad():
        found = encoder.model.encode_text(encoder.tokenizer(texts), normalize=True).numpy()
    assert (open_encoder(starter_bundle, device="cpu").encode_texts(texts) * found).sum(axis=1).min() > 0.9999


def test_random_weights_are_the_same_each_time_and_leave_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = load_model("timm:test_resnet", 32)
    assert torch.equal(torch.rand(3), expected)
    again = load_model("timm:test_resnet", 32)
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name


def test_random_towers_see_differences_between_pictures() -> None:
    """With the statistics that timm begins with, this one's features differ fifty times less."""
    encoder = load_model("timm:tf_efficientnet_lite0", 32)
    assert float(embedded(encoder).std(dim=0).mean()) > 0.3
    for module in encoder.model.visual.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
    assert float(embedded(encoder).std(dim=0).mean()) < 0.05


def test_weights_of_timms_are_taken_and_aligned_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's part is played by other random weights."""
    tower = "mobilenetv3_small_050"
    create, made = timm.create_model, []

    def with_weights(name: str, pretrained: bool = False, **options: Any) -> Any:
        if not pretrained:
            return create(name, **options)
        made.append(create(name).eval())
        return made[-1]

    monkeypatch.setattr(assembled.timm, "create_model", with_weights)
    encoder = load_model(model_name(tower, pretrained=True), 32)
    (source,) = made
    mean = encoder.preprocessing.mean
    assert mean == pytest.approx(source.pretrained_cfg["mean"])
    inputs = pixels(encoder)
    with torch.no_grad():
        features = source.forward_head(source.forward_features(inputs), pre_logits=True)
        projected = assembled._projection(encoder)
        assert torch.allclose(projected(features), encoder.model.encode_image(inputs), atol=1e-4)
        assert not projected.bias.any()
        # Each class's row of the classifier lies near its name.
        names = list(open_clip.IMAGENET_CLASSNAMES)[:50]
        texts = encoder.model.encode_text(encoder.tokenizer(names)[:, :24], normalize=True)
        own = functional.cosine_similarity(projected(source.get_classifier().weight[:50]), texts)
        other = functional.cosine_similarity(projected(source.get_classifier().weight[:50]), texts.roll(1, dims=0))
    assert float((own - other).mean()) > 0.1


def test_weights_that_cannot_be_had_are_refused_in_the_hubs_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(name: str, pretrained: bool = False) -> Any:
        raise OSError("cannot reach the hub\nand more")

    monkeypatch.setattr(assembled.timm, "create_model", unreachable)
    with pytest.raises(
        ModelError,
        match=r"'timm:test_resnet/pretrained' cannot be loaded: cannot reach the hub; next step: load it once",
    ):
        load_model("timm:test_resnet/pretrained")


def test_a_size_that_a_tower_does_not_take() -> None:
    assert takes_any_size("test_resnet")
    assert not takes_any_size("test_vit")
    with pytest.raises(ModelError, match="'timm:test_vit' takes pictures of 160 px only"):
        load_model("timm:test_vit", 32)


@pytest.mark.parametrize(
    ("tower", "message"),
    [
        ("resnt18", "tower 'resnt18' is not known; the nearest known name is resnet18; permitted: resnet18, .* and all"),
        ("startr", "tower 'startr' is not known; the nearest known name is starter; "),
        ("????", "tower '\\?\\?\\?\\?' is not known; permitted: starter, starter-lite1, and all other"),
        ("hf-hub:timm/resnet18", "tower 'hf-hub:timm/resnet18' is not known"),
        ("resnet18.foo", "tower 'resnet18.foo': Invalid pretrained tag .* Permitted: a1_in1k, "),
    ],
)  # fmt: skip
def test_an_unknown_tower_is_named_with_the_nearest(tower: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        check_tower(tower, ("starter", "starter-lite1"))


def test_towers_with_a_tag_and_without_weights_are_known() -> None:
    for tower in ("resnet18.a1_in1k", "resnet18", "vit_tiny_patch16_224", "lcnet_050", "lcnet_035"):
        check_tower(tower)
