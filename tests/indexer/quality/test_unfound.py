"""A product that neither its title nor a photo of it finds is named; how many were asked for is said."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embedder.catalogs.product import Product, ProductPicture
from embedder.index_space import IndexSpace
from embedder.inputs.picture import PictureBytes, PictureLimits
from indexer.building.product_sample import ProductSample
from indexer.quality import unfound
from indexer.quality.roll import ProductRoll
from indexer.quality.unfound import Search, search_products
from tests.indexer.conftest import DIM, unit_rows
from tests.indexer.quality.rolls import Shown, fill, png, roll_in

COUNT, LOST = 40, (3, 17)


class Encoder(SimpleNamespace):
    """Views of products, which it knows by their grey, lie at their product's vector, those of lost ones opposite."""

    space = IndexSpace(DIM)
    seen: Any = None

    def encode_images(self, images: list[Image.Image]) -> np.ndarray:
        return self._near([round(float(np.median(np.asarray(image))) / 6) for image in images])

    def text_queries(self, texts: list[str]) -> list:
        return self.space.text_queries(self._near([int(text.split()[-1]) for text in texts]))

    @staticmethod
    def _near(numbers: list[int]) -> np.ndarray:
        vectors = unit_rows(COUNT)
        return np.stack([-vectors[number] if number in LOST else vectors[number] for number in numbers])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ProductRoll, ProductSample]]:
    """Product 17 has no title; what it shows is one grey."""
    sample, vectors = ProductSample(), unit_rows(COUNT)
    with roll_in(tmp_path_factory.mktemp("roll")) as roll:
        for number in range(COUNT):
            picture = png(Image.new("RGB", (40, 40), (6 * number,) * 3))
            title = "" if number == 17 else f"product {number}"
            fill(roll, [Shown(f"p-{number}", [picture], title, vectors=vectors[number : number + 1])])
            product = Product(f"p-{number}", title, (ProductPicture(PictureBytes(picture)),))
            sample.add([product], vectors[number : number + 1])
        yield roll, sample


def search(kept: tuple[ProductRoll, ProductSample], most: int, owners: np.ndarray | None = None) -> Search:
    roll, sample = kept
    places = {f"p-{number}": number for number in range(COUNT)}
    owners = np.arange(COUNT) if owners is None else owners
    return search_products(Encoder(), sample, roll, places, owners, PictureLimits(), most)  # type: ignore[arg-type]


def plain(image: Image.Image, kind: str, seed: int) -> Image.Image:
    return image


def test_those_that_both_queries_miss_are_named(
    kept: tuple[ProductRoll, ProductSample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfound, "street_view", plain)
    monkeypatch.setattr(unfound, "_HELD_AT_ONCE", 7)
    found = search(kept, COUNT)
    assert (found.asked, found.among) == (COUNT, 10)
    assert {item.place: item.before_by_title for item in found.unfound} == {3: COUNT - 1, 17: None}
    assert [item.before_by_view for item in found.unfound] == [COUNT - 1] * 2


def test_what_shows_the_same_is_as_good(
    kept: tuple[ProductRoll, ProductSample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfound, "street_view", plain)
    opposite = int(np.argmin(unit_rows(COUNT) @ unit_rows(COUNT)[3]))
    owners = np.arange(COUNT)
    owners[opposite] = 3
    assert [item.place for item in search(kept, COUNT, owners).unfound] == [17]


def test_no_more_are_asked_for_than_permitted(
    kept: tuple[ProductRoll, ProductSample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfound, "street_view", plain)
    assert search(kept, 5).asked == 5
    assert search(kept, 0) == Search(0, 10, ())
