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
from embedder.export.changed_graphs import change_projection, has_levels, load_graph, with_instance
from embedder.index_space import IndexSpace
from embedder.instance_map import InstanceMap, save_instance
from embedder.recognition.attribute_file import save_attributes
from embedder.recognition.attribute_model import Attributes
from embedder.recognition.head import CategoryHead, save_head
from embedder.runtimes.onnx import OnnxRuntime
from embedder.seen_products import SeenProducts, save_seen
from embedder.towers.dual_encoder import DualEncoder, save_folder
from embedder.towers.levels import LeveledTrunk
from embedder.towers.projection import Projection, Trunk, has_projection, split

_log = logging.getLogger(__name__)

AGREEMENT = 0.9999
"""Least cosine between what ONNX Runtime and torch make of the same input; below it no bundle is written."""


def write_bundle(
    encoder: DualEncoder,
    target: Path,
    *,
    head: CategoryHead | None = None,
    instance: InstanceMap | None = None,
    space: IndexSpace | None = None,
    base: Path | None = None,
    training: Mapping[str, Any] | None = None,
    data_hash: str = "",
    metrics: Mapping[str, float] | None = None,
    report: Mapping[str, str | bytes] | None = None,
    seen: SeenProducts | None = None,
    attributes: Attributes | None = None,
) -> bundle.BundleInfo:
    """Write a model as a bundle; an existing bundle at `target` is replaced only when the new one is whole.

    The encoder's model is taken apart on the way: do not use it afterwards.

    Args:
        encoder: the model.
        target: the bundle's folder.
        head: category head, where one was trained.
        instance: its instance map, where one was fitted.
        space: how index vectors are made of both parts; given where `instance` is.
        base: the bundle that the encoder was made from, where nothing but the projections has changed since: its graphs
            are taken, with other ends, in place of an export. None: both towers are exported.
        training, data_hash, metrics: see `BundleInfo`.
        report: file name to text or bytes, written into `report/`.
        seen: which products it was trained on, where it was.
        attributes: how attributes are judged, where any are.

    Raises:
        ModelError: the ONNX graphs do not compute what torch computes.
    """
    with bundle.replace_folder(target) as folder:
        save_folder(encoder, folder)
        if head is not None:
            save_head(folder, head)
        if instance is not None and space is not None:
            save_instance(folder, instance, space.kept)
        if seen is not None:
            save_seen(folder, seen)
        if attributes is not None:
            save_attributes(folder, attributes)
        for name, content in (report or {}).items():
            (folder / bundle.REPORT_FOLDER).mkdir(exist_ok=True)
            written = content.encode() if isinstance(content, str) else content
            (folder / bundle.REPORT_FOLDER / name).write_bytes(written)
        (folder / "onnx").mkdir()
        widths = _write_graphs(encoder, folder, instance, base)
        return bundle.seal(
            folder,
            base=encoder.base,
            dim=encoder.dim if space is None else space.dim,
            semantic_dim=encoder.dim,
            level_widths=widths,
            instance_weight=0.0 if space is None else space.instance_weight,
            preprocessing=encoder.preprocessing,
            text=encoder.text,
            training=dict(training or {}),
            data_hash=data_hash,
            metrics=dict(metrics or {}),
        )


def _linear(projection: Projection) -> nn.Linear:
    layer = nn.Linear(projection.weight.shape[1], projection.weight.shape[0], projection.bias is not None)
    layer.weight.data = projection.weight
    if projection.bias is not None:
        layer.bias.data = projection.bias
    return layer


class _TextGraph(nn.Module):
    """What is exported of texts: unit embeddings, and the features that short fine-tuning starts from."""

    def __init__(self, trunk: Trunk, projection: Projection) -> None:
        super().__init__()
        self.trunk = trunk
        self.projection = _linear(projection)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        features = self.trunk(inputs)
        return nn.functional.normalize(self.projection(features), dim=-1), features


class _ImageGraph(nn.Module):
    """What is exported of pictures: the same, the levels, and where there is a map the instance part."""

    def __init__(self, trunk: LeveledTrunk, projection: Projection, instance: InstanceMap | None) -> None:
        super().__init__()
        self.trunk = trunk
        self.projection = _linear(projection)
        self.instance = None if instance is None else trunk.instance_layer(instance)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        features, levels = self.trunk(inputs)
        embeddings = nn.functional.normalize(self.projection(features), dim=-1)
        if self.instance is None:
            return embeddings, features, levels
        return embeddings, features, levels, self.instance(levels)


def _write_graphs(
    encoder: DualEncoder, folder: Path, instance: InstanceMap | None, base: Path | None
) -> tuple[int, ...]:
    """Write both graphs and compare them with torch; returns the widths of the image tower's levels."""
    separate = has_projection(encoder, "image") and has_projection(encoder, "text")
    generator = torch.Generator().manual_seed(0)
    height, width = encoder.preprocessing.size
    pixels = torch.randn(3, 3, height, width, generator=generator)
    tokens = _probe_tokens(encoder)
    trunk, projection = split(encoder, "image")
    leveled = LeveledTrunk(trunk, encoder)
    image = _ImageGraph(leveled, projection, instance).eval()
    text_trunk, text_projection = split(encoder, "text")
    text = _TextGraph(text_trunk, text_projection).eval()
    if base is None or not separate or not _change_ends(base, folder, leveled, projection, text_projection, instance):
        _export_towers(encoder, folder, image, text, pixels, tokens)
    runtime = OnnxRuntime(folder)
    with torch.no_grad():
        expected, found = image(pixels), runtime.embed_pixels(pixels.numpy())
        _check("image", expected[0].numpy(), found.embeddings)
        assert found.levels is not None
        _check("image (levels)", _unit(expected[2].numpy()), _unit(found.levels))
        if instance is not None:
            assert found.instance is not None
            _check("image", expected[3].numpy(), found.instance)
        _check("text", text(tokens)[0].numpy(), runtime.embed_tokens(tokens.numpy()).embeddings)
    return leveled.widths


def _change_ends(
    base: Path, folder: Path, trunk: LeveledTrunk, image: Projection, text: Projection, instance: InstanceMap | None
) -> bool:
    """Write the base's graphs with other ends; False where they are not as expected."""
    graphs = {name: load_graph(base / name) for name in (bundle.IMAGE_ONNX, bundle.TEXT_ONNX)}
    pictures, texts = graphs[bundle.IMAGE_ONNX], graphs[bundle.TEXT_ONNX]
    # Another release's graph may give other levels of the same tower.
    expected_levels = has_levels(pictures) and bundle.load_info(base).level_widths == trunk.widths
    if not (expected_levels and change_projection(pictures, image) and change_projection(texts, text)):
        _log.info("the graphs of %s do not end as expected; both towers are exported anew", base)
        return False
    graphs[bundle.IMAGE_ONNX] = with_instance(pictures, instance)
    for name, graph in graphs.items():
        (folder / name).write_bytes(graph.SerializeToString())
    return True


def _export_towers(
    encoder: DualEncoder,
    folder: Path,
    image: _ImageGraph,
    text: _TextGraph,
    pixels: torch.Tensor,
    tokens: torch.Tensor,
) -> None:
    rows = torch.export.Dim("n")
    token_axes = (
        {0: rows, 1: torch.export.Dim("t", max=encoder.text.context_length)}
        if encoder.text.dynamic_length
        else {0: rows}
    )
    outputs = ["embeddings", "features", "levels", "instance"]
    count = 3 if image.instance is None else 4
    _export(image, pixels, folder / bundle.IMAGE_ONNX, "pixels", outputs[:count], {0: rows})
    _export(text, tokens, folder / bundle.TEXT_ONNX, "tokens", outputs[:2], token_axes)


def _probe_tokens(encoder: DualEncoder) -> torch.Tensor:
    texts = ["red ankle boot", "a bag", "a photo of a blue dress with long sleeves"]
    tokens: torch.Tensor = encoder.tokenizer(texts)
    if not encoder.text.dynamic_length:
        return tokens
    used = int((tokens != encoder.text.pad_id).sum(dim=1).max())
    return tokens[:, :used]


def _export(
    graph: nn.Module, example: torch.Tensor, path: Path, name: str, outputs: list[str], axes: Mapping[int, Any]
) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph,
            (example,),
            dynamo=True,
            dynamic_shapes=(dict(axes),),
            input_names=[name],
            output_names=outputs,
            opset_version=20,
            verbose=False,
        )
    assert program is not None
    program.save(str(path))


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def _check(tower: str, expected: npt.NDArray[np.float32], actual: npt.NDArray[np.float32]) -> None:
    cosine = float((expected * actual).sum(axis=1).min())
    _log.info("%s tower: ONNX Runtime and torch agree to cosine %.6f", tower, cosine)
    if not cosine >= AGREEMENT:
        raise ModelError(
            f"the exported {tower} tower gives embeddings of cosine {cosine:.6f} to torch's; permitted: {AGREEMENT} or "
            "more; next step: report it with the model's name"
        )
