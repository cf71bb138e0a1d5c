"""A tower whose BatchNorm is folded computes what it did, is trained, and goes back into the shape that it came in."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import timm
import torch
from torch import nn

from embedder.towers.dual_encoder import load_folder
from embedder.training.tuning.folding import fold_norms, unfolded

PIXELS = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def tower(name: str) -> nn.Module:
    """With statistics, scales and shifts that differ from those of a new one."""
    torch.manual_seed(1)
    made = timm.create_model(name, pretrained=False, num_classes=0).eval()
    with torch.no_grad():
        for module in made.modules():
            if isinstance(module, nn.BatchNorm2d):
                for values, low in ((module.running_mean, -0.2), (module.bias, -0.2), (module.running_var, 0.5)):
                    values.uniform_(low, low + 0.7)
                module.weight.uniform_(0.5, 1.5)
    return made


@pytest.mark.parametrize("name", ["test_efficientnet", "resnet18", "mobilenetv3_small_050"])
def test_the_tower_computes_the_same_folded_and_written_back(name: str) -> None:
    made, whole = tower(name), tower(name)
    norms = sum(isinstance(module, nn.BatchNorm2d) for module in made.modules())
    with torch.no_grad():
        expected = made(PIXELS)
        layers = fold_norms(made, PIXELS)
        assert len(layers) == norms > 0
        assert not [module for module in made.modules() if isinstance(module, nn.BatchNorm2d)]
        assert torch.allclose(made(PIXELS), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
        for parameter in made.parameters():
            parameter.add_(0.01 * parameter.abs().mean())
        changed = made(PIXELS)
        assert not torch.allclose(changed, expected, rtol=1e-3)
        target = dict(whole.named_parameters()) | dict(whole.named_buffers())
        values = unfolded(made, whole, layers)
        assert values.keys() == target.keys()
        for key, value in values.items():
            target[key].copy_(value)
        assert torch.allclose(whole(PIXELS), changed, rtol=1e-3, atol=1e-4 * float(changed.abs().max()))


def test_a_tower_without_batch_norm_stays_as_it_is(tiny_bundle: Path) -> None:
    visual = load_folder(tiny_bundle).model.visual
    before = [name for name, _ in visual.named_parameters()]
    assert fold_norms(visual, PIXELS[:, :, :32, :32]) == ()
    assert [name for name, _ in visual.named_parameters()] == before


class _TakenTwice(nn.Module):
    """A convolution whose output is used beside its normalization, which folding would change."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        nn.init.constant_(self.norm.weight, 3.0)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        maps = self.conv(pixels)
        return maps + self.norm(maps)


def test_where_folding_would_change_the_tower_it_is_undone(caplog: pytest.LogCaptureFixture) -> None:
    made = _TakenTwice().eval()
    with torch.no_grad(), caplog.at_level(logging.WARNING):
        expected = made(PIXELS)
        assert fold_norms(made, PIXELS) == ()
        assert torch.equal(made(PIXELS), expected)
    assert isinstance(made.norm, nn.BatchNorm2d)
    assert "stays frozen" in caplog.text
