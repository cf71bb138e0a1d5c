"""Attributes teach the tower while it is tuned: those that are known, and no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from embedder.training.heads.attribute_labels import AttributeLabels
from embedder.training.tuning.gradients import Shown, gradients
from embedder.training.tuning.processes import Processes
from tests.conftest import COLORS
from tests.embedder.training.tuning.conftest import Ready

Make = Callable[..., Ready]

KNOWN = AttributeLabels("color", tuple(COLORS), {color: place for place, color in enumerate(COLORS)}, 0)
UNKNOWN = AttributeLabels("material", ("glass", "wood"), {"glass": 0, "wood": 1}, 0)
ALONE = {
    **{f"{name}_weight": 0.0 for name in ("instance", "contrastive", "text_category", "distillation")},
    # Some loss besides must have a weight.
    "category_weight": 1e-9,
}


def step(prepared: Ready, number: int = 0) -> dict[str, float]:
    learning = prepared.learning
    batch = learning.batches.draw(number)
    prepared.model.zero_grad()
    shown = Shown(batch.pixels.float() / 255, batch, None, None, None)
    return gradients(prepared.model, shown, learning.objective, learning.settings, Processes("cpu"), seed=number)


def test_a_batch_says_which_values_its_products_have(ready: Make) -> None:
    prepared = ready(attributes=(UNKNOWN, KNOWN))
    batch = prepared.learning.batches.draw(0)
    assert batch.attributes.shape == (len(batch.pixels), 2 + len(COLORS))
    assert batch.attributes[:, :2].sum() == 0
    assert batch.attributes[:, 2:].sum(dim=1).tolist() == [1.0] * len(batch.pixels)


def test_a_model_that_knows_nothing_has_a_loss_of_one_whatever_the_number_of_values(ready: Make) -> None:
    assert step(ready(attributes=(KNOWN,), **ALONE))["attribute"] == pytest.approx(1.0)


def test_the_loss_falls_as_the_tower_learns(ready: Make) -> None:
    prepared = ready(attributes=(KNOWN,), **ALONE, attribute_weight=1.0)
    optimizer = torch.optim.Adam([parameter for _, parameter in prepared.model.tunable()], 3e-3)
    for _ in range(25):
        found = step(prepared)
        optimizer.step()
    assert found["attribute"] < 0.7


def test_the_gradient_reaches_the_tower(ready: Make) -> None:
    prepared = ready(attributes=(KNOWN,), **ALONE)
    layer = prepared.model.attributes
    assert layer is not None
    with torch.no_grad():
        layer.map.weight.normal_(generator=torch.Generator().manual_seed(0))
    step(prepared)
    assert sum(float(p.grad.abs().sum()) for p in prepared.model.visual.parameters() if p.grad is not None) > 0


def test_attributes_that_no_product_has_cost_nothing(ready: Make) -> None:
    assert step(ready(attributes=(UNKNOWN,), **ALONE))["attribute"] == 0.0


@pytest.mark.parametrize("settings", [{"attributes": ()}, {"attributes": (KNOWN,), "attribute_weight": 0.0}])
def test_without_attributes_or_a_weight_there_is_no_such_term(ready: Make, settings: dict[str, object]) -> None:
    assert "attribute" not in step(ready(**settings))
