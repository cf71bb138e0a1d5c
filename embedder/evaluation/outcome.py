"""What a model made of single queries: figures, reports, comparisons and worst cases are all made from these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from embedder.evaluation.ranking import Found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model made of one test product.

    Attributes:
        product_id: of the product.
        group: what it has in common with its variants, so that they count as one where figures are compared.
        truth: the catalog's category; None: it gives none.
        predicted: the model's category; None where neither model nor catalog knows any.
        probability: of the predicted category, 0..1; 0 where there is none.
        witnesses: by name (`head`, `neighbors`, `names`) what each way of telling the category says; a witness that
            has no say is absent.
        search: what its picture found among the training products, where products of its category are relevant; None
            where it did not search, or has no category.
    """

    product_id: str
    group: str
    truth: str | None
    predicted: str | None
    probability: float = 0.0
    witnesses: Mapping[str, str] = field(default_factory=dict)
    search: Found | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"product {self.product_id!r}: probability {self.probability}; permitted: 0 to 1")

    @property
    def is_right(self) -> bool | None:
        """Whether the prediction is the catalog's category; None where there is nothing to compare."""
        return None if self.truth is None or self.predicted is None else self.truth == self.predicted


@dataclass(frozen=True, slots=True)
class TitleOutcome:
    """What one title found, where products of that very title are relevant.

    Attributes:
        title: which several test products may have.
        among_tested: among the test products alone.
        among_all: among the test products, the gallery and others, as in a shop.
    """

    title: str
    among_tested: Found
    among_all: Found
