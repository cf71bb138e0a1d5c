"""ONNX Runtime on the CPU: what serves and indexes without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from embedder.errors import BundleCorrupt
from embedder.precision import Precision, Tower, graph_file
from embedder.runtimes.protocol import Embedded


class OnnxRuntime:
    """Runs a bundle's two graphs."""

    def __init__(
        self,
        folder: Path,
        threads: int = 0,
        text_threads: int | None = None,
        precisions: Mapping[Tower, Precision] | None = None,
    ) -> None:
        """Load the graphs of a bundle.

        Args:
            folder: the bundle.
            threads: for one call; 0 is one for each core.
            text_threads: for one call of the text tower; None: as many as `threads`.
            precisions: of each tower's graph; None: fp32.

        Raises:
            BundleCorrupt: graphs that ONNX Runtime cannot load.
        """
        taken = precisions or {}
        self._image = _session(folder / graph_file("image", taken.get("image", "fp32")), threads)
        # One run gives both parts; a bundle of format 1 has the semantic one only.
        self._outputs = [output.name for output in self._image.get_outputs()]
        text = folder / graph_file("text", taken.get("text", "fp32"))
        self._text = _session(text, threads if text_threads is None else text_threads)

    def embed_pixels(self, pixels: npt.NDArray[np.float32]) -> Embedded:
        """See `Runtime`."""
        found = dict(zip(self._outputs, self._image.run(self._outputs, {"pixels": pixels}), strict=True))
        return Embedded(found["embeddings"], found["features"], found.get("levels"), found.get("instance"))

    def embed_tokens(self, tokens: npt.NDArray[np.int64]) -> Embedded:
        """See `Runtime`."""
        return Embedded(*self._text.run(["embeddings", "features"], {"tokens": tokens}))


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Workers that spin between two operators of a call save a third of a short text's time; those that go on spinning
    # after it would take whole cores from everybody else.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # onnxruntime's exceptions have no common root but Exception.
    except Exception as error:
        raise BundleCorrupt(
            f"graph {path} cannot be loaded ({str(error).splitlines()[0][:200]}); next step: make the bundle again"
        ) from error


# The quantizer is imported where it is used: serving needs none, and it needs `onnx`.


def to_fp16(graph: Any, left_out: Sequence[str]) -> Any:
    """An `onnx` graph in fp16 with inputs and outputs as they are, and operations of the types `left_out` in fp32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(graph, keep_io_types=True, op_block_list=list(left_out))


def quantize_weights(source: Path, target: Path) -> None:
    """Write a graph with weights in int8, a scale for each channel, whose activations are quantized as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)


def prepare_graph(source: Path, target: Path) -> None:
    """Write a graph as the quantizer wants it: optimized, with the shapes in it."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(str(source), str(target), skip_symbolic_shape=True)


def quantize_convolutions(
    source: Path, target: Path, pixels: Sequence[npt.NDArray[np.float32]], left_out: Sequence[str]
) -> None:
    """Write a prepared graph of pictures with convolutions in int8, by the ranges that some pictures show.

    Args:
        source, target: the graphs' files.
        pixels: preprocessed pictures, float32 (3, height, width) each, 1 or more.
        left_out: names of nodes that stay in fp32.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    quantize_static(
        source,
        target,
        _CalibrationPictures(iter(pixels)),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=list(left_out),
    )


class _CalibrationPictures:
    """A `CalibrationDataReader`, which is whatever has this method."""

    def __init__(self, rows: Iterator[npt.NDArray[np.float32]]) -> None:
        self._rows = rows

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        row = next(self._rows, None)
        return None if row is None else {"pixels": row[None]}
