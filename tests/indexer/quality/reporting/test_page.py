"""The page says what was found, with pictures, and nothing of what was not."""

from __future__ import annotations

import re

import pytest

from embedder.catalogs.product import Product, ProductPicture
from embedder.evaluation.reporting.product_pictures import ProductPictures
from embedder.inputs.picture import PictureBytes, PictureLimits
from embedder.report.rendering import render
from indexer.quality.inspection import Inspection
from indexer.quality.reporting.findings import find_findings
from indexer.quality.reporting.page import quality_page, shown_places
from tests.conftest import draw_product
from tests.indexer.conftest import manifest_of, shelf
from tests.indexer.quality.inspections import everything, nothing, unlabelled
from tests.indexer.quality.rolls import png


def page(found: Inspection) -> str:
    data = png(draw_product("tall", "red", 1, side=40))
    products = {
        words.id: Product(words.id, words.title, (ProductPicture(PictureBytes(data)),), category=words.category)
        for place, words in found.words.items()
        if place in shown_places(found)
    }
    pictures = ProductPictures(products, PictureLimits())
    return render(quality_page(found, find_findings(found), manifest_of(shelf(3)), pictures))


def test_every_kind_of_finding_has_its_section_with_pictures() -> None:
    html = page(everything())
    headings = re.findall(r"<h2>(.*?)</h2>", html)
    assert headings == [
        "What is bad",
        "What to do",
        "Categories that look wrong",
        "The same picture",
        "Nearly the same picture",
        "One picture, many products",
        "Categories that look the same",
        "Unreadable pictures",
        "Tiny pictures",
        "Products that no query finds",
    ]
    # Suspects 2 and what one is like, sets 2 + 3, placeholder 1, look-alikes 2, tiny 1, unfound 2; all were read.
    assert html.count("data:image/jpeg") == 14
    assert 'class="missing"' not in html


def test_it_loads_nothing_and_a_catalogs_words_are_no_html() -> None:
    html = page(everything())
    assert "<script" not in html
    assert "<b>hats</b>" not in html
    assert "&lt;b&gt;hats&lt;/b&gt;" in html
    assert not re.search(r'(?:src|href)="(?!data:|#)', html)


def test_what_is_said_has_its_figure() -> None:
    said = " ".join(finding.text for finding in find_findings(everything()))
    assert "Check the category of 2 products" in said
    assert "1 product too many: 1 set of products shows the same picture file: p-0/p-4" in said
    assert "2 products too many: 1 set of products shows nearly the same picture" in said
    assert "One picture is shown by 55 products, such as p-5" in said
    assert "2 pictures cannot be read: IMAGE_MISSING 2" in said
    assert "1 of 71 pictures have a side of less than 64 pixels" in said
    assert "2 of 50 products that were asked for are not among 10 hits" in said
    assert "4 of 10 pictures of the one are taken for the other, 3 of 9 the other way" in said


@pytest.mark.parametrize(("found", "good"), [(nothing(), 2), (unlabelled(), 0)], ids=["nothing", "unlabelled"])
def test_where_nothing_was_found_nothing_is_bad(found: Inspection, good: int) -> None:
    assert [finding.kind for finding in find_findings(found)] == ["good"] * good
    assert "What is bad" not in page(found)
