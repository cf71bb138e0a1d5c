"""Depthwise convolutions on small maps: the same numbers, by the kernel that is fast."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from embedder.training.tuning import depthwise
from embedder.training.tuning.depthwise import DepthwiseConvolution, is_eligible, replace_depthwise

CHANNELS = 6


def convolution(kernel: int | tuple[int, int], **more) -> nn.Conv2d:
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    settings = {"padding": tuple(side // 2 for side in sides), "groups": CHANNELS, **more}
    return nn.Conv2d(CHANNELS, settings.pop("out_channels", CHANNELS), sides, **settings)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("kernel", "height", "width"),
    [(5, 2, 2), (5, 3, 4), (5, 8, 2), (5, 5, 5), (3, 2, 2), (3, 1, 1), (3, 1, 5), (7, 2, 6), ((3, 5), 2, 2)],
)
def test_outputs_and_gradients_are_those_of_the_plain_convolution(kernel, height: int, width: int, bias: bool) -> None:
    plain = convolution(kernel, bias=bias)
    tower = nn.Sequential(plain)
    assert replace_depthwise(tower) == 1
    maps = torch.randn(3, CHANNELS, height, width, requires_grad=True)
    leaves = [maps, *plain.parameters()]
    expected = plain(maps)
    upstream = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, leaves, upstream)
    found = tower(maps)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, leaves, upstream), wanted)


def test_parameters_are_shared_under_their_names() -> None:
    plain = convolution(5)
    tower = nn.Sequential(nn.Identity(), plain).eval()
    names = list(tower.state_dict())
    replace_depthwise(tower)
    assert isinstance(tower[1], DepthwiseConvolution)
    assert not tower[1].training
    assert list(tower.state_dict()) == names
    assert tower[1].weight is plain.weight
    assert tower[1].bias is plain.bias


@pytest.mark.parametrize(
    "other",
    [
        convolution(3, groups=1),
        convolution(3, out_channels=2 * CHANNELS),
        convolution(3, stride=2),
        convolution(3, dilation=2, padding=2),
        convolution(3, padding=0),
        convolution(3, padding="same"),
        convolution(3, padding_mode="reflect"),
        convolution(4, padding=2),
    ],
    ids=str,
)
def test_other_convolutions_stay_as_they_are(other: nn.Conv2d) -> None:
    assert not is_eligible(other)
    tower = nn.Sequential(other)
    assert replace_depthwise(tower) == 0
    assert tower[0] is other


def test_a_map_as_large_as_the_kernel_is_not_padded(monkeypatch: pytest.MonkeyPatch) -> None:
    padded = []
    real = functional.pad

    def pad(*arguments):
        padded.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(depthwise.functional, "pad", pad)
    tower = nn.Sequential(convolution(5))
    replace_depthwise(tower)
    tower(torch.randn(1, CHANNELS, 5, 5))
    assert not padded
    tower(torch.randn(1, CHANNELS, 4, 5))
    assert len(padded) == 1
