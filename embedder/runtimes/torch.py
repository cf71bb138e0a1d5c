"""torch: for GPUs, and for models that are not a bundle yet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from embedder.errors import ModelError
from embedder.instance_map import InstanceMap
from embedder.runtimes.protocol import Embedded
from embedder.towers.dual_encoder import DualEncoder
from embedder.towers.levels import LeveledTrunk
from embedder.towers.projection import Projection, split


class TorchRuntime:
    """Runs an open_clip model; takes it apart, so the encoder passed in is this runtime's from then on."""

    def __init__(self, encoder: DualEncoder, device: str = "auto", instance: InstanceMap | None = None) -> None:
        """Move the model to a device.

        Args:
            encoder: the model.
            instance: its instance map, where it has one.
            device: "auto" (CUDA where there is one), "cpu", "cuda", "cuda:1", ...

        Raises:
            ModelError: there is no such device.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        trunk, image = split(encoder, "image")
        # Before it is moved: it looks at its levels on the CPU.
        self._image_trunk = LeveledTrunk(trunk, encoder)
        self._text_trunk, text = split(encoder, "text")
        try:
            self._device = torch.device(device)
            encoder.model.to(self._device)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(f"device {device!r} cannot be used: {error}; permitted: auto, cpu, cuda[:N]") from error
        self._cuda = self._device.type == "cuda"
        if self._cuda:
            encoder.model.visual.to(memory_format=torch.channels_last)
        self._instance = None if instance is None else self._image_trunk.instance_layer(instance).to(self._device)
        self._image, self._text = self._on_device(image), self._on_device(text)

    @torch.inference_mode()
    def embed_pixels(self, pixels: npt.NDArray[np.float32]) -> Embedded:
        """See `Runtime`."""
        inputs = torch.from_numpy(pixels).to(self._device)
        if self._cuda:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cuda", torch.float16, enabled=self._cuda):
            features, levels = self._image_trunk(inputs)
        levels = levels.float()
        instance = None if self._instance is None else self._instance(levels).cpu().numpy()
        return Embedded(*_embedded(features, self._image), levels.cpu().numpy(), instance)

    @torch.inference_mode()
    def embed_tokens(self, tokens: npt.NDArray[np.int64]) -> Embedded:
        """See `Runtime`."""
        with torch.autocast("cuda", torch.float16, enabled=self._cuda):
            features = self._text_trunk(torch.from_numpy(tokens).to(self._device))
        return Embedded(*_embedded(features, self._text))

    def _on_device(self, projection: Projection) -> Projection:
        bias = projection.bias
        return Projection(projection.weight.to(self._device), None if bias is None else bias.to(self._device))


def _embedded(
    features: torch.Tensor, projection: Projection
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    features = features.float()
    embeddings = torch.nn.functional.normalize(projection(features), dim=-1)
    return embeddings.cpu().numpy(), features.cpu().numpy()
