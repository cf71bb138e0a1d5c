"""What a model has lost is the worse of two falls: of what its text side and of what its image side still finds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from embedder.errors import TrainingError
from embedder.training.retention.figures import RetentionFigures, retention_loss

BASE = RetentionFigures(0.2, 0.7, 0.9, 0.4, 0.8)


def test_each_side_is_the_mean_of_its_figures() -> None:
    assert BASE.text == pytest.approx(0.6)
    assert BASE.image == pytest.approx(0.6)
    assert replace(BASE, level_recall_at_1=None).image == pytest.approx(0.4)


def test_a_model_has_lost_nothing_of_itself() -> None:
    loss = retention_loss(BASE, BASE)
    assert (loss.text, loss.image, loss.largest) == (0, 0, 0)


def test_a_gain_on_one_side_makes_up_for_no_loss_on_the_other() -> None:
    loss = retention_loss(BASE, replace(BASE, image_recall_at_1=1.0, wording_recall_at_1=0.81))
    assert loss.text == pytest.approx(0.03)
    assert loss.image == pytest.approx(-0.3)
    assert loss.largest == loss.text
    assert retention_loss(BASE, replace(BASE, level_recall_at_1=0.6)).largest == pytest.approx(0.1)


def test_figures_with_and_without_levels_are_not_compared() -> None:
    with pytest.raises(TrainingError, match="one model gives levels, the other none"):
        retention_loss(BASE, replace(BASE, level_recall_at_1=None))


def test_the_record_holds_what_there_is() -> None:
    assert BASE.to_dict() == {
        "text_recall_at_1": 0.2, "text_recall_at_10": 0.7, "wording_recall_at_1": 0.9, "image_recall_at_1": 0.4,
        "level_recall_at_1": 0.8,
    }  # fmt: skip
    assert "level_recall_at_1" not in replace(BASE, level_recall_at_1=None).to_dict()


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_share_is_one(value: float) -> None:
    with pytest.raises(ValueError, match="permitted: 0 to 1"):
        replace(BASE, text_recall_at_1=value)
