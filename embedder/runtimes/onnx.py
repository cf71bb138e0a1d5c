"""ONNX Runtime on the CPU: what serves and indexes without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
