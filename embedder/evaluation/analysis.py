"""What follows from a measurement: intervals, confusions, reliability, abstention, agreement, the worst queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from embedder.evaluation.abstention import AbstentionCurve, expected_abstention, measure_abstention
from embedder.evaluation.bootstrap import Interval, interval
from embedder.evaluation.confusion import ConfusionTable, measure_confusion
from embedder.evaluation.measurement import Measured
from embedder.evaluation.outcome import Outcome
from embedder.evaluation.reliability import Reliability, measure_reliability
from embedder.evaluation.witnesses import Agreement, measure_agreement
from embedder.evaluation.worst import WorstQuery, find_worst


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What follows from a measurement; what its catalog does not allow is None, or empty.

    Attributes:
        intervals: of the figures that are means over queries, by name.
        confusion: which categories are taken for which; needs categories.
        reliability: how far probabilities can be trusted; needs categories.
        abstention: what is gained by not answering; without categories what the probabilities promise.
        agreement: of several ways of telling the category.
        worst: the queries that went most wrong.
    """

    intervals: Mapping[str, Interval]
    confusion: ConfusionTable | None
    reliability: Reliability | None
    abstention: AbstentionCurve | None
    agreement: Agreement | None
    worst: tuple[WorstQuery, ...]


def analyse(measured: Measured) -> Analysis:
    """Draw what follows from a measurement; the same for the same measurement."""
    return Analysis(
        intervals={
            name: interval(figure.values, figure.groups, measured.seed) for name, figure in measured.per_query().items()
        },
        confusion=measure_confusion(measured.outcomes, measured.trained),
        reliability=_reliability(measured.outcomes, measured.seed),
        abstention=_abstention(measured.outcomes),
        agreement=measure_agreement(measured.outcomes),
        worst=find_worst(measured.outcomes, measured.titles, measured.views),
    )


def _reliability(outcomes: Sequence[Outcome], seed: int) -> Reliability | None:
    known = [outcome for outcome in outcomes if outcome.is_right is not None]
    if not known:
        return None
    confidences = np.asarray([outcome.probability for outcome in known])
    return measure_reliability(confidences, np.asarray([bool(outcome.is_right) for outcome in known]), seed)


def _abstention(outcomes: Sequence[Outcome]) -> AbstentionCurve | None:
    """Of the products that have a category, else of all that have a prediction."""
    known = [outcome for outcome in outcomes if outcome.is_right is not None]
    if known:
        confidences = np.asarray([outcome.probability for outcome in known])
        return measure_abstention(confidences, np.asarray([bool(outcome.is_right) for outcome in known]))
    told = [outcome.probability for outcome in outcomes if outcome.predicted is not None]
    return expected_abstention(np.asarray(told)) if told else None
