"""Writing a model as a bundle: open_clip's files, the ONNX graphs, the seal."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from embedder import bundle
from embedder.errors import ModelError
from embedder.recognition.head import CategoryHead, save_head
from embedder.runtimes.onnx import OnnxRuntime
from embedder.towers.dual_encoder import DualEncoder, save_folder
from embedder.towers.projection import Projection, Trunk, split

_log = logging.getLogger(__name__)

AGREEMENT = 0.9999
"""Least cosine between what ONNX Runtime and torch make of the same input; below it no bundle is written."""


def write_bundle(
    encoder: DualEncoder,
    target: Path,
    *,
    head: CategoryHead | None = None,
    training: Mapping[str, Any] | None = None,
    data_hash: str = "",
    metrics: Mapping[str, float] | None = None,
    report: Mapping[str, str] | None = None,
) -> bundle.BundleInfo:
    """Write a model as a bundle; an existing bundle at `target` is replaced only when the new one is whole.

    The encoder's model is taken apart on the way: do not use it afterwards.

    Args:
        encoder: the model.
        target: the bundle's folder.
        head: category head, where one was trained.
        training, data_hash, metrics: see `BundleInfo`.
        report: file name to text, written into `report/`.

    Raises:
        ModelError: the ONNX graphs do not compute what torch computes.
    """
    with bundle.replace_folder(target) as folder:
        save_folder(encoder, folder)
        if head is not None:
            save_head(folder, head)
        for name, text in (report or {}).items():
            (folder / bundle.REPORT_FOLDER).mkdir(exist_ok=True)
            (folder / bundle.REPORT_FOLDER / name).write_text(text, encoding="utf-8")
        (folder / "onnx").mkdir()
        _export_towers(encoder, folder)
        return bundle.seal(
            folder,
            base=encoder.base,
            dim=encoder.dim,
            preprocessing=encoder.preprocessing,
            text=encoder.text,
            training=dict(training or {}),
            data_hash=data_hash,
            metrics=dict(metrics or {}),
        )


class _Graph(nn.Module):
    """What is exported: unit embeddings, and the features that short fine-tuning starts from."""

    def __init__(self, trunk: Trunk, projection: Projection) -> None:
        super().__init__()
        self.trunk = trunk
        self.projection = nn.Linear(projection.weight.shape[1], projection.weight.shape[0], projection.bias is not None)
        self.projection.weight.data = projection.weight
        if projection.bias is not None:
            self.projection.bias.data = projection.bias

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.trunk(inputs)
        return nn.functional.normalize(self.projection(features), dim=-1), features


def _export_towers(encoder: DualEncoder, folder: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    height, width = encoder.preprocessing.size
    pixels = torch.randn(3, 3, height, width, generator=generator)
    tokens = _probe_tokens(encoder)
    rows = torch.export.Dim("n")
    image = _Graph(*split(encoder, "image")).eval()
    text = _Graph(*split(encoder, "text")).eval()
    token_axes = (
        {0: rows, 1: torch.export.Dim("t", max=encoder.text.context_length)}
        if encoder.text.dynamic_length
        else {0: rows}
    )
    _export(image, pixels, folder / bundle.IMAGE_ONNX, "pixels", {0: rows})
    _export(text, tokens, folder / bundle.TEXT_ONNX, "tokens", token_axes)
    runtime = OnnxRuntime(folder)
    with torch.no_grad():
        _check("image", image(pixels)[0].numpy(), runtime.embed_pixels(pixels.numpy()).embeddings)
        _check("text", text(tokens)[0].numpy(), runtime.embed_tokens(tokens.numpy()).embeddings)


def _probe_tokens(encoder: DualEncoder) -> torch.Tensor:
    texts = ["red ankle boot", "a bag", "a photo of a blue dress with long sleeves"]
    tokens: torch.Tensor = encoder.tokenizer(texts)
    if not encoder.text.dynamic_length:
        return tokens
    used = int((tokens != encoder.text.pad_id).sum(dim=1).max())
    return tokens[:, :used]


def _export(graph: nn.Module, example: torch.Tensor, path: Path, name: str, axes: Mapping[int, Any]) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            (example,),
            dynamo=True,
            dynamic_shapes=(dict(axes),),
            input_names=[name],
            output_names=["embeddings", "features"],
            opset_version=20,
            verbose=False,
        )
    assert program is not None
    program.save(str(path))


def _check(tower: str, expected: npt.NDArray[np.float32], actual: npt.NDArray[np.float32]) -> None:
    cosine = float((expected * actual).sum(axis=1).min())
    _log.info("%s tower: ONNX Runtime and torch agree to cosine %.6f", tower, cosine)
    if not cosine >= AGREEMENT:
        raise ModelError(
            f"the exported {tower} tower gives embeddings of cosine {cosine:.6f} to torch's; permitted: {AGREEMENT} or "
            "more; next step: report it with the model's name"
        )
