"""A base's graphs with other ends compute what torch computes; graphs that end otherwise are not touched."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnx.helper
import pytest
import torch
from torch.nn import functional

from embedder import bundle
from embedder.encoder import open_encoder
from embedder.export import onnx as onnx_export
from embedder.export.changed_graphs import change_projection, has_levels, load_graph, with_instance
from embedder.export.onnx import write_bundle
from embedder.index_space import IndexSpace
from embedder.instance_map import InstanceMap
from embedder.runtimes.onnx import OnnxRuntime
from embedder.runtimes.protocol import Embedded
from embedder.towers.dual_encoder import load_folder
from embedder.towers.projection import Projection, join, split

PIXELS = np.random.default_rng(0).standard_normal((3, 3, 32, 32)).astype(np.float32)


def drawn_instance(widths: tuple[int, ...], dim: int = 6, seed: int = 0) -> InstanceMap:
    random = np.random.default_rng(seed)
    total = sum(widths)
    shapes = ((total,), (dim, total), (dim,))
    return InstanceMap(widths, *(random.standard_normal(shape).astype(np.float32) for shape in shapes))


def run(graph: onnx.ModelProto, base: Path, folder: Path) -> Embedded:
    """What ONNX Runtime makes of the pixels with this image tower's graph."""
    (folder / "onnx").mkdir(parents=True)
    (folder / bundle.IMAGE_ONNX).write_bytes(graph.SerializeToString())
    shutil.copy(base / bundle.TEXT_ONNX, folder / bundle.TEXT_ONNX)
    return OnnxRuntime(folder, 1).embed_pixels(PIXELS)


@pytest.fixture
def graph(tiny_bundle: Path) -> onnx.ModelProto:
    return load_graph(tiny_bundle / bundle.IMAGE_ONNX)


@pytest.fixture
def widths(tiny_bundle: Path) -> tuple[int, ...]:
    return bundle.load_info(tiny_bundle).level_widths


@torch.no_grad()
@pytest.mark.parametrize("with_bias", [False, True])
def test_another_projection_with_or_without_a_bias(
    graph: onnx.ModelProto, tiny_bundle: Path, tmp_path: Path, with_bias: bool
) -> None:
    """Also a second time, as when a trained bundle is trained again."""
    for seed in (0, 1):
        generator = torch.Generator().manual_seed(seed)
        weight = torch.randn(16, 64, generator=generator)
        projection = Projection(weight, torch.randn(16, generator=generator) if with_bias else None)
        assert change_projection(graph, projection)
        onnx.checker.check_model(graph)
        found = run(graph, tiny_bundle, tmp_path / str(seed))
        expected = functional.normalize(projection(torch.from_numpy(found.features)), dim=1).numpy()
        assert np.allclose(found.embeddings, expected, atol=1e-5)


@torch.no_grad()
def test_a_bias_that_is_there_no_more_is_gone(graph: onnx.ModelProto, tiny_bundle: Path, tmp_path: Path) -> None:
    weight = torch.randn(16, 64, generator=torch.Generator().manual_seed(0))
    assert change_projection(graph, Projection(weight, torch.full((16,), 9.0)))
    assert change_projection(graph, Projection(weight, None))
    found = run(graph, tiny_bundle, tmp_path / "g")
    expected = functional.normalize(torch.from_numpy(found.features) @ weight.t(), dim=1).numpy()
    assert np.allclose(found.embeddings, expected, atol=1e-5)


def test_an_instance_part_is_added_replaced_and_taken_away(
    graph: onnx.ModelProto, widths: tuple[int, ...], tiny_bundle: Path, tmp_path: Path
) -> None:
    before = run(graph, tiny_bundle, tmp_path / "before")
    assert before.levels is not None
    for name, instance in (
        ("added", drawn_instance(widths)),
        ("replaced", drawn_instance(widths, dim=9, seed=1)),
        ("taken away", None),
        ("added again", drawn_instance(widths)),
    ):
        graph = with_instance(graph, instance)
        onnx.checker.check_model(graph)
        found = run(graph, tiny_bundle, tmp_path / name)
        for part in ("embeddings", "features", "levels"):
            assert np.allclose(getattr(found, part), getattr(before, part), atol=1e-6)
        if instance is None:
            assert found.instance is None
        else:
            assert found.instance is not None
            assert np.allclose(found.instance, instance.apply(before.levels), atol=1e-5)
    names = [tensor.name for tensor in graph.graph.initializer]
    assert len(names) == len(set(names))


def test_a_single_level_has_an_instance_part_too(
    graph: onnx.ModelProto, widths: tuple[int, ...], tiny_bundle: Path, tmp_path: Path
) -> None:
    instance = drawn_instance((sum(widths),))
    found = run(with_instance(graph, instance), tiny_bundle, tmp_path / "g")
    assert found.levels is not None
    assert found.instance is not None
    assert np.allclose(found.instance, instance.apply(found.levels), atol=1e-5)


def renamed(graph: onnx.ModelProto) -> None:
    for node in graph.graph.node:
        node.input[:] = [name.replace("projection.weight", "other.weight") for name in node.input]
    for tensor in graph.graph.initializer:
        tensor.name = tensor.name.replace("projection.weight", "other.weight")


def used_twice(graph: onnx.ModelProto) -> None:
    graph.graph.node.append(onnx.helper.make_node("Identity", ["projection.weight"], ["again"]))


def other_operator(graph: onnx.ModelProto) -> None:
    next(node for node in graph.graph.node if "projection.weight" in node.input).op_type = "MatMul"


@pytest.mark.parametrize("change", [renamed, used_twice, other_operator])
def test_a_graph_that_ends_otherwise_is_refused_and_left_as_it_is(graph: onnx.ModelProto, change) -> None:
    change(graph)
    before = graph.SerializeToString(deterministic=True)
    assert not change_projection(graph, Projection(torch.zeros(16, 64), torch.zeros(16)))
    assert graph.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("shape", [(16, 32), (8, 64)])
def test_a_projection_of_another_shape_is_refused(graph: onnx.ModelProto, shape: tuple[int, int]) -> None:
    assert not change_projection(graph, Projection(torch.zeros(shape), None))


def without_levels(path: Path) -> None:
    """As a bundle of format 1 has it."""
    graph = onnx.load(str(path))
    del graph.graph.output[2:]
    assert not has_levels(graph)
    path.write_bytes(graph.SerializeToString())


def with_other_names(path: Path) -> None:
    graph = onnx.load(str(path))
    renamed(graph)
    path.write_bytes(graph.SerializeToString())


@torch.no_grad()
@pytest.mark.parametrize("change", [None, without_levels, with_other_names])
def test_a_bundle_is_the_same_by_either_way(
    change, tiny_bundle: Path, widths: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """From its base's graphs where these end as expected, else by an export."""
    base = tmp_path / "base"
    shutil.copytree(tiny_bundle, base)
    if change is not None:
        change(base / bundle.IMAGE_ONNX)
    encoder = load_folder(tiny_bundle)
    projection = split(load_folder(tiny_bundle), "image")[1]
    changed = Projection(
        projection.weight + 0.1 * torch.randn(16, 64, generator=torch.Generator().manual_seed(0)), None
    )
    join(encoder, "image", changed)
    exported = []
    export = onnx_export._export_towers
    monkeypatch.setattr(onnx_export, "_export_towers", lambda *given: (exported.append(1), export(*given)))
    instance = drawn_instance(widths)
    with caplog.at_level(logging.INFO):
        info = write_bundle(encoder, tmp_path / "out", instance=instance, space=IndexSpace(16, None, 6, 0.4), base=base)
    assert len(exported) == (0 if change is None else 1)
    assert ("do not end as expected" in caplog.text) == (change is not None)
    assert (info.dim, info.semantic_dim, info.level_widths, info.instance_weight) == (22, 16, widths, 0.4)
    for runtime in ("onnx", "torch"):
        found = open_encoder(tmp_path / "out", runtime, device="cpu").run_pixels(PIXELS)
        assert found.levels is not None
        assert found.instance is not None
        expected = functional.normalize(changed(torch.from_numpy(found.features)), dim=1).numpy()
        assert np.allclose(found.embeddings, expected, atol=1e-4)
        assert np.allclose(found.instance, instance.apply(found.levels), atol=1e-4)
