"""ONNX Runtime on the CPU: what serves and indexes without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from embedder import bundle
from embedder.errors import BundleCorrupt
from embedder.runtimes.protocol import Embedded


class OnnxRuntime:
    """Runs a bundle's two graphs."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        """Load the graphs of a bundle.

        Args:
            folder: the bundle.
            threads: for one call; 0 is one for each core.

        Raises:
            BundleCorrupt: graphs that ONNX Runtime cannot load.
        """
        self._image = _session(folder / bundle.IMAGE_ONNX, threads)
        self._text = _session(folder / bundle.TEXT_ONNX, threads)

    def embed_pixels(self, pixels: npt.NDArray[np.float32]) -> Embedded:
        """See `Runtime`."""
        return Embedded(*self._image.run(["embeddings", "features"], {"pixels": pixels}))

    def embed_tokens(self, tokens: npt.NDArray[np.int64]) -> Embedded:
        """See `Runtime`."""
        return Embedded(*self._text.run(["embeddings", "features"], {"tokens": tokens}))


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Spinning workers win microseconds on an idle machine and take whole cores from everybody else on a busy one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # onnxruntime's exceptions have no common root but Exception.
    except Exception as error:
        raise BundleCorrupt(
            f"graph {path} cannot be loaded ({str(error).splitlines()[0][:200]}); next step: make the bundle again"
        ) from error
