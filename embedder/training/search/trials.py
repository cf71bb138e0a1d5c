"""One trial of a search, and which are better than others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from embedder.training.search.space import Value


@dataclass(frozen=True, slots=True)
class Trial:
    """One that has ended.

    Attributes:
        number: from 0.
        values: of the settings that were searched.
        score: None: it failed.
        figures: all of them.
        reason: why it failed.
    """

    number: int
    values: Mapping[str, Value]
    score: float | None
    figures: Mapping[str, float]
    reason: str


def ranking(trials: Iterable[Trial]) -> list[Trial]:
    """Those with a score, the best first; of equals the earlier."""
    return sorted((trial for trial in trials if trial.score is not None), key=lambda trial: -(trial.score or 0.0))
