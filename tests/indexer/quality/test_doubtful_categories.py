"""A category is doubted where title and picture speak for another one, and only then."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.quality.look_alikes import find_look_alikes
from indexer.quality.mislabelled import find_mislabelled
from indexer.quality.opinions import Opinions
from indexer.quality.title_words import TitleOpinions, judge_titles

COLORS = ("red", "blue") * 3
TITLES = [*(f"{color} boot" for color in COLORS), *(f"{color} bags" for color in COLORS), "black boots", ""]
LABELS = np.asarray([0] * 6 + [1] * 6 + [1, 0])
APART = np.arange(14)


class TestTitles:
    def test_a_title_speaks_for_the_category_whose_other_titles_have_its_words(self) -> None:
        found = judge_titles(TITLES, LABELS, APART, 2)
        assert found.top.tolist() == [0] * 6 + [1] * 6 + [0, -1]
        assert found.own[12] < 0.3 < 0.7 < found.top_probability[12]
        assert np.isnan(found.own[13])

    def test_a_products_own_title_has_no_say_nor_has_one_that_shows_the_same(self) -> None:
        """Else a word that nothing else has would confirm whatever category stands beside it."""
        titles = ["clog", "boot", "boot", "bag", "bag", "clog"]
        labels = np.asarray([1, 0, 0, 1, 1, 1])
        apart = judge_titles(titles, labels, np.arange(6), 2)
        together = judge_titles(titles, labels, np.asarray([0, 1, 2, 3, 4, 0]), 2)
        assert apart.own[0] > 0.7
        assert together.own[0] == pytest.approx(0.5, abs=0.05)

    def test_counts_of_all_titles_at_once_give_the_same_as_counting_anew_for_each(self) -> None:
        found = judge_titles(TITLES, LABELS, APART, 2)
        for place in range(13):
            others = [row for row in range(14) if row != place]
            titles = [*[TITLES[row] for row in others], TITLES[place]]
            labels = np.asarray([*LABELS[others], -1])
            alone = judge_titles(titles, labels, APART, 2)
            assert alone.top_probability[-1] == pytest.approx(found.top_probability[place])
            assert np.isnan(alone.own[-1])


def opinions(top: list[int], probability: float, own: float, suggested: float) -> Opinions:
    count = len(top)
    return Opinions(np.asarray(top), np.full(count, probability), np.full(count, own), np.full(count, suggested))


def titled(top: int, probability: float = 0.9, own: float = 0.01) -> TitleOpinions:
    """The first product's title says something, the others' say what the catalog says."""
    tops = np.asarray([top, 0, 0, 1, 1, 1])
    return TitleOpinions(tops, np.full(6, probability), np.asarray([own, *[probability] * 5]))


class TestMislabelled:
    LABELS = np.asarray([0, 0, 0, 1, 1, 1])

    def found(self, pictures: Opinions, titles: TitleOpinions, labels: np.ndarray = LABELS) -> list[tuple[int, int]]:
        return [(item.place, item.suggested) for item in find_mislabelled(labels, pictures, titles)]

    def test_title_and_picture_against_the_category_are_enough(self) -> None:
        pictures = opinions([1, 0, 0, 1, 1, 1], 0.5, 0.001, 0.4)
        (suspect,) = find_mislabelled(self.LABELS, pictures, titled(1))
        assert (suspect.place, suspect.suggested, suspect.like) == (0, 1, 3)
        assert (suspect.by_picture, suspect.own_by_picture, suspect.by_title) == pytest.approx((0.4, 0.001, 0.9))

    @pytest.mark.parametrize(
        ("own", "suggested", "title"),
        [
            (0.5, 0.4, titled(1)),
            (0.01, 0.005, titled(1)),
            (0.001, 0.4, titled(0)),
            (0.001, 0.4, titled(1, probability=0.5)),
            (0.001, 0.4, titled(1, own=0.2)),
        ],
        ids=["picture likes it", "picture likes neither", "title likes it", "title unsure", "title half likes it"],
    )
    def test_one_of_them_alone_is_not(self, own: float, suggested: float, title: TitleOpinions) -> None:
        assert self.found(opinions([1, 0, 0, 1, 1, 1], 0.99, own, suggested), title) == []

    def test_the_only_product_of_a_category_is_not_doubted(self) -> None:
        labels = np.asarray([2, 0, 0, 1, 1, 1])
        assert self.found(opinions([1, 0, 0, 1, 1, 1], 0.5, 0.001, 0.4), titled(1), labels) == []

    def test_without_a_title_a_picture_must_be_very_sure(self) -> None:
        silent = TitleOpinions(np.full(6, -1), np.zeros(6), np.full(6, np.nan))
        tops = [1, 0, 0, 1, 1, 1]
        assert self.found(opinions(tops, 0.95, 0.005, np.nan), silent) == [(0, 1)]
        assert self.found(opinions(tops, 0.8, 0.005, np.nan), silent) == []
        assert self.found(opinions(tops, 0.95, 0.05, np.nan), silent) == []

    def test_a_product_without_a_category_is_not_doubted(self) -> None:
        pictures = opinions([1] * 6, 0.99, float("nan"), 0.9)
        assert self.found(pictures, titled(1), np.full(6, -1)) == []


class TestLookAlikes:
    LABELS = np.repeat([0, 1, 2], 10)

    def test_categories_that_are_taken_for_each_other_are_named_with_examples(self) -> None:
        top = self.LABELS.copy()
        top[:4], top[10:13] = 1, 0
        (pair,) = find_look_alikes(self.LABELS, top, [])
        assert (pair.first, pair.second, pair.first_taken, pair.second_taken) == (0, 1, 4, 3)
        assert (pair.first_held, pair.second_held) == (10, 10)
        assert pair.examples == (0, 1, 2, 10, 11, 12)

    def test_one_way_is_not_enough_nor_are_few(self) -> None:
        top = self.LABELS.copy()
        top[:6], top[10:12] = 1, 0
        assert find_look_alikes(self.LABELS, top, []) == ()

    def test_products_whose_category_is_doubted_say_nothing(self) -> None:
        top = self.LABELS.copy()
        top[:4], top[10:13] = 1, 0
        assert find_look_alikes(self.LABELS, top, [10]) == ()
