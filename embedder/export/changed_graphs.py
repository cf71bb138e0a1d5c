"""Graphs of a model of which training changed the ends only: the base's graphs with other ends.

Exporting a tower takes a minute of processor time on a slow core, and gives the same nodes every time: what short
training changes is the last linear map of each tower, and the instance part behind the levels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.helper
import onnx.numpy_helper
import onnx.utils

from embedder.instance_map import LEAST_LENGTH, InstanceMap, level_indicator
from embedder.towers.projection import Projection

_WEIGHT, _BIAS = "projection.weight", "projection.bias"
_TOWER_OUTPUTS = ("embeddings", "features", "levels")


def change_projection(graph: onnx.ModelProto, projection: Projection) -> bool:
    """Put another last linear map into a tower's graph, in place.

    Returns:
        Whether the graph has one in the expected place; if not, nothing was changed.
    """
    nodes = [node for node in graph.graph.node if _WEIGHT in node.input]
    held = {tensor.name: tensor for tensor in graph.graph.initializer}
    if len(nodes) != 1 or nodes[0].op_type != "Gemm" or nodes[0].input[1] != _WEIGHT or _WEIGHT not in held:
        return False
    weight = projection.weight.detach().numpy()
    if tuple(held[_WEIGHT].dims) != weight.shape:
        return False
    held[_WEIGHT].CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(weight), _WEIGHT))
    # An export leaves a bias of zeros out.
    bias = np.zeros(len(weight), dtype=np.float32) if projection.bias is None else projection.bias.detach().numpy()
    tensor = onnx.numpy_helper.from_array(np.ascontiguousarray(bias), _BIAS)
    if _BIAS in held:
        held[_BIAS].CopyFrom(tensor)
    else:
        graph.graph.initializer.append(tensor)
    del nodes[0].input[2:]
    nodes[0].input.append(_BIAS)
    return True


def has_levels(graph: onnx.ModelProto) -> bool:
    """Whether an image tower's graph gives what an instance part starts from; those of format 1 do not."""
    return [output.name for output in graph.graph.output][: len(_TOWER_OUTPUTS)] == list(_TOWER_OUTPUTS)


def with_instance(graph: onnx.ModelProto, instance: InstanceMap | None) -> onnx.ModelProto:
    """An image tower's graph, which has levels, with another instance part behind them, or with none."""
    names = [output.name for output in graph.graph.output]
    if names != list(_TOWER_OUTPUTS):
        inputs = [found.name for found in graph.graph.input]
        graph = onnx.utils.Extractor(graph).extract_model(inputs, list(_TOWER_OUTPUTS))
    if instance is None:
        return graph
    graph.graph.node.extend(_instance_nodes())
    graph.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.ascontiguousarray(values), f"instance/{name}")
        for name, values in _instance_tensors(instance).items()
    )
    graph.graph.output.append(
        onnx.helper.make_tensor_value_info("instance", onnx.TensorProto.FLOAT, ["n", instance.dim])
    )
    return graph


def _instance_tensors(instance: InstanceMap) -> dict[str, npt.NDArray[Any]]:
    belongs = level_indicator(instance.widths)
    return {
        "center": instance.center,
        "weight": instance.weight,
        "offset": instance.offset,
        "belongs": belongs,
        "spread": belongs.T,
        "least": np.asarray(LEAST_LENGTH**2, dtype=np.float32),
        "inverse_root": np.asarray(-0.5, dtype=np.float32),
    }


def _instance_nodes() -> list[onnx.NodeProto]:
    """The nodes of `InstanceLayer`: from "levels" to "instance"; the export compares what they give with torch."""
    return [
        _node("Sub", ["/levels", "center"], ["centered"]),
        _node("Mul", ["centered", "centered"], ["squared"]),
        _node("MatMul", ["squared", "belongs"], ["squared_lengths"]),
        _node("Max", ["squared_lengths", "least"], ["divisors"]),
        _node("Pow", ["divisors", "inverse_root"], ["factors"]),
        _node("MatMul", ["factors", "spread"], ["spread_factors"]),
        _node("Mul", ["centered", "spread_factors"], ["standardized"]),
        _node("Gemm", ["standardized", "weight", "offset"], ["mapped"], transB=1),
        _node("LpNormalization", ["mapped"], ["/instance"], axis=1, p=2),
    ]


def _node(kind: str, inputs: list[str], outputs: list[str], **attributes: int) -> onnx.NodeProto:
    """A node of the instance part; a name that begins with "/" is the graph's own."""
    scoped = [
        [name[1:] if name.startswith("/") else f"instance/{name}" for name in names] for names in (inputs, outputs)
    ]
    return onnx.helper.make_node(kind, *scoped, **attributes)


def load_graph(path: Path) -> onnx.ModelProto:
    """Read a graph with its weights."""
    return onnx.load(str(path))
