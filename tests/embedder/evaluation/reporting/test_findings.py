"""Each finding follows from a figure by a threshold, and is not made on the other side of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from embedder.evaluation.analysis import analyse
from embedder.evaluation.duplicates import LikePair, TitleClash
from embedder.evaluation.gallery import Recall
from embedder.evaluation.measurement import Measured
from embedder.evaluation.outcome import TitleOutcome
from embedder.evaluation.reporting.findings import FEW_TRAINED, find_findings
from embedder.evaluation.views import ViewFigures
from tests.embedder.evaluation.measurements import NO_SIBLINGS, found, measured, outcome


def said(of: Measured, kind: str) -> list[str]:
    return [finding.text for finding in find_findings(of, analyse(of)) if finding.kind == kind]


def holding(texts: list[str], words: str) -> str:
    """The one text with these words in it."""
    (text,) = [text for text in texts if words in text]
    return text


def right(count: int, category: str = "boot", probability: float = 0.95) -> list[object]:
    return [outcome(f"{category} {number}", category, category, probability) for number in range(count)]


def wrong(count: int, category: str, told: str, probability: float = 0.6) -> list[object]:
    return [outcome(f"{category} as {told} {number}", category, told, probability) for number in range(count)]


def test_a_share_is_good_from_nine_tenths_on_and_bad_below_seven() -> None:
    good = measured([*right(190), *wrong(10, "boot", "bag")])
    assert holding(said(good, "good"), "category recognised").startswith("95% of 200 test products")
    assert "95 % interval" in holding(said(good, "good"), "category recognised")
    bad = measured([*right(100), *wrong(100, "boot", "bag")])
    assert holding(said(bad, "bad"), "category recognised").startswith("Only 50% of 200 test products")
    between = measured([*right(160), *wrong(40, "boot", "bag")])
    for kind in ("good", "bad"):
        assert not [text for text in said(between, kind) if "have their category recognised" in text]


def test_more_pictures_are_asked_for_categories_that_few_were_learnt_from() -> None:
    outcomes = [*right(100), *wrong(2, "hat", "boot"), *wrong(3, "scarf", "boot")]
    of = measured(outcomes, trained={"boot": 300, "hat": FEW_TRAINED - 1, "scarf": FEW_TRAINED})
    text = holding(said(of, "todo"), "Add products or further pictures")
    assert "hat (4)" in text
    assert "scarf" not in text
    # Two test products say nothing of how well a category is recognised; three do.
    low = holding(said(of, "bad"), "Less than half")
    assert "scarf (0 of 3)" in low
    assert "hat" not in low


def test_what_is_recognised_in_spite_of_few_products_needs_nothing() -> None:
    of = measured([*right(100), *right(3, "hat")], trained={"boot": 300, "hat": 1})
    assert not [text for text in said(of, "todo") if "further pictures" in text]


def test_confused_categories_are_named_with_examples() -> None:
    of = measured([*right(12), *wrong(3, "boot", "shoe"), *right(50, "shoe")])
    assert "boot for shoe (3 of its products)" in holding(said(of, "bad"), "taken for others")
    assert "boot as shoe 0" in holding(said(of, "todo"), "Look at products of boot")
    rare = measured([*right(13), *wrong(2, "boot", "shoe"), *right(50, "shoe")])
    assert not [text for text in said(rare, "bad") if "taken for others" in text]


def test_probabilities_are_called_too_high_only_beyond_chance() -> None:
    trusted = measured([*right(95), *wrong(5, "boot", "bag", 0.95)])
    assert "taken at their word" in holding(said(trusted, "good"), "Probabilities")
    few = measured([*right(46), *wrong(3, "boot", "bag", 0.95)])
    assert not [text for text in said(few, "good") if "Probabilities" in text]
    high = measured([*right(150), *wrong(50, "boot", "bag", 0.95)])
    assert "too high, by 20.0% on the average" in holding(said(high, "bad"), "Probabilities")
    low = measured([*right(190, probability=0.6), *wrong(10, "boot", "bag", 0.6)])
    assert "too low, by 35.0% on the average" in holding(said(low, "bad"), "Probabilities")
    mixed = measured([*right(100, probability=0.6), *wrong(60, "boot", "bag", 0.9), *right(40, "bag", 0.9)])
    assert "too high for some products and too low for others" in holding(said(mixed, "bad"), "Probabilities")


def test_what_to_do_about_probabilities_depends_on_whether_any_were_fitted() -> None:
    outcomes = [*right(150), *wrong(50, "boot", "bag", 0.95)]
    assert "Train a category head" in holding(said(measured(outcomes), "todo"), "probabilities")
    fitted = [replace(item, witnesses={"head": item.predicted}) for item in outcomes]  # type: ignore[type-var]
    assert "Train again" in holding(said(measured(fitted), "todo"), "probabilities are fitted")


def test_a_threshold_is_proposed_that_keeps_the_error_low() -> None:
    of = measured([*right(150), *wrong(50, "boot", "bag", 0.4)])
    text = holding(said(of, "todo"), "Show the predicted category only")
    assert "from a probability of about 0.95 on: 75% are answered then, with 0.0% wrong instead of 25.0%" in text
    hopeless = measured([*right(100, probability=0.5), *wrong(100, "boot", "bag", 0.9)])
    assert holding(said(hopeless, "bad"), "No threshold")
    few = measured([*right(30), *wrong(19, "boot", "bag", 0.4)])
    assert not [text for text in said(few, "todo") if "Show the predicted category" in text]
    fine = measured([*right(99), *wrong(1, "boot", "bag")])
    assert not [text for text in said(fine, "todo") if "Show the predicted category" in text]


def test_failing_photos_are_told_apart_by_whether_training_shows_such() -> None:
    kinds = {"darkened": Recall(0.3, 0.6, 50), "jpeg": Recall(0.2, 0.5, 50), "mirrored": Recall(0.8, 0.95, 50)}
    of = measured(right(120), views=ViewFigures(kinds, Recall(1, 1, 50), None, 100, 100))
    assert "mirrored" in holding(said(of, "good"), "Photos of these kinds find")
    assert "that it shows (train --tune full --budget 20m): darkened to 35 % (60%)." in holding(
        said(of, "todo"), "Give"
    )
    assert "training never shows: small, strongly compressed JPEG (50%)." in holding(said(of, "todo"), "Add further")
    assert len([text for text in said(of, "bad") if "often miss" in text]) == 2


def test_categories_that_all_witnesses_doubt_are_to_be_checked() -> None:
    doubted = outcome("p-9", "boot", "bag", witnesses={"head": "bag", "neighbors": "bag", "names": "bag"})
    agreed = {"head": "boot", "neighbors": "boot"}
    believed = [outcome(f"p{number}", "boot", "boot", witnesses=agreed) for number in range(9)]
    text = holding(said(measured([*believed, doubted]), "todo"), "Check the category")
    assert "of 1 product on which" in text
    assert "p-9" in text
    # Where they are wrong more often than that, it is not the catalog that is in doubt.
    assert not [text for text in said(measured([*believed[1:], doubted]), "todo") if "Check the category" in text]


def test_duplicates_are_named() -> None:
    of = measured(
        right(120),
        title_clashes=(TitleClash("red ball", ("balls", "toys"), 2, ("1", "2")),),
        like_pairs=(LikePair("1", "2", 0.999),),
    )
    assert "“red ball” (balls, toys)" in holding(said(of, "todo"), "nearly the same in several categories")
    assert "1 and 2" in holding(said(of, "todo"), "of 1 pair of products apart")


def test_figures_that_flatter_and_figures_of_few_products_say_so() -> None:
    leaking = measured(right(120), splits=replace(NO_SIBLINGS, test=120, test_leaks=7))
    assert "7 of 120 test products have a variant or a duplicate in training" in holding(
        said(leaking, "bad"), "flatter"
    )
    few = measured([*right(20), *wrong(10, "boot", "bag")])
    assert "Only 30 test products: a share here is good to about" in holding(said(few, "todo"), "Only 30")
    assert not [text for text in said(measured(right(100)), "todo") if "either way" in text]


@pytest.mark.parametrize("kind", ["good", "bad", "todo"])
def test_a_list_of_hundreds_is_cut(kind: str) -> None:
    outcomes = [item for number in range(300) for item in wrong(3, f"c{number:03d}", "boot")]
    assert all(len(text) < 600 for text in said(measured(outcomes), kind))
    assert "and 294 more" in holding(said(measured(outcomes), "bad"), "Less than half")


def test_without_categories_nothing_is_said_of_them() -> None:
    titles = [TitleOutcome(f"t{number}", found(True), found(True)) for number in range(120)]
    outcomes = [outcome(f"p{number}", None, "boot") for number in range(120)]
    of = measured(outcomes, titles)
    assert [finding.kind for finding in find_findings(of, analyse(of))] == ["good"]
    assert "titles find" in said(of, "good")[0]
    nothing = measured([outcome("p", None, None, 0.0)])
    assert find_findings(nothing, analyse(nothing)) == ()
