"""Which categories are recognised, and which are taken for which; numpy only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embedder.evaluation.outcome import Outcome

EXAMPLES = 4
"""Product ids that a confusion names."""


@dataclass(frozen=True, slots=True)
class CategoryFigures:
    """How well one category is recognised.

    Attributes:
        category: its path.
        support: test products of it, 0 or more.
        predicted: test products that are taken for it.
        right: those of both.
        trained: training products of it.
    """

    category: str
    support: int
    predicted: int
    right: int
    trained: int

    @property
    def precision(self) -> float | None:
        """Share right of those taken for it; None where nothing is."""
        return self.right / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Share of its products that are recognised; None where it has none."""
        return self.right / self.support if self.support else None

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0 where nothing is right."""
        return 2 * self.right / max(1, self.support + self.predicted)


@dataclass(frozen=True, slots=True)
class Confusion:
    """One category taken for another.

    Attributes:
        truth, predicted: the catalog's category and the model's, not the same.
        count: test products, 1 or more.
        share: of the test products of the catalog's category, above 0.
        examples: ids of up to `EXAMPLES` of them, the surest mistakes first.
    """

    truth: str
    predicted: str
    count: int
    share: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfusionTable:
    """All categories, and what is taken for what.

    Attributes:
        categories: those that occur among the test products or are predicted, by name.
        cells: (catalog's category, model's category) to test products, 1 or more; also where both are the same.
        confusions: the most frequent first.
    """

    categories: tuple[CategoryFigures, ...]
    cells: Mapping[tuple[str, str], int]
    confusions: tuple[Confusion, ...]

    def worst(self, least_support: int = 1) -> list[CategoryFigures]:
        """Categories with that many test products, the least recognised first; of equal ones the larger first."""
        having = [item for item in self.categories if item.support >= least_support]
        return sorted(having, key=lambda item: (item.right / item.support, -item.support, item.category))


def measure_confusion(outcomes: Sequence[Outcome], trained: Mapping[str, int]) -> ConfusionTable | None:
    """Count what is taken for what.

    Args:
        outcomes: of the test products; those without a category or without a prediction do not count.
        trained: category to training products; absent: none.

    Returns:
        The table; None where no outcome counts.
    """
    cells: Counter[tuple[str, str]] = Counter()
    mistakes: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.truth is None or outcome.predicted is None:
            continue
        pair = (outcome.truth, outcome.predicted)
        cells[pair] += 1
        if outcome.truth != outcome.predicted:
            mistakes[pair].append(outcome)
    if not cells:
        return None
    support: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    for (truth, told), count in cells.items():
        support[truth] += count
        predicted[told] += count
    figures = tuple(
        CategoryFigures(name, support[name], predicted[name], cells[name, name], trained.get(name, 0))
        for name in sorted({*support, *predicted})
    )
    confusions = [
        Confusion(
            truth,
            told,
            len(found),
            len(found) / support[truth],
            tuple(item.product_id for item in sorted(found, key=lambda item: -item.probability)[:EXAMPLES]),
        )
        for (truth, told), found in mistakes.items()
    ]
    confusions.sort(key=lambda item: (-item.count, -item.share, item.truth, item.predicted))
    return ConfusionTable(figures, dict(sorted(cells.items())), tuple(confusions))
