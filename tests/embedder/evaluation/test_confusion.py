"""Categories one by one, compared with torchmetrics, and what is taken for what."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.evaluation.confusion import EXAMPLES, measure_confusion
from tests.embedder.evaluation.measurements import outcome

SEEN = [
    outcome("1", "boot", "boot"),
    outcome("2", "boot", "boot"),
    outcome("3", "boot", "bag", 0.6),
    outcome("4", "boot", "bag", 0.9),
    outcome("5", "bag", "bag"),
    outcome("6", "hat", "boot", 0.7),
    outcome("7", None, "boot"),
    outcome("8", "bag", None, 0.0),
]


def test_categories_by_hand() -> None:
    table = measure_confusion(SEEN, {"boot": 40, "hat": 2})
    assert table is not None
    bag, boot, hat = table.categories
    assert (boot.category, boot.support, boot.predicted, boot.right, boot.trained) == ("boot", 4, 3, 2, 40)
    assert (boot.precision, boot.recall, boot.f1) == (pytest.approx(2 / 3), 0.5, pytest.approx(4 / 7))
    assert (bag.support, bag.precision, bag.recall, bag.trained) == (1, pytest.approx(1 / 3), 1.0, 0)
    assert (hat.precision, hat.recall, hat.f1, hat.trained) == (None, 0.0, 0.0, 2)


def test_confusions_are_named_with_examples_the_surest_mistakes_first() -> None:
    table = measure_confusion(SEEN, {})
    assert table is not None
    first, second = table.confusions
    assert (first.truth, first.predicted, first.count, first.share, first.examples) == (
        "boot",
        "bag",
        2,
        0.5,
        ("4", "3"),
    )
    assert (second.truth, second.predicted, second.count, second.share) == ("hat", "boot", 1, 1.0)
    assert table.cells == {("bag", "bag"): 1, ("boot", "bag"): 2, ("boot", "boot"): 2, ("hat", "boot"): 1}
    many = measure_confusion([outcome(str(number), "boot", "bag") for number in range(50)], {})
    assert many is not None
    assert len(many.confusions[0].examples) == EXAMPLES


def test_the_least_recognised_come_first() -> None:
    table = measure_confusion(SEEN, {})
    assert table is not None
    assert [item.category for item in table.worst()] == ["hat", "boot", "bag"]
    assert [item.category for item in table.worst(2)] == ["boot"]


def test_a_category_that_is_only_predicted_is_in_the_table_and_not_among_the_worst() -> None:
    table = measure_confusion([outcome("1", "boot", "dress")], {})
    assert table is not None
    assert [item.category for item in table.categories] == ["boot", "dress"]
    assert table.categories[1].recall is None
    assert [item.category for item in table.worst()] == ["boot"]


def test_without_categories_there_is_no_table() -> None:
    assert measure_confusion([outcome("1", None, "boot")], {}) is None
    assert measure_confusion([], {}) is None


def test_hundreds_of_categories_are_those_of_torchmetrics() -> None:
    import torch
    from torchmetrics.functional.classification import (
        multiclass_confusion_matrix,
        multiclass_f1_score,
        multiclass_precision,
        multiclass_recall,
    )

    rng = np.random.default_rng(0)
    names = [f"c{number:03d}" for number in range(300)]
    truth = rng.integers(0, 280, 2000)
    told = np.where(rng.random(2000) < 0.6, truth, rng.integers(0, 290, 2000))
    table = measure_confusion([outcome(str(row), names[truth[row]], names[told[row]]) for row in range(2000)], {})
    assert table is not None
    labels, predicted = torch.from_numpy(truth), torch.from_numpy(told)
    matrix = multiclass_confusion_matrix(predicted, labels, 300)
    assert sum(table.cells.values()) == 2000
    for (one, other), count in table.cells.items():
        assert matrix[names.index(one), names.index(other)] == count
    for name, score in (
        ("precision", multiclass_precision),
        ("recall", multiclass_recall),
        ("f1", multiclass_f1_score),
    ):
        theirs = score(predicted, labels, 300, average=None)
        for item in table.categories:
            assert (getattr(item, name) or 0.0) == pytest.approx(float(theirs[names.index(item.category)]), abs=1e-6)
        # The mean over the categories that occur is the figure of that name.
        mean = np.mean([getattr(item, name) or 0.0 for item in table.categories])
        assert mean == pytest.approx(float(score(predicted, labels, 300, average="macro")), abs=1e-6)
