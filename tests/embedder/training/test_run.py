"""From a catalog and a base model to a bundle: models without a projection of their own, and those that take none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from torch.nn import functional

from embedder.encoder import open_encoder
from embedder.errors import ModelError
from embedder.settings import EmbedderSettings
from embedder.training.run import TrainRequest, train
from embedder.training.settings import FineTuneSettings
from tests.conftest import draw_product, write_drawn_catalog
from tests.embedder.towers.test_projection import SIGLIP, TEXT, write_folder


def request(model: Path, tmp_path: Path) -> tuple[TrainRequest, EmbedderSettings]:
    catalog = write_drawn_catalog(tmp_path / "shop", 40, side=32)
    settings = EmbedderSettings(cache_dir=tmp_path / "cache", device="cpu", train=FineTuneSettings(epochs=2))
    return TrainRequest(str(catalog), {}, str(model), tmp_path / "out", None, None, None), settings


def test_a_model_of_siglips_kind_is_trained_and_loads_in_open_clip_alone(tmp_path: Path) -> None:
    """Neither of its towers ends in a linear projection; both get one, and the figures are those of the bundle."""
    config = {"embed_dim": 96, "custom_text": True, "vision_cfg": SIGLIP, "text_cfg": {**TEXT, "proj_type": "none"}}
    asked, settings = request(write_folder(tmp_path / "siglip", config), tmp_path)
    info = train(asked, settings)
    encoder = open_encoder(asked.out, device="cpu")
    assert info.fingerprint != info.training["base_fingerprint"]
    alone = open_clip.create_model(f"local-dir:{asked.out}", require_pretrained=True).eval()
    pixels = encoder.preprocess([draw_product("ellipse", "red", 1), draw_product("rectangle", "blue", 2)])
    tokens = encoder.tokenize(["red ball", "blue box"])
    with torch.no_grad():
        images = functional.normalize(alone.encode_image(torch.from_numpy(pixels)), dim=1).numpy()
        texts = functional.normalize(alone.encode_text(torch.from_numpy(tokens.ids)), dim=1).numpy()
    assert np.allclose(images, encoder.embed_pixels(pixels), atol=1e-4)
    assert np.allclose(texts, encoder.embed_tokens(tokens), atol=1e-4)


def test_a_tower_that_takes_no_projection_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    pooled = {"image_size": 160, "timm_model_name": "test_efficientnet", "timm_pool": "abs_attn", "timm_proj": ""}
    config = {"embed_dim": 96, "custom_text": True, "vision_cfg": pooled, "text_cfg": TEXT}
    asked, settings = request(write_folder(tmp_path / "odd", config), tmp_path)
    with pytest.raises(
        ModelError, match=r"image tower of '.*odd.*' \(TimmModel\) does not end in a linear projection.*next step"
    ):
        train(asked, settings)
    assert not (tmp_path / "cache" / "features").exists()
    assert not asked.out.exists()
