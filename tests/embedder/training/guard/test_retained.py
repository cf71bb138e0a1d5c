"""The retention suite on weights that are being tried: the base loses nothing of itself, damaged weights do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from embedder.training.guard.retained import Retained
from tests.embedder.training.tuning.conftest import Ready

Make = Callable[..., Ready]


@pytest.mark.parametrize("catalog", ["shop.csv", "studio:products=5"])
def test_what_was_lost_is_measured_on_whatever_the_model_holds(ready: Make, catalog: str) -> None:
    prepared = ready()
    prepared.model.eval()
    retained = Retained(prepared.encoder, False, pictures=40, catalog=catalog)
    before = retained.measure(prepared.model)
    assert set(before) >= {"text_recall_at_1", "wording_recall_at_1", "image_recall_at_1", "level_recall_at_1"}
    assert Retained.lost(before, retained.measure(prepared.model)) == 0.0
    with torch.no_grad():
        prepared.model.image.weight.zero_()
        prepared.model.text.weight.zero_()
    assert Retained.lost(before, retained.measure(prepared.model)) > 0.05


def test_texts_are_the_same_by_features_and_by_the_text_tower_itself(ready: Make) -> None:
    prepared = ready()
    prepared.model.eval()
    by_features, by_tower = (
        Retained(prepared.encoder, tunes, pictures=16).measure(prepared.model) for tunes in (False, True)
    )
    assert by_tower == pytest.approx(by_features, abs=1e-6)
