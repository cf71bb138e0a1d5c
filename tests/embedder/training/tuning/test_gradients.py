"""Gradients of a batch in parts are those of the whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from embedder.training.tuning.gradients import Shown, gradients
from embedder.training.tuning.processes import Processes
from tests.embedder.training.tuning.conftest import Ready

Make = Callable[..., Ready]


def gradients_of(
    prepared: Ready, chunk: int, rehearsed: int = 5, rehearsed_side: int | None = None
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """All gradients of one step, by name, and the terms of its loss."""
    tuner = prepared.tuner()
    model, learning = prepared.model, prepared.learning
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and learning.settings.batch_norm != "estimated":
            module.eval()
    batch = learning.batches.draw(0)
    pixels = batch.pixels.float() / 255
    settings = learning.settings
    assert settings.chunk == chunk
    images = learning.rehearsal[:rehearsed].float() / 255
    if rehearsed_side:
        images = torch.nn.functional.interpolate(images, (rehearsed_side, rehearsed_side))
    shown = Shown(pixels, batch, None, None, (images, torch.arange(rehearsed)) if rehearsed else None)
    parts = gradients(model, shown, learning.objective, settings, Processes("cpu"), seed=5)
    assert tuner is not None
    return {n: p.grad.clone() for n, p in model.tunable() if p.grad is not None}, parts


def test_chunks_give_the_gradient_of_the_whole_batch(ready: Make) -> None:
    chunk = 5
    whole, parts = gradients_of(ready(metric_weight=0.3), 0)
    chunked, parts_chunked = gradients_of(ready(metric_weight=0.3, chunk=chunk), chunk)
    assert parts_chunked == pytest.approx(parts, rel=1e-4)
    assert whole.keys() == chunked.keys()
    for name, gradient in whole.items():
        assert torch.allclose(gradient, chunked[name], rtol=1e-3, atol=1e-5), name


def test_rehearsed_pictures_of_another_size_are_rehearsed_too(ready: Make) -> None:
    _, alike = gradients_of(ready(), 0)
    _, larger = gradients_of(ready(), 0, rehearsed_side=96)
    assert larger["category"] == pytest.approx(alike["category"], rel=1e-4)
    assert larger["rehearsal"] > 0
    assert larger["rehearsal"] != pytest.approx(alike["rehearsal"], rel=1e-3)


def test_products_are_not_normalized_by_what_is_rehearsed(ready: Make) -> None:
    _, alone = gradients_of(ready(batch_norm="estimated"), 0, rehearsed=0)
    _, beside = gradients_of(ready(batch_norm="estimated"), 0)
    assert beside["category"] == pytest.approx(alone["category"], rel=1e-5)


def test_every_term_that_has_a_weight_is_there_and_no_other(ready: Make) -> None:
    wanted = {"instance": 1.0, "metric": 1.0, "sigmoid": 1.0, "contrastive": 0.0, "distillation": 0.0}
    _, parts = gradients_of(ready(**{f"{name}_weight": value for name, value in wanted.items()}, head_l1=0.01), 0)
    assert set(parts) == {
        "loss", "rehearsal", "instance", "metric", "sigmoid", "category", "text_category", "image_anchor", "text_anchor",
        "head_l1",
    }  # fmt: skip
