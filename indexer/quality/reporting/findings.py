"""What is good, what is bad and what to do about a catalog; none where nothing calls for it."""

from __future__ import annotations

from collections import Counter

from embedder.report.page import Finding
from indexer.quality.duplicates import DuplicateSet, excess
from indexer.quality.inspection import Inspection
from indexer.quality.small_pictures import LEAST_SIDE

LEAST_JUDGED = 50
"""With fewer products it is not said that nothing looks wrong."""

_NAMED = 6


def counts_of(found: Inspection) -> dict[str, int]:
    """How many of each kind were found, by name; see `quality_schema`."""
    return {
        "identical_sets": sum(item.identical for item in found.duplicates.sets),
        "near_duplicate_sets": sum(not item.identical for item in found.duplicates.sets),
        "placeholders": len(found.duplicates.placeholders),
        "doubtful_categories": len(found.suspects),
        "unreadable_pictures": sum(found.rejected_pictures.values()),
        "tiny_pictures": found.tiny.count,
        "unfound_products": len(found.search.unfound),
        "categories_that_look_the_same": len(found.look_alikes),
    }


def contradicting(found: Inspection) -> list[DuplicateSet]:
    """Sets of duplicates whose products have several categories."""
    return [item for item in found.duplicates.sets if len({found.words[p].category for p in item.members}) > 1]


def find_findings(found: Inspection) -> tuple[Finding, ...]:
    """All of them, the most important first within each kind."""
    made = [*_labels(found), *_pictures(found), *_duplicates(found), *_search(found)]
    return tuple(made)


def _labels(found: Inspection) -> list[Finding]:
    made = []
    if found.suspects:
        ids = [found.words[item.place].id for item in found.suspects]
        made.append(
            Finding(
                "todo",
                f"Check the category of {_products(len(ids))}: picture and title, or the picture alone where there is "
                f"no title, speak for another one: {_some(ids)}.",
            )
        )
    elif found.judged >= LEAST_JUDGED:
        made.append(Finding("good", f"No category of {found.judged:,} products looks wrong."))
    for pair in found.look_alikes[:_NAMED]:
        first, second = found.categories[pair.first], found.categories[pair.second]
        made.append(
            Finding(
                "bad",
                f"{first} and {second} look the same: {pair.first_taken} of {pair.first_held} pictures of the one are "
                f"taken for the other, {pair.second_taken} of {pair.second_held} the other way.",
            )
        )
    if found.look_alikes:
        made.append(
            Finding(
                "todo",
                "Where a person cannot tell two categories apart by pictures, make them one; else add pictures that "
                "show the difference.",
            )
        )
    return made


def _pictures(found: Inspection) -> list[Finding]:
    made = []
    if found.rejected_pictures:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in Counter(found.rejected_pictures).most_common())
        total = sum(found.rejected_pictures.values())
        made.append(Finding("bad", f"{total:,} pictures cannot be read: {reasons}. The rejects file names each."))
    if found.tiny.count:
        made.append(
            Finding(
                "bad",
                f"{found.tiny.count:,} of {found.pictures:,} pictures have a side of less than {LEAST_SIDE} pixels, "
                "too few to tell products of one kind apart.",
            )
        )
    return made


def _duplicates(found: Inspection) -> list[Finding]:
    made = []
    for identical, kind in ((True, "the same picture file"), (False, "nearly the same picture")):
        sets = [item for item in found.duplicates.sets if item.identical is identical]
        if sets:
            each = ["/".join(found.words[place].id for place in item.members[:3]) for item in sets]
            made.append(
                Finding(
                    "bad",
                    f"{_products(excess(sets))} too many: {len(sets):,} set{'' if len(sets) == 1 else 's'} of products "
                    f"show{'s' if len(sets) == 1 else ''} {kind}: "
                    f"{_some(each, 3)}. Results can show each set once.",
                )
            )
    split = contradicting(found)
    if split:
        each = [" and ".join(sorted({found.words[p].category or "none" for p in item.members})) for item in split]
        made.append(
            Finding("todo", f"Decide on one category for products that show the same picture: {_some(each, 3)}.")
        )
    for shared in found.duplicates.placeholders:
        made.append(
            Finding(
                "todo",
                f"One picture is shown by {len(shared):,} products, such as {found.words[shared[0]].id}: where it says "
                "that there is none, leave it out, for it finds them all.",
            )
        )
    return made


def _search(found: Inspection) -> list[Finding]:
    asked, unfound = found.search.asked, found.search.unfound
    if not asked:
        return []
    if not unfound:
        said = f"All of {asked:,} products that were asked for are found by a photo or by their title"
        return [Finding("good", f"{said}, among {found.search.among} hits.")]
    ids = [found.words[item.place].id for item in unfound]
    return [
        Finding(
            "bad",
            f"{len(unfound):,} of {asked:,} products that were asked for are not among {found.search.among} hits of a "
            f"photo of them, nor of their title: {_some(ids)}.",
        )
    ]


def _products(count: int) -> str:
    return f"{count:,} product{'' if count == 1 else 's'}"


def _some(names: list[str], most: int = _NAMED) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")
