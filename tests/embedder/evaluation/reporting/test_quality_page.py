"""The page of an evaluation shows what was measured, and nothing of a catalog becomes part of the page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from embedder.catalogs.product import Product, ProductPicture
from embedder.evaluation.duplicates import TitleClash
from embedder.evaluation.gallery import Recall
from embedder.evaluation.measurement import Measured
from embedder.evaluation.outcome import TitleOutcome
from embedder.evaluation.reporting.product_pictures import ProductPictures
from embedder.evaluation.reporting.quality_report import NAMES, quality_report
from embedder.evaluation.views import ViewFigures
from embedder.inputs.picture import Picture as Source
from embedder.inputs.picture import PictureBytes, PictureLimits
from tests.embedder.evaluation.measurements import found, measured, outcome, product
from tests.embedder.report.test_rendering import Parsed

HOSTILE = "<script>alert('shop')</script>"


def page_of(of: Measured) -> Parsed:
    files = quality_report(of, PictureLimits())
    assert set(files) == set(NAMES)
    return Parsed(files["index.html"])


def shop(name: str = "boots/ankle") -> Measured:
    """Sixty test products in two categories, one of which is mostly taken for the other."""
    outcomes = [
        outcome(
            f"{name} {number}",
            name,
            name if number % 4 else "bags",
            0.8,
            search=found(False, True, nearest=("g", name)),
        )
        for number in range(40)
    ] + [outcome(f"b {number}", "bags", name, 0.6) for number in range(20)]
    views = ViewFigures(
        {"jpeg": Recall(0.2, 0.4, 60), "darkened": Recall(0.7, 0.95, 60)}, Recall(1, 1, 60), None, 90, 90,
        by_product={item.product_id: ((0.0, 0.0), (1.0, 1.0)) for item in outcomes},
    )  # fmt: skip
    titles = [TitleOutcome(name, found(True), found(*(False,) * 10, first=44, nearest=(name,) * 10))]
    return measured(
        outcomes,
        titles,
        views,
        trained={name: 400, "bags": 2},
        products=[product(name, name, name), product("g", "bags", "a bag")],
        title_clashes=(TitleClash(name, ("bags", name), 2, (name, "g")),),
    )


HEADINGS = {
    "The worst queries",
    "Categories",
    "Photos",
    "Whether probabilities are right",
    "What not answering gains",
    "Agreement",
    "Duplicates",
    "Figures",
}


def test_it_says_first_what_is_good_what_is_bad_and_what_to_do() -> None:
    texts = page_of(shop()).texts
    order = [texts.index(heading) for heading in ("What is good", "What is bad", "What to do", "The worst queries")]
    assert order == sorted(order)
    assert any(text.startswith("Add products or further pictures") and "bags (2)" in text for text in texts)


def test_it_holds_plots_tables_and_pictures_of_the_worst_queries() -> None:
    page = page_of(shop())
    kinds = [str(image["src"]).split(";")[0] for image in page.of("img")]
    assert kinds.count("data:image/svg+xml") == 3
    assert kinds.count("data:image/jpeg") > 20
    assert HEADINGS - {"Agreement"} <= set(page.texts)
    assert "In the wrong category, and sure of it: taken for bags (80%), is boots/ankle" in page.texts
    assert any("Titles that do not find their product" in text and "place 44" in text for text in page.texts)


def test_a_page_of_sixty_products_is_no_larger_than_a_picture() -> None:
    assert len(quality_report(shop(), PictureLimits())["index.html"]) < 1_000_000


def test_hostile_names_are_shown_and_do_nothing() -> None:
    # Both names come before the others in the alphabet, so that both pages have the same order.
    harmless, hostile = page_of(shop("(boots)/ankle")), page_of(shop(HOSTILE))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
    assert not hostile.of("script")
    assert any(HOSTILE in text for text in hostile.texts)
    assert any(HOSTILE in str(image["alt"]) for image in hostile.of("img"))


def test_without_categories_it_says_so_and_shows_what_can_be_known() -> None:
    outcomes = [
        outcome(f"p{number}", None, "boot", 0.7, witnesses={"neighbors": "boot", "names": "bag"})
        for number in range(30)
    ]
    page = page_of(measured(outcomes, splits=replace(shop().splits, identical=3)))
    assert any("gives no categories" in text for text in page.texts)
    assert {"What not answering gains", "Agreement", "Duplicates", "The worst queries"} <= set(page.texts)
    assert not {"Categories", "Whether probabilities are right", "Figures"} & set(page.texts)
    assert any(text.startswith("Groups of products with identical pictures: 3") for text in page.texts)
    assert any("the errors that the probabilities promise" in text for text in page.texts)


def test_nothing_at_all_is_a_page_too() -> None:
    page = page_of(measured([outcome("p", None, None, 0.0)]))
    assert "How good the search is" in page.texts
    assert not HEADINGS & set(page.texts)


def test_hundreds_of_categories_show_the_worst_and_the_most_confused() -> None:
    outcomes = [
        outcome(f"{number} {copy}", f"c{number:03d}", f"c{(number + copy % 2) % 300:03d}")
        for number in range(300)
        for copy in range(3)
    ]
    page = page_of(measured(outcomes))
    assert len(page.of("tr")) < 120
    assert any("280 better recognised ones are in metrics.json" in text for text in page.texts)


def test_a_picture_that_cannot_be_read_any_more_is_its_title() -> None:
    broken = Product("p", "a broken ball", (ProductPicture(PictureBytes(b"no picture")),))
    pictures = ProductPictures({"p": broken}, PictureLimits())
    assert (pictures.of("p").image, pictures.of("p").alt) == ("", "a broken ball (p)")
    assert pictures.of("gone").alt == "product gone"


def test_what_gives_pictures_may_be_another_than_decoding() -> None:
    asked: list[Source] = []

    def thumbnail_of(source: Source, limits: PictureLimits) -> Image.Image:
        asked.append(source)
        return Image.new("RGB", (256, 171), "red")

    source = PictureBytes(b"no picture any more")
    item = Product("p", "a red thing", (ProductPicture(source),))
    pictures = ProductPictures({"p": item}, PictureLimits(), thumbnail_of)
    assert pictures.of("p").image == pictures.of("p").image != ""
    assert asked == [source]


def test_a_picture_is_decoded_once_and_long_names_are_cut() -> None:
    item = product("p" * 500, "toys", "t" * 500)
    pictures = ProductPictures({item.id: item}, PictureLimits())
    first, second = pictures.of(item.id), pictures.of(item.id, framed=True)
    assert first.image is second.image
    assert first.image.startswith("data:image/jpeg")
    assert max(map(len, (*first.lines, first.alt))) == 60


@pytest.mark.parametrize("leaks", [0, 2])
def test_duplicates_are_a_section_where_there_are_any(leaks: int) -> None:
    page = page_of(measured([outcome("a", "boot", "boot")], splits=replace(shop().splits, test_leaks=leaks)))
    assert ("Duplicates" in page.texts) is bool(leaks)
