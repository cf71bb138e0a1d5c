"""One score from the figures on held-out products."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from embedder.training.settings import TuneSettings
from embedder.training.tuning.validation import score_of, with_score

FIGURES = {
    "photo_recall_at_1": 0.6,
    "title_recall_at_1": 0.2,
    "title_recall_at_10": 0.4,
    "category_accuracy": 0.9,
}


def test_photos_titles_and_categories_count_alike() -> None:
    assert with_score(FIGURES) == {**FIGURES, "score": pytest.approx((0.6 + 0.3 + 0.9) / 3)}


def test_what_the_catalog_does_not_permit_does_not_count() -> None:
    del (few := dict(FIGURES))["category_accuracy"]
    assert score_of(with_score(few)) == pytest.approx((0.6 + 0.3) / 2)
    assert with_score({}) == {}


def test_only_what_is_scored_counts_and_all_is_reported() -> None:
    found = with_score(FIGURES, ("title", "category"))
    assert found == {**FIGURES, "score": pytest.approx((0.3 + 0.9) / 2)}


def test_where_nothing_that_is_scored_was_measured_all_counts() -> None:
    assert score_of(with_score({"photo_recall_at_1": 0.6}, ("category",))) == pytest.approx(0.6)


@pytest.mark.parametrize("scored", [(), ("price",)])
def test_something_known_must_be_scored(scored: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="scored"):
        TuneSettings(scored=scored)  # type: ignore[arg-type]
