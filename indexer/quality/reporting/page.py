"""The page of one build: what to look at in the catalog, with pictures."""

from __future__ import annotations

from collections.abc import Sequence

from embedder.evaluation.reporting.product_pictures import ProductPictures
from embedder.report.page import Finding, PictureRow, Report, Section, Table
from indexer.quality.duplicates import DuplicateSet
from indexer.quality.inspection import Inspection
from indexer.quality.small_pictures import LEAST_SIDE
from indexer.versions.manifest import Manifest

MOST_ROWS = 24
"""Rows of pictures in a section, and of a table; `quality.json` has all."""

MOST_IN_ROW = 6


def shown_places(found: Inspection) -> set[int]:
    """The products whose pictures the page shows."""
    sets = [set_ for identical in (True, False) for set_ in _sets(found, identical)[:MOST_ROWS]]
    shown = {place for item in sets for place in item.members[:MOST_IN_ROW]}
    shown |= {shared[0] for shared in found.duplicates.placeholders[:MOST_ROWS]}
    shown |= {p for item in found.suspects[:MOST_ROWS] for p in (item.place, item.like) if p is not None}
    shown |= {place for pair in found.look_alikes[:MOST_ROWS] for place in pair.examples[:MOST_IN_ROW]}
    shown |= {item.place for item in found.tiny.named[:MOST_IN_ROW]}
    return shown | {item.place for item in found.search.unfound[:MOST_ROWS]}


def quality_page(
    found: Inspection, findings: Sequence[Finding], manifest: Manifest, pictures: ProductPictures
) -> Report:
    """Put the page together; sections of which there is nothing to say are left out."""
    sections = (
        _suspects(found, pictures),
        _duplicates(found, True, pictures),
        _duplicates(found, False, pictures),
        _placeholders(found, pictures),
        _look_alikes(found, pictures),
        _unreadable(found),
        _tiny(found, pictures),
        _unfound(found, pictures),
    )
    return Report(
        title="What to look at in the catalog",
        summary=f"{found.products:,} products with {found.pictures:,} pictures, as they were indexed. This is what "
        "pictures and titles look like: a person decides.",
        facts=(
            ("Catalog", manifest.catalog),
            ("Read from", manifest.source),
            ("Index version", manifest.version),
            ("Made", manifest.created_at),
            ("Model", f"{manifest.model_base} {manifest.model_fingerprint[:16]}"),
            ("Categories judged", f"{found.judged:,} products"),
            ("Asked for", f"{found.search.asked:,} products"),
        ),
        findings=tuple(findings),
        sections=tuple(section for section in sections if section is not None),
    )


def _suspects(found: Inspection, pictures: ProductPictures) -> Section | None:
    if not found.suspects:
        return None
    rows = []
    for item in found.suspects[:MOST_ROWS]:
        words = found.words[item.place]
        title = "" if item.by_title is None else f", title {item.by_title:.0%}"
        said = f"{words.category}, or rather {found.categories[item.suggested]}? (picture {item.by_picture:.0%}{title})"
        shown = [pictures.of(words.id, framed=True)]
        if item.like is not None:
            shown.append(pictures.of(found.words[item.like].id))
        rows.append(PictureRow(said, tuple(shown)))
    said = (
        f"{len(found.suspects):,} of {found.judged:,} products, the surest first; beside each a product of the other "
        f"category.{_rest(len(found.suspects))}"
    )
    return Section("Categories that look wrong", (said,), picture_rows=tuple(rows))


def _sets(found: Inspection, identical: bool) -> list[DuplicateSet]:
    """The largest first."""
    sets = [item for item in found.duplicates.sets if item.identical is identical]
    return sorted(sets, key=lambda item: (-len(item.members), item.members[0]))


def _duplicates(found: Inspection, identical: bool, pictures: ProductPictures) -> Section | None:
    sets = _sets(found, identical)
    if not sets:
        return None
    rows = []
    for item in sets[:MOST_ROWS]:
        more = len(item.members) - MOST_IN_ROW
        shown = tuple(pictures.of(found.words[place].id) for place in item.members[:MOST_IN_ROW])
        rows.append(PictureRow(f"{len(item.members)} products" + (f", {more} not shown" if more > 0 else ""), shown))
    said = f"{len(sets):,} sets, the largest first. Their products bear the key of their set.{_rest(len(sets))}"
    heading = "The same picture" if identical else "Nearly the same picture"
    return Section(heading, (said,), picture_rows=tuple(rows))


def _placeholders(found: Inspection, pictures: ProductPictures) -> Section | None:
    rows = [
        PictureRow(f"{len(shared):,} products", (pictures.of(found.words[shared[0]].id),))
        for shared in found.duplicates.placeholders[:MOST_ROWS]
    ]
    return Section("One picture, many products", picture_rows=tuple(rows)) if rows else None


def _look_alikes(found: Inspection, pictures: ProductPictures) -> Section | None:
    pairs = found.look_alikes[:MOST_ROWS]
    if not pairs:
        return None
    cells = [
        (
            found.categories[item.first],
            found.categories[item.second],
            f"{item.first_taken} of {item.first_held}",
            f"{item.second_taken} of {item.second_held}",
        )
        for item in pairs
    ]
    headings = ("category", "other", "taken for the other", "the other way")
    table = Table("Categories that look the same", headings, tuple(cells), _rest(len(found.look_alikes)).strip())
    rows = [
        PictureRow(
            f"{found.categories[item.first]} or {found.categories[item.second]}",
            tuple(pictures.of(found.words[place].id) for place in item.examples[:MOST_IN_ROW]),
        )
        for item in pairs
    ]
    return Section("Categories that look the same", tables=(table,), picture_rows=tuple(rows))


def _unreadable(found: Inspection) -> Section | None:
    if not found.rejections:
        return None
    rows = tuple(
        (item.product_id or f"line {item.line}", item.picture or "", item.reason, item.detail)
        for item in found.rejections[:MOST_ROWS]
    )
    total = sum(found.rejected_pictures.values())
    table = Table("Pictures that cannot be read", ("product", "picture", "reason", "what is wrong"), rows)
    return Section("Unreadable pictures", (f"{total:,} pictures.{_rest(total)}",), tables=(table,))


def _tiny(found: Inspection, pictures: ProductPictures) -> Section | None:
    if not found.tiny.count:
        return None
    named = found.tiny.named[:MOST_ROWS]
    cells = tuple(
        (found.words[item.place].id, str(item.picture + 1), f"{item.width} x {item.height}") for item in named
    )
    table = Table("The smallest pictures", ("product", "its picture", "pixels"), cells)
    said = f"{found.tiny.count:,} pictures have a side of less than {LEAST_SIDE} pixels.{_rest(found.tiny.count)}"
    shown = list(dict.fromkeys(found.words[item.place].id for item in named[:MOST_IN_ROW]))
    row = PictureRow("Such as", tuple(pictures.of(product_id) for product_id in shown))
    return Section("Tiny pictures", (said,), tables=(table,), picture_rows=(row,))


def _unfound(found: Inspection, pictures: ProductPictures) -> Section | None:
    if not found.search.unfound:
        return None
    rows = []
    for item in found.search.unfound[:MOST_ROWS]:
        title = "" if item.before_by_title is None else f", its title {item.before_by_title:,}"
        rows.append(
            PictureRow(
                f"A photo finds {item.before_by_view:,} others first{title}",
                (pictures.of(found.words[item.place].id, framed=True),),
            )
        )
    said = (
        f"{found.search.asked:,} products were asked for, by a photo made of their picture and by their title; these "
        f"are not among {found.search.among} hits of either."
    )
    return Section("Products that no query finds", (said,), picture_rows=tuple(rows))


def _rest(count: int) -> str:
    return f" {count - MOST_ROWS:,} more are in quality.json." if count > MOST_ROWS else ""
