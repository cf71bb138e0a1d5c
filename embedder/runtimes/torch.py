"""torch: for GPUs, and for models that are not a bundle yet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from embedder.errors import ModelError
from embedder.runtimes.protocol import Embedded
from embedder.towers.dual_encoder import DualEncoder
from embedder.towers.projection import Projection, Trunk, split


class TorchRuntime:
    """Runs an open_clip model; takes it apart, so the encoder passed in is this runtime's from then on."""

    def __init__(self, encoder: DualEncoder, device: str = "auto") -> None:
        """Move the model to a device.

        Args:
            encoder: the model.
            device: "auto" (CUDA where there is one), "cpu", "cuda", "cuda:1", ...

        Raises:
            ModelError: there is no such device.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            self._device = torch.device(device)
            encoder.model.to(self._device)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(f"device {device!r} cannot be used: {error}; permitted: auto, cpu, cuda[:N]") from error
        self._cuda = self._device.type == "cuda"
        if self._cuda:
            encoder.model.visual.to(memory_format=torch.channels_last)
        self._image = self._on_device(*split(encoder, "image"))
        self._text = self._on_device(*split(encoder, "text"))

    def embed_pixels(self, pixels: npt.NDArray[np.float32]) -> Embedded:
        """See `Runtime`."""
        inputs = torch.from_numpy(pixels).to(self._device)
        if self._cuda:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return self._run(self._image, inputs)

    def embed_tokens(self, tokens: npt.NDArray[np.int64]) -> Embedded:
        """See `Runtime`."""
        return self._run(self._text, torch.from_numpy(tokens).to(self._device))

    def _on_device(self, trunk: Trunk, projection: Projection) -> tuple[Trunk, Projection]:
        bias = projection.bias
        moved = Projection(projection.weight.to(self._device), None if bias is None else bias.to(self._device))
        return trunk, moved

    @torch.inference_mode()
    def _run(self, tower: tuple[Trunk, Projection], inputs: torch.Tensor) -> Embedded:
        trunk, projection = tower
        with torch.autocast("cuda", torch.float16, enabled=self._cuda):
            features = trunk(inputs)
        features = features.float()
        embeddings = torch.nn.functional.normalize(projection(features), dim=-1)
        return Embedded(embeddings.cpu().numpy(), features.cpu().numpy())
