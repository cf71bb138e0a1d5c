"""What a query itself shows: its category and attributes, and whether the catalog has anything of the kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.stores.protocol import Scored
from server.search.attributes import AttributePredictor
from server.search.category import CategoryPredictor
from server.search.encoded_part import EncodedPart
from server.search.match import Matcher
from server.search.query import PredictedAttribute, PredictedCategory, ServerWarning

NOTHING_GOOD_FOUND = "NOTHING_GOOD_FOUND"


@dataclass(frozen=True, slots=True)
class Recognized:
    """What a query shows.

    Attributes:
        category: None where the catalog has no categories, or nothing is known of the query.
        attributes: one for each that the model knows.
        anything: probability that there is anything in the catalog of what was asked for, 0..1; None: not fitted.
        warnings: that there seems to be nothing.
    """

    category: PredictedCategory | None = None
    attributes: tuple[PredictedAttribute, ...] = ()
    anything: float | None = None
    warnings: tuple[ServerWarning, ...] = ()


class Recognizer:
    """Judges queries by a model and an index. Calls from several threads are allowed."""

    def __init__(self, categories: CategoryPredictor, matcher: Matcher, attributes: AttributePredictor) -> None:
        self._categories = categories
        self._matcher = matcher
        self._attributes = attributes

    @property
    def needs_neighbors(self) -> bool:
        """Whether a query's nearest pictures are used; otherwise none need be given."""
        return self._categories.needs_neighbors or self._matcher.needs_neighbors

    @property
    def needs_best(self) -> bool:
        """Whether the best products of the whole catalog are used; otherwise none need be given."""
        return self._matcher.needs_neighbors

    def recognize(
        self, part: EncodedPart, best: Sequence[Scored], near: Sequence[Scored], field: str, is_product: bool = False
    ) -> Recognized:
        """Judge one query.

        Args:
            part: the query.
            best: the best of the whole catalog, as hits are ranked.
            near: the nearest pictures of the whole catalog.
            field: the query's path in the request, for the warning.
            is_product: whether the query is an indexed product: that is of the catalog, whatever is found beside it.
        """
        category = self._categories.predict(part, near)
        attributes = self._attributes.predict(part)
        anything = self._matcher.anything(part, best, category)
        if anything.found or is_product:
            return Recognized(category, attributes, anything.probability)
        if category is not None:
            category = replace(category, abstention="not_in_catalog", sure="")
        warning = ServerWarning(
            NOTHING_GOOD_FOUND,
            field,
            "nothing in this catalog seems to be what was asked for; what is answered is the nearest there is",
        )
        return Recognized(category, attributes, anything.probability, (warning,))
