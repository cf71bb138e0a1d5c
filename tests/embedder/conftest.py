"""Encoded pictures, and a tiny CLIP of open_clip's own kind with random weights, in a folder as its users have them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.made_once import made_once

TINY_CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 8},
        "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {
        "size": [32, 32],
        "mode": "RGB",
        "mean": [0.48145466, 0.4578275, 0.40821073],
        "std": [0.26862954, 0.26130258, 0.27577711],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
        "fill_color": 0,
    },
}


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """One file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An open_clip `local-dir` folder: a ViT and a byte-pair text tower, as small as they come."""
    return made_once(tmp_path_factory, "tiny-clip", _write_tiny_clip)


def _write_tiny_clip(folder: Path) -> None:
    import open_clip
    import torch
    from safetensors.torch import save_file

    (folder / "open_clip_config.json").write_text(json.dumps(TINY_CONFIG), encoding="utf-8")
    torch.manual_seed(0)
    model = open_clip.model.CLIP(**TINY_CONFIG["model_cfg"])
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )


@pytest.fixture(scope="session")
def tiny_bundle(tiny_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny CLIP, exported."""

    def export(folder: Path) -> None:
        from embedder.export.onnx import write_bundle
        from embedder.towers.sources import load_model

        write_bundle(load_model(str(tiny_clip)), folder / "tiny")

    return made_once(tmp_path_factory, "tiny-bundle", export) / "tiny"
