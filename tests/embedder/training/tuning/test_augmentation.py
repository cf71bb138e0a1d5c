"""Each augmentation does what it is called, for as many pictures as wanted, and the same for the same seed."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from embedder.training.settings import TuneSettings
from embedder.training.tuning.augmentation import augment, compress, trained_kinds

NOTHING: dict[str, Any] = {
    "view_share": 0.0, "flip_share": 0.0, "color_share": 0.0, "erase_share": 0.0, "jpeg_share": 0.0, "blur_share": 0.0,
    "crop": 1.0,
}  # fmt: skip
SIDE = 32


def pictures(count: int = 8, side: int = SIDE) -> torch.Tensor:
    """A bright square left of the middle on a dark ground, uint8."""
    made = torch.full((count, 3, side, side), 40, dtype=torch.uint8)
    made[:, :, side // 4 : 3 * side // 4, 2 : side // 2] = torch.tensor([200, 120, 60], dtype=torch.uint8).view(
        1, 3, 1, 1
    )
    return made


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augmented(seed: int = 1, side: int = SIDE, **changed: Any) -> torch.Tensor:
    return augment(pictures(), side, TuneSettings(**{**NOTHING, **changed}), seeded(seed))[0]


def test_nothing_is_done_where_nothing_is_wanted() -> None:
    assert torch.equal(augmented(), pictures().float() / 255)


@pytest.mark.parametrize(
    "changed",
    [
        {"flip_share": 0.5}, {"crop": 0.5}, {"color_share": 0.7}, {"erase_share": 0.7}, {"blur_share": 0.7},
        {"mixup_share": 1.0}, {"cutmix_share": 1.0}, {"rand_augment": 9},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_each_changes_pictures_within_their_range_and_follows_from_the_seed(changed: dict[str, Any]) -> None:
    found = augmented(**changed)
    assert found.shape == (8, 3, SIDE, SIDE)
    assert float(found.min()) >= -1e-6
    assert float(found.max()) <= 1 + 1e-6
    if not {"mixup_share", "cutmix_share"} & set(changed):
        # All pictures are the same here, so that mixing shows nothing.
        assert not torch.allclose(found, pictures().float() / 255, atol=1e-3)
    assert torch.equal(found, augmented(**changed))


def test_a_flip_mirrors() -> None:
    assert torch.allclose(augmented(flip_share=1.0), pictures().float().flip(3) / 255, atol=1e-5)


def test_a_crop_shows_a_part_at_the_wanted_size() -> None:
    found = augmented(side=24, crop=0.3)
    assert found.shape[-2:] == (24, 24)
    shares = (found[:, 0] > 0.5).float().mean(dim=(1, 2))
    assert float(shares.max() - shares.min()) > 0.05


@pytest.mark.parametrize("side", [16, 48])
def test_pictures_come_in_another_size(side: int) -> None:
    found = augmented(side=side)
    assert found.shape[-2:] == (side, side)
    assert float(found.mean()) == pytest.approx(float(pictures().float().mean() / 255), abs=0.01)


def test_a_share_is_of_the_pictures() -> None:
    settings = TuneSettings(**{**NOTHING, "erase_share": 0.25})
    found = augment(pictures(400), SIDE, settings, seeded())[0]
    changed = (found != pictures(400).float() / 255).flatten(1).any(dim=1)
    assert 0.15 < float(changed.float().mean()) < 0.35


def test_mixed_pictures_say_with_what_and_how_much() -> None:
    made = torch.arange(0, 160, 20, dtype=torch.uint8).view(8, 1, 1, 1).expand(8, 3, SIDE, SIDE).contiguous()
    for name in ("mixup_share", "cutmix_share"):
        found, mix = augment(made, SIDE, TuneSettings(**{**NOTHING, name: 1.0}), seeded())
        assert mix is not None
        assert float(mix.share.min()) >= 0.5
        own, other = made.float() / 255, made[mix.partner].float() / 255
        share = mix.share.view(-1, 1, 1, 1)
        means = (own * share + other * (1 - share)).mean(dim=(1, 2, 3))
        assert torch.allclose(found.mean(dim=(1, 2, 3)), means, atol=1e-4)


def test_compression_leaves_traces_in_as_many_pictures_as_wanted() -> None:
    noise = torch.randint(0, 256, (200, 3, SIDE, SIDE), dtype=torch.uint8, generator=seeded())
    settings = TuneSettings(**{**NOTHING, "jpeg_share": 0.5})
    found = compress(noise, settings, seeded(2))
    changed = (found != noise).flatten(1).any(dim=1)
    assert 0.4 < float(changed.float().mean()) < 0.6
    assert torch.equal(found, compress(noise, settings, seeded(2)))


def test_the_kinds_that_a_training_shows_are_known() -> None:
    assert trained_kinds(TuneSettings(**NOTHING)) == ()
    assert set(trained_kinds(TuneSettings(**{**NOTHING, "flip_share": 0.5, "jpeg_share": 0.1}))) == {"mirrored", "jpeg"}
