"""A product's captions are the words that customers might use for it."""

from __future__ import annotations

import numpy as np
import pytest

from embedder.catalogs.captions import captions_of, category_words, other_number, title_of
from embedder.catalogs.product import Product, ProductPicture
from embedder.inputs.picture import PicturePixels


def product(title: str = "", category: str | None = None, **attributes) -> Product:
    picture = PicturePixels(np.zeros((2, 2), dtype=np.uint8))
    return Product("p", title, (ProductPicture(picture),), category=category, attributes=attributes)


@pytest.mark.parametrize(
    ("category", "words"),
    [("shoes/ankle_boots", "ankle boots"), ("bags", "bags"), ("a/b/t-shirts", "t shirts"), ("Šaty/letní", "letní")],
)
def test_a_category_in_words_is_its_last_level(category: str, words: str) -> None:
    assert category_words(category) == words


@pytest.mark.parametrize(
    ("one", "many"),
    [("ankle boot", "ankle boots"), ("dress", "dresses"), ("shelf", "shelves"), ("sandal", "sandals")],
)
def test_one_and_many(one: str, many: str) -> None:
    assert other_number(one) == many
    assert other_number(many) == one


@pytest.mark.parametrize("words", ["", "šaty", "靴", "size 42", "bag!"])
def test_words_that_have_no_english_number_stay(words: str) -> None:
    assert other_number(words) == words


def test_the_title_comes_first() -> None:
    assert captions_of(product("Red boot", "shoes/boots"))[0] == "Red boot"


def test_without_a_title_the_category_speaks() -> None:
    assert title_of(product("  ", "shoes/ankle_boots")) == "ankle boots"
    assert captions_of(product("", "shoes/ankle_boots"))[0] == "ankle boots"


def test_all_that_is_known_is_said_once() -> None:
    captions = captions_of(product("boots", "shoes/boots", color="red", size=42.0, note="x" * 25))
    assert len(set(captions)) == len(captions)
    assert {"boots", "boot", "a photo of boots", "boots, product picture", "red boots"} <= set(captions)
    assert not any("42" in caption or "xxx" in caption for caption in captions)


def test_a_product_without_words_has_no_captions() -> None:
    assert captions_of(product()) == ()
    assert title_of(product()) == ""
