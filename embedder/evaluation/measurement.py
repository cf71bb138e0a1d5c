"""What an evaluation measured of one model: everything that tables, reports and comparisons are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embedder.catalogs.product import Product
from embedder.catalogs.split_report import SplitReport
from embedder.evaluation.attributes import AttributeFigures
from embedder.evaluation.duplicates import LikePair, TitleClash
from embedder.evaluation.outcome import Outcome, TitleOutcome
from embedder.evaluation.per_query import PerQuery, per_query
from embedder.evaluation.views import ViewFigures


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Figures, what they were made from, and on how many products.

    Attributes:
        figures: see `embedder.evaluation.figures.evaluate`.
        queries: test products.
        gallery: training products that are searched by picture.
        products: all that are searched by title and by photo: the test products, the gallery, and others up to the
            asked-for size of the gallery.
        views: what photos find; None where not asked for, or where there is no test product to find.
        splits: how the test products were held out.
        model, base, fingerprint: as it was asked for, what it was made from, and its bundle's.
        catalog: as it was asked for.
        seed: of everything random.
        outcomes: of the test products, one by one.
        titles: of their titles.
        trained: category to training products, also those that are not searched.
        title_clashes: titles in several categories, among all that are searched.
        like_pairs: test products whose picture the model cannot tell from another product's.
        by_id: all products that are searched.
        attributes: how right the model is about attributes; empty where it or the catalog knows of none.
    """

    figures: dict[str, float]
    queries: int
    gallery: int
    products: int
    views: ViewFigures | None
    splits: SplitReport
    model: str
    base: str
    fingerprint: str
    catalog: str
    seed: int
    outcomes: tuple[Outcome, ...]
    titles: tuple[TitleOutcome, ...]
    trained: Mapping[str, int]
    title_clashes: tuple[TitleClash, ...]
    like_pairs: tuple[LikePair, ...]
    by_id: Mapping[str, Product]
    attributes: tuple[AttributeFigures, ...] = ()

    def to_figures(self) -> dict[str, float]:
        """All figures by name."""
        return self.figures | (self.views.to_figures() if self.views is not None else {})

    def per_query(self) -> dict[str, PerQuery]:
        """The figures that are means over queries, query by query."""
        return per_query(self.outcomes, self.titles, self.views)
