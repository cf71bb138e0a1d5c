"""A catalog in memory: what was read, which data it was, how large its pictures are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedder.catalog import open_catalog
from embedder.picture import PictureBytes, PictureFile, PicturePixels
from embedder.product import Product
from embedder.reading import data_hash, fitting_image_size, load_catalog
from tests.conftest import draw_product
from tests.embedder.conftest import encoded


def pixels(*sides: int) -> list[Product]:
    return [
        Product(str(number), "", PicturePixels(np.zeros((side, side * 2), dtype=np.uint8)))
        for number, side in enumerate(sides)
    ]


def test_products_and_rejected_rows_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,title,image\n1,Boot,1.png\n,No id,2.png\n3,Bag,3.png\n1,Twice,1.png\n")
    catalog = load_catalog(open_catalog(str(tmp_path / "a.csv")))
    assert [product.id for product in catalog.products] == ["1", "3"]
    assert [(row.line, row.reason) for row in catalog.rejections] == [(3, "ID_MISSING"), (5, "ID_DUPLICATE")]


def test_the_data_hash_is_of_ids_titles_and_categories_in_order() -> None:
    picture = PictureBytes(b"")
    products = [Product("1", "Boot", picture, category="shoes"), Product("2", "Bag", picture)]
    assert data_hash(products) == data_hash(list(products))
    assert len(data_hash(products)) == 64
    others = [
        products[::-1],
        products[:1],
        [Product("1", "Boots", picture, category="shoes"), products[1]],
        [Product("1", "Boot", picture, category="bags"), products[1]],
    ]
    assert len({data_hash(products), *map(data_hash, others)}) == 5


@pytest.mark.parametrize(
    ("sides", "size"),
    [([28] * 9, 96), ([10] * 9, 96), ([40] * 9, 128), ([64] * 9, 192), ([500] * 9, 224), ([28, 28, 28, 900, 900], 96)],
)
def test_the_input_side_fits_the_pictures(sides: list[int], size: int) -> None:
    assert fitting_image_size(pixels(*sides), 224) == size


def test_pictures_in_files_are_looked_at_too(tmp_path: Path) -> None:
    draw_product("ellipse", "red", 0, side=40).save(tmp_path / "small.png")
    large = Product("l", "", PictureBytes(encoded(draw_product("ellipse", "red", 0, side=600), "JPEG")))
    assert fitting_image_size([Product("s", "", PictureFile(tmp_path / "small.png"))], 224) == 128
    assert fitting_image_size([large], 224) == 224


def test_unreadable_pictures_do_not_decide(tmp_path: Path) -> None:
    bad = Product("b", "", PictureFile(tmp_path / "nowhere.png"))
    assert fitting_image_size([bad], 224) == 224
    assert fitting_image_size([bad, *pixels(28)], 224) == 96
    assert fitting_image_size([], 224) == 224
