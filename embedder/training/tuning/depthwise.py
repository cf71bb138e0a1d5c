"""Depthwise convolutions on maps smaller than their kernel, which the CPU's library is slow to learn.

oneDNN has a fast kernel for the gradient of the weights only where a map is at least as large as the kernel; otherwise
it falls back on a plain loop that takes five to twenty times as long (figures in RESULTS.md). The last layers of small
pictures are such: a map of 2 x 2 under a kernel of 5 x 5. Padded beforehand, the map is large enough.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional


class DepthwiseConvolution(nn.Conv2d):
    """Computes what the convolution that it stands for computes, with the same parameters."""

    @classmethod
    def of(cls, convolution: Any) -> DepthwiseConvolution:
        """Of a convolution of torch's for which `is_eligible` holds; the parameters are shared."""
        channels, size = convolution.in_channels, convolution.kernel_size
        found = cls(channels, channels, size, padding=convolution.padding, groups=channels, bias=False, device="meta")
        found.weight, found.bias = convolution.weight, convolution.bias
        return found.train(convolution.training)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Maps (n, channels, h, w) to maps of the same shape."""
        size, kernel = input.shape[-2:], self.kernel_size
        if input.device.type != "cpu" or all(side >= length for side, length in zip(size, kernel, strict=True)):
            return super().forward(input)
        # What of the kernel lies outside the map wherever its centre lies on it, meets zeros only.
        unused = [max(0, length // 2 - (side - 1)) for side, length in zip(size, kernel, strict=True)]
        used = [slice(cut, length - cut) for cut, length in zip(unused, kernel, strict=True)]
        high, wide = (length // 2 - cut for cut, length in zip(unused, kernel, strict=True))
        padded = functional.pad(input, (wide, wide, high, high))
        return functional.conv2d(padded, self.weight[:, :, used[0], used[1]], self.bias, groups=self.groups)


def is_eligible(module: nn.Module) -> bool:
    """Whether a layer is a depthwise convolution that keeps a map's size by zeros around it."""
    # Subclasses compute something else.
    return (
        type(module) is nn.Conv2d
        and module.groups == module.in_channels == module.out_channels
        and module.stride == (1, 1)
        and module.dilation == (1, 1)
        and module.padding_mode == "zeros"
        and all(length % 2 for length in module.kernel_size)
        and module.padding == tuple(length // 2 for length in module.kernel_size)
    )


def replace_depthwise(tower: nn.Module) -> int:
    """Put a `DepthwiseConvolution` in the place of each convolution that is eligible; returns how many."""
    eligible = [name for name, module in tower.named_modules() if is_eligible(module)]
    for name in eligible:
        holder, _, attribute = name.rpartition(".")
        setattr(tower.get_submodule(holder), attribute, DepthwiseConvolution.of(tower.get_submodule(name)))
    return len(eligible)
