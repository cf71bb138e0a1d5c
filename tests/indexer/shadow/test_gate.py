"""What a version may lose, and what is no loss."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.evaluation.bootstrap import Difference, paired_difference
from indexer.shadow.evaluation import Compared, ShadowEvaluation
from indexer.shadow.gate import ShadowGate

GATE = ShadowGate(max_loss=0.05, min_overlap=0.5)


def recall(live: float, new: float, queries: int = 100) -> Difference:
    """Queries of which these shares were found."""
    first, second = (np.arange(queries) < share * queries for share in (live, new))
    return paired_difference(first.astype(float), second.astype(float), list(range(queries)))


def evaluation(overlap: float, difference: Difference, same_model: bool = False) -> ShadowEvaluation:
    return ShadowEvaluation("v2", "v1", same_model, {"image": Compared(difference.queries, overlap, {1: difference})})


@pytest.mark.parametrize(
    ("found", "refused"),
    [
        (recall(0.8, 0.9), False),
        (recall(0.8, 0.8), False),
        # Within what is permitted.
        (recall(0.8, 0.76, 1000), False),
        # More than that, but it may be chance: six of ten queries.
        (recall(1.0, 0.4, 10), False),
        (recall(0.8, 0.7), True),
    ],
)
def test_a_loss_that_is_greater_than_permitted_and_no_chance_refuses_it(found: Difference, refused: bool) -> None:
    assert bool(GATE.refusals(evaluation(0.9, found))) is refused


def test_other_hits_refuse_it_only_where_one_model_made_both() -> None:
    assert GATE.refusals(evaluation(0.49, recall(0.8, 0.8), same_model=True))
    assert not GATE.refusals(evaluation(0.5, recall(0.8, 0.8), same_model=True))
    assert not GATE.refusals(evaluation(0.0, recall(0.8, 0.8)))


def test_texts_may_find_others_of_the_same_words() -> None:
    found = Compared(100, 0.1, {})
    assert not GATE.refusals(ShadowEvaluation("v2", "v1", True, {"text": found}))


def test_each_reason_is_told() -> None:
    told = GATE.refusals(evaluation(0.3, recall(0.9, 0.5), same_model=True))
    assert [line.split(":")[0] for line in told] == ["pictures", "pictures"]
    assert "0.300 of the first 10 hits" in told[0]
    assert "recall@1 falls from 0.900 to 0.500" in told[1]
