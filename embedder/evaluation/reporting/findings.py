"""What is good, what is bad and what to do, each derived from a figure by a threshold that is stated here.

A finding that no figure calls for is not made, so that a short list means something.
"""

from __future__ import annotations

from collections.abc import Sequence

from embedder.evaluation.analysis import Analysis
from embedder.evaluation.confusion import ConfusionTable
from embedder.evaluation.measurement import Measured
from embedder.evaluation.reliability import Reliability
from embedder.evaluation.views import ViewFigures
from embedder.evaluation.witnesses import Agreement
from embedder.inputs.street_views import KINDS
from embedder.report.page import Finding

GOOD_SHARE = 0.9
"""A share of this or more is good: accuracy, recall among ten."""

BAD_SHARE = 0.7
"""A share below this is bad."""

FEW_TRAINED = 5
"""A category with fewer training products is asked for more pictures, where it is not recognised."""

LOW_RECALL = 0.5
"""A category of which a smaller share is recognised is named."""

LEAST_SUPPORT = 3
"""... where it has at least this many test products: one or two say nothing."""

LEAST_CONFUSED = 3
CONFUSED_SHARE = 0.2
"""Two categories are confused where at least so many test products, and this share of the one, are taken for the
other."""

WANTED_ERROR = 0.05
LEAST_ANSWERED = 0.5
"""A threshold is proposed that brings the error below this, where it answers at least this share."""

LEAST_FOR_LIMITS = 50
"""With fewer products nothing good is said of probabilities, and no threshold is proposed."""

DOUBTED_ABOVE = 0.9
"""Products that all ways of telling the category put elsewhere are named where these, when they agree, are right this
often: else it is they who are wrong."""

FEW_TESTED = 100
"""With fewer test products a report says how far its figures can be trusted."""

_NAMED = 6


def find_findings(measured: Measured, analysis: Analysis) -> tuple[Finding, ...]:
    """All that the figures call for, the most important first within each kind."""
    found = [*_trust(measured, analysis), *_shares(measured, analysis)]
    if analysis.confusion is not None:
        found += _categories(analysis.confusion)
    if analysis.reliability is not None:
        has_head = any("head" in outcome.witnesses for outcome in measured.outcomes)
        found += _probabilities(analysis.reliability, has_head)
    found += _thresholds(analysis)
    if measured.views is not None:
        found += _views(measured.views)
    if analysis.agreement is not None:
        found += _agreement(analysis.agreement)
    return (*found, *_duplicates(measured))


def _trust(measured: Measured, analysis: Analysis) -> list[Finding]:
    """How far the figures themselves can be trusted."""
    found = []
    leaks = measured.splits.test_leaks
    if leaks:
        found.append(
            Finding(
                "bad",
                f"{leaks:,} of {measured.splits.test:,} test products have a variant or a duplicate in training, by "
                "the catalog's own split: figures flatter the model. Give siblings the same split.",
            )
        )
    widest = analysis.intervals.get("accuracy") or next(iter(analysis.intervals.values()), None)
    if measured.queries < FEW_TESTED and widest is not None:
        half = (widest.high - widest.low) / 2
        found.append(
            Finding(
                "todo",
                f"Only {measured.queries:,} test products: a share here is good to about {max(half, 0.01):.0%} either "
                f"way. {FEW_TESTED} or more (a tenth of the catalog is tested) would tell models apart.",
            )
        )
    return found


def _shares(measured: Measured, analysis: Analysis) -> list[Finding]:
    named = {
        "accuracy": "test products have their category recognised",
        "title_to_product_recall_at_10": "titles find a product of that title among the first ten of "
        f"{measured.products:,}",
        "image_to_image_recall_at_10": "pictures have a product of their category among the ten nearest",
    }
    found = []
    for name, text in named.items():
        known = analysis.intervals.get(name)
        if known is None:
            continue
        said = f"{known.mean:.0%} of {known.queries:,} {text} (95 % interval {known.low:.0%} to {known.high:.0%})."
        if known.mean >= GOOD_SHARE:
            found.append(Finding("good", said))
        elif known.mean < BAD_SHARE:
            found.append(Finding("bad", f"Only {said}"))
    return found


def _categories(confusion: ConfusionTable) -> list[Finding]:
    found = []
    tested = [item for item in confusion.categories if item.support >= LEAST_SUPPORT]
    well = [item for item in tested if item.f1 >= GOOD_SHARE]
    if well:
        found.append(
            Finding("good", f"{len(well)} of {len(tested)} categories with {LEAST_SUPPORT} test products or more are "
                    f"recognised well (F1 of {GOOD_SHARE:g} or more).")
        )  # fmt: skip
    low = [item for item in confusion.worst(LEAST_SUPPORT) if (item.recall or 0.0) < LOW_RECALL]
    if low:
        each = [f"{item.category} ({item.right} of {item.support})" for item in low]
        found.append(Finding("bad", f"Less than half of these categories' products are recognised: {_some(each)}."))
    few = [item for item in confusion.worst() if (item.recall or 0.0) < LOW_RECALL and item.trained < FEW_TRAINED]
    if few:
        each = [f"{item.category} ({item.trained})" for item in few]
        found.append(
            Finding(
                "todo",
                f"Add products or further pictures to categories that are not recognised and have fewer than "
                f"{FEW_TRAINED} training products: {_some(each)}.",
            )
        )
    confused = [item for item in confusion.confusions if item.count >= LEAST_CONFUSED and item.share >= CONFUSED_SHARE]
    if confused:
        each = [f"{item.truth} for {item.predicted} ({item.count} of its products)" for item in confused]
        found.append(Finding("bad", f"Categories are taken for others: {_some(each)}."))
        first = confused[0]
        found.append(
            Finding(
                "todo",
                f"Look at products of {first.truth} that are taken for {first.predicted} ({_some(first.examples)}): "
                "where a person cannot tell the two apart by pictures, make them one category; else add pictures that "
                "show the difference.",
            )
        )
    return found


def _probabilities(reliability: Reliability, has_head: bool) -> list[Finding]:
    error, chance = reliability.expected_error, reliability.by_chance_at_most
    if not reliability.is_beyond_chance:
        if reliability.count < LEAST_FOR_LIMITS:
            return []
        return [
            Finding(
                "good",
                f"Probabilities can be taken at their word: their error is {error:.3f}, and of {reliability.count:,} "
                f"products up to {chance:.3f} would be chance.",
            )
        ]
    gap = reliability.confidence - reliability.accuracy
    if abs(gap) < error / 2:
        way = "too high for some products and too low for others"
    else:
        way = f"too {'high' if gap > 0 else 'low'}, by {abs(gap):.1%} on the average"
    advice = (
        "Train again with this catalog, so that probabilities are fitted on its held-out products; until then compare "
        "them with one another, and with no fixed limit."
        if has_head
        else "Train a category head (python -m embedder train): probabilities from categories' names alone are not "
        "fitted on anything."
    )
    return [
        Finding(
            "bad",
            f"Probabilities are {way}: they say {reliability.confidence:.1%}, and {reliability.accuracy:.1%} are right "
            f"(calibration error {error:.3f}; chance explains {chance:.3f}).",
        ),
        Finding("todo", advice),
    ]


def _thresholds(analysis: Analysis) -> list[Finding]:
    curve = analysis.abstention
    known = 0 if analysis.reliability is None else analysis.reliability.count
    if curve is None or known < LEAST_FOR_LIMITS or curve.error_at[1.0] <= WANTED_ERROR:
        return []
    point = curve.widest_below(WANTED_ERROR)
    if point is None or point.coverage < LEAST_ANSWERED:
        return [
            Finding(
                "bad",
                f"No threshold brings the error to {WANTED_ERROR:.0%} with half of the products or more answered.",
            )
        ]
    return [
        Finding(
            "todo",
            f"Show the predicted category only from a probability of about {point.threshold:.2f} on: "
            f"{point.coverage:.0%} are answered then, with {point.error:.1%} wrong instead of "
            f"{curve.error_at[1.0]:.1%}.",
        )
    ]


def _views(views: ViewFigures) -> list[Finding]:
    found = []
    good = [KINDS[name].label for name, recall in views.kinds.items() if recall.at_10 >= GOOD_SHARE]
    if good:
        found.append(
            Finding("good", f"Photos of these kinds find the very product among the first ten, {GOOD_SHARE:.0%} of the "
                    f"time or more: {_some(good, len(KINDS))}.")
        )  # fmt: skip
    for used, advice in (
        (True, "Give training more time for photos of kinds that it shows (train --tune full --budget 20m)"),
        (False, "Add further pictures of products that are taken like photos which training never shows"),
    ):
        failing = {name: recall for name, recall in views.of_training(used).items() if recall.at_10 < BAD_SHARE}
        if failing:
            each = [f"{KINDS[name].label} ({recall.at_10:.0%})" for name, recall in failing.items()]
            found.append(
                Finding(
                    "bad",
                    f"Photos of these kinds often miss their product among the first ten: {_some(each, len(KINDS))}.",
                )
            )
            found.append(Finding("todo", f"{advice}: {_some(each, len(KINDS))}."))
    return found


def _agreement(agreement: Agreement) -> list[Finding]:
    if not agreement.against_catalog or (agreement.right_if_unanimous or 0.0) < DOUBTED_ABOVE:
        return []
    ids = agreement.against_catalog
    return [
        Finding(
            "todo",
            f"Check the category of {len(ids):,} product{'s' if len(ids) > 1 else ''} on which all ways of telling it "
            f"agree against the catalog: {_some(ids)}.",
        )
    ]


def _duplicates(measured: Measured) -> list[Finding]:
    found = []
    if measured.title_clashes:
        each = [f"“{clash.title}” ({', '.join(clash.categories[:3])})" for clash in measured.title_clashes]
        found.append(
            Finding("todo", f"Titles that are nearly the same in several categories; decide on one: {_some(each, 3)}.")
        )
    if measured.like_pairs:
        each = [f"{pair.product_id} and {pair.other_id}" for pair in measured.like_pairs]
        found.append(
            Finding(
                "todo",
                f"The model cannot tell the pictures of {len(each):,} pair{'s' if len(each) > 1 else ''} of products "
                f"apart; where they are variants, give them one variant group: {_some(each, 3)}.",
            )
        )
    return found


def _some(names: Sequence[str], most: int = _NAMED) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")
