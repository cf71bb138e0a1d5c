"""A tower's graph in another precision: the same inputs, outputs and names."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from embedder.runtimes.onnx import prepare_graph, quantize_convolutions, quantize_weights, to_fp16

_KEPT_IN_FP32 = [
    "Pow",
    "ReduceMean",
    "ReduceL2",
    "ReduceSum",
    "Sqrt",
    "Div",
    "Reciprocal",
    "LayerNormalization",
    "Softmax",
]
"""Operations whose sums and powers leave fp16's range, or its last digits."""


def write_fp16(source: Path, target: Path) -> None:
    """Weights and most operations in fp16; inputs and outputs stay as they are."""
    onnx.save(to_fp16(onnx.load(source), _KEPT_IN_FP32), target)


def write_int8_text(source: Path, target: Path) -> None:
    """Weights in int8, a scale for each channel; activations are quantized as they come."""
    with _quiet():
        quantize_weights(source, target)


def write_int8_image(source: Path, target: Path, pixels: Sequence[npt.NDArray[np.float32]]) -> None:
    """Convolutions in int8 by the ranges that calibration pictures show.

    The stem and the depthwise convolutions stay in fp32: they are a small share of the work, and their channels have
    ranges of their own, which one scale for all does not fit. Pooling, projection and instance map stay as well.

    Args:
        source, target: the graphs' files.
        pixels: preprocessed pictures, float32 (3, height, width) each, 1 or more.
    """
    with tempfile.TemporaryDirectory() as temporary, _quiet():
        prepared = Path(temporary) / "prepared.onnx"
        prepare_graph(source, prepared)
        convolutions = [node for node in onnx.load(prepared).graph.node if node.op_type == "Conv"]
        kept = [node.name for place, node in enumerate(convolutions) if place == 0 or _is_depthwise(node)]
        quantize_convolutions(prepared, target, pixels, kept)


def _is_depthwise(node: Any) -> bool:
    return any(attribute.name == "group" and attribute.i > 1 for attribute in node.attribute)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice that the quantizer gives as the root logger: it was followed, or does not apply."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
