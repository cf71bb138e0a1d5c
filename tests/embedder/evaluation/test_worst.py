"""The worst queries are those that a person should look at first."""

from __future__ import annotations

from embedder.evaluation.gallery import Recall
from embedder.evaluation.outcome import TitleOutcome
from embedder.evaluation.views import ViewFigures
from embedder.evaluation.worst import MOST, find_worst
from tests.embedder.evaluation.measurements import found, outcome


def test_mistakes_the_surest_first() -> None:
    outcomes = [
        outcome("right", "boot", "boot", 0.99),
        outcome("doubtful", "boot", "bag", 0.3),
        outcome("sure", "boot", "bag", 0.97, search=found(False, True, nearest=("x", "y"))),
    ]
    mistakes = [query for query in find_worst(outcomes, (), None) if query.kind == "category"]
    assert [query.query for query in mistakes] == ["sure", "doubtful"]
    assert mistakes[0].reason == "taken for bag (97%), is boot"
    assert mistakes[0].nearest == ("x", "y")
    many = [outcome(str(number), "boot", "bag") for number in range(50)]
    assert len([query for query in find_worst(many, (), None) if query.kind == "category"]) == MOST


def test_searches_that_found_nothing_of_their_category() -> None:
    nothing, late = (False,) * 10, 1204
    outcomes = [
        outcome("near", "boot", "boot", search=found(False, True)),
        outcome("late", "boot", "boot", search=found(*nothing, first=late)),
        outcome("alone", "hat", "hat", search=found(*nothing)),
    ]
    (lost,) = [query for query in find_worst(outcomes, (), None) if query.kind == "picture"]
    assert (lost.query, lost.reason) == ("late", "the first product of boot is at place 1,204")


def test_titles_that_do_not_find_their_product() -> None:
    missed = found(*(False,) * 10, first=11)
    titles = [
        TitleOutcome("a ball", found(True), found(True)),
        TitleOutcome("a box", found(True), missed),
    ]
    (lost,) = find_worst((), titles, None)
    assert (lost.kind, lost.query, lost.reason) == ("title", "a box", "its first product is at place 11")
    assert len(lost.nearest) == 5


def test_products_that_photos_do_not_find() -> None:
    recall = Recall(0.5, 0.5, 3)
    by_product = {"found": ((1.0, 1.0), (1.0, 1.0)), "half": ((0.0, 0.0), (0.0, 1.0)), "lost": ((0.0, 0.0), (0.0, 0.0))}
    views = ViewFigures({"jpeg": recall, "blurred": recall}, recall, None, 9, 9, by_product=by_product)
    shown = find_worst([outcome("found", "a", "a")], (), views)
    assert [(query.query, query.reason) for query in shown] == [
        ("lost", "not found by 2 of 2 kinds of photos"),
        ("half", "not found by 1 of 2 kinds of photos"),
    ]


def test_without_categories_the_least_sure_are_shown() -> None:
    outcomes = [
        outcome("sure", None, "boot", 0.9),
        outcome("unsure", None, "bag", 0.2),
        outcome("mute", None, None, 0.0),
    ]
    shown = find_worst(outcomes, (), None)
    assert [(query.kind, query.query) for query in shown] == [("unsure", "unsure"), ("unsure", "sure")]
    assert shown[0].reason == "bag, with a probability of 20%"
    assert find_worst([outcome("a", "boot", "boot"), *outcomes], (), None) == ()
